// How a record lies in the value of a Kafka message.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_KAFKA_FRAME_H_
#define RIVERMEET_EVENTLOG_INTERNAL_KAFKA_FRAME_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "eventlog/event_log.h"

namespace rivermeet::eventlog::internal {

//    0  1  format version, 1
//    1  1  0
//    2  2  bytes of the header
//    4  4  CRC-32C of all that follows
//    8  8  append time, microseconds since the epoch
//   16     the header, then the payload
//
// The message has no key; its timestamp (CreateTime) is the append time in milliseconds. Compression is Kafka's.
inline constexpr size_t kKafkaFrameBytes = 16;
inline constexpr size_t kMaxKafkaValueBytes = kKafkaFrameBytes + kMaxHeaderBytes + kMaxRecordBytes;
// What a record batch around one message may add.
inline constexpr size_t kMaxKafkaMessageBytes = kMaxKafkaValueBytes + 512;

// Writes kKafkaFrameBytes + header + payload bytes.
void EncodeKafkaValue(const Record& record, int64_t append_time_us, char* to);

// Nothing when it is no such value, or its CRC is wrong.
std::optional<LogRecord> DecodeKafkaValue(Offset offset, std::string_view value);

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_KAFKA_FRAME_H_
