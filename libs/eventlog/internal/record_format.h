// The bytes of segment files: docs/formats/event-log.md says the same in prose.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_RECORD_FORMAT_H_
#define RIVERMEET_EVENTLOG_INTERNAL_RECORD_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "eventlog/event_log.h"

namespace rivermeet::eventlog::internal {

// A segment file: this header, then frames without gaps.
//
//    0  8  "RMLOGSEG"
//    8  4  format version, 1
//   12  4  partition
//   16  8  offset of the first record
//   24  8  when the file was made, microseconds since the epoch
//   32  4  salt: a random number that the CRCs of the file's frames start from
//   36  4  CRC-32C of bytes 0 to 35
//
// The salt keeps recovery from taking a frame that a client sent as payload, or one of a deleted file in a recycled
// block, for one of this file's.
struct SegmentHeader {
  PartitionId partition = 0;
  Offset base = 0;
  int64_t created_us = 0;
  uint32_t salt = 0;
};
inline constexpr size_t kSegmentHeaderBytes = 40;

std::string EncodeSegmentHeader(const SegmentHeader& header);
std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

// One record: a frame of 40 bytes, the header, the payload as stored.
//
//    0  4  CRC-32C of bytes 4 to 39, starting from the segment's salt
//    4  4  CRC-32C of the header and the payload as stored
//    8  8  offset
//   16  8  append time, microseconds since the epoch
//   24  4  bytes of the payload as stored
//   28  4  bytes of the payload
//   32  4  how many records of the same group commit precede this one
//   36  2  bytes of the header
//   38  1  flags: 1 = the payload is stored as one LZ4 block; all other bits 0
//   39  1  0
struct Frame {
  uint32_t body_crc = 0;
  Offset offset = 0;
  int64_t append_time_us = 0;
  uint32_t stored_bytes = 0;
  uint32_t payload_bytes = 0;
  uint32_t group_index = 0;
  uint16_t header_bytes = 0;
  bool lz4 = false;

  size_t BodyBytes() const { return size_t{header_bytes} + stored_bytes; }
};
inline constexpr size_t kFrameBytes = 40;
inline constexpr size_t kMaxFramedBytes = kFrameBytes + kMaxHeaderBytes + kMaxRecordBytes;

// Writes kFrameBytes bytes.
void EncodeFrame(const Frame& frame, uint32_t salt, char* to);

// Nothing when the CRC or a limit is wrong; looks at kFrameBytes bytes.
std::optional<Frame> DecodeFrame(std::string_view bytes, uint32_t salt);

// A record ready to be written: compressed where that pays, its body's CRC known.
struct EncodedRecord {
  std::string header;
  std::string stored;
  uint32_t payload_bytes = 0;
  uint32_t body_crc = 0;
  bool lz4 = false;

  size_t FramedBytes() const { return kFrameBytes + header.size() + stored.size(); }
};

// Takes a record within the limits. `compress` = false stores every payload as it is.
EncodedRecord EncodeRecord(Record record, bool compress);

// The record in a body whose CRC is to be checked here; nothing when it is wrong or the payload doesn't unpack.
std::optional<LogRecord> DecodeRecord(const Frame& frame, std::string_view body);

// Whether the body's CRC is right.
bool BodyIsWhole(const Frame& frame, std::string_view body);

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_RECORD_FORMAT_H_
