#include "eventlog/internal/record_format.h"

#include <lz4.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace rivermeet::eventlog::internal {
namespace {

constexpr std::string_view kSegmentMagic = "RMLOGSEG";
constexpr uint32_t kVersion = 1;
constexpr uint8_t kLz4Flag = 1;

// Below this, compression saves nothing worth a reader's time.
constexpr size_t kMinCompressedBytes = 256;
// A large payload must halve: LZ4 takes 60 ns an event to shrink columns of numbers by a third, which is more than all
// else that the log does to it; text shrinks to a quarter, and faster. Two pieces tell.
constexpr size_t kSampleBytes = 2048;
constexpr size_t kSampledFromBytes = 16 << 10;

template <typename T>
void Store(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

bool LooksCompressible(std::string_view payload) {
  if (payload.size() < kSampledFromBytes) return true;
  char out[LZ4_COMPRESSBOUND(kSampleBytes)];
  int packed = 0;
  for (const size_t at : {payload.size() / 4, payload.size() * 3 / 4}) {
    packed += LZ4_compress_fast(payload.data() + at, out, kSampleBytes, sizeof out, 4);
  }
  return packed <= static_cast<int>(2 * kSampleBytes / 2);
}

// The payload as an LZ4 block; empty when that saves less than an eighth.
std::string Compress(std::string_view payload) {
  if (payload.size() < kMinCompressedBytes || !LooksCompressible(payload)) return "";
  std::string packed(payload.size() - payload.size() / 8, '\0');
  const int bytes = LZ4_compress_default(payload.data(), packed.data(), static_cast<int>(payload.size()),
                                         static_cast<int>(packed.size()));
  packed.resize(static_cast<size_t>(bytes));
  return packed;
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  std::string bytes(kSegmentMagic);
  AppendLittleEndian(bytes, kVersion);
  AppendLittleEndian(bytes, header.partition);
  AppendLittleEndian(bytes, header.base);
  AppendLittleEndian(bytes, header.created_us);
  AppendLittleEndian(bytes, header.salt);
  AppendLittleEndian(bytes, Crc32c(bytes));
  return bytes;
}

std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || bytes.substr(0, 8) != kSegmentMagic) return std::nullopt;
  if (LoadLittleEndian<uint32_t>(bytes.data() + 36) != Crc32c(bytes.substr(0, 36))) return std::nullopt;
  if (LoadLittleEndian<uint32_t>(bytes.data() + 8) != kVersion) return std::nullopt;
  return SegmentHeader{LoadLittleEndian<uint32_t>(bytes.data() + 12), LoadLittleEndian<int64_t>(bytes.data() + 16),
                       LoadLittleEndian<int64_t>(bytes.data() + 24), LoadLittleEndian<uint32_t>(bytes.data() + 32)};
}

void EncodeFrame(const Frame& frame, uint32_t salt, char* to) {
  Store(to + 4, frame.body_crc);
  Store(to + 8, frame.offset);
  Store(to + 16, frame.append_time_us);
  Store(to + 24, frame.stored_bytes);
  Store(to + 28, frame.payload_bytes);
  Store(to + 32, frame.group_index);
  Store(to + 36, frame.header_bytes);
  Store(to + 38, static_cast<uint8_t>(frame.lz4 ? kLz4Flag : 0));
  Store(to + 39, uint8_t{0});
  Store(to, Crc32c({to + 4, kFrameBytes - 4}, salt));
}

std::optional<Frame> DecodeFrame(std::string_view bytes, uint32_t salt) {
  if (bytes.size() < kFrameBytes) return std::nullopt;
  const char* const p = bytes.data();
  Frame frame;
  frame.stored_bytes = LoadLittleEndian<uint32_t>(p + 24);
  frame.payload_bytes = LoadLittleEndian<uint32_t>(p + 28);
  frame.header_bytes = LoadLittleEndian<uint16_t>(p + 36);
  // The cheap tests first: recovery calls this at every byte of a torn end.
  if (p[39] != 0 || (p[38] & ~kLz4Flag) != 0 || frame.payload_bytes > kMaxRecordBytes ||
      frame.header_bytes > kMaxHeaderBytes || frame.stored_bytes > frame.payload_bytes) {
    return std::nullopt;
  }
  if (LoadLittleEndian<uint32_t>(p) != Crc32c(bytes.substr(4, kFrameBytes - 4), salt)) return std::nullopt;
  frame.lz4 = (p[38] & kLz4Flag) != 0;
  if (!frame.lz4 && frame.stored_bytes != frame.payload_bytes) return std::nullopt;
  frame.body_crc = LoadLittleEndian<uint32_t>(p + 4);
  frame.offset = LoadLittleEndian<int64_t>(p + 8);
  frame.append_time_us = LoadLittleEndian<int64_t>(p + 16);
  frame.group_index = LoadLittleEndian<uint32_t>(p + 32);
  return frame;
}

EncodedRecord EncodeRecord(Record record, bool compress) {
  EncodedRecord encoded;
  encoded.header = std::move(record.header);
  encoded.payload_bytes = static_cast<uint32_t>(record.payload.size());
  if (compress) encoded.stored = Compress(record.payload);
  encoded.lz4 = !encoded.stored.empty();
  if (!encoded.lz4) encoded.stored = std::move(record.payload);
  encoded.body_crc = Crc32c(encoded.stored, Crc32c(encoded.header));
  return encoded;
}

bool BodyIsWhole(const Frame& frame, std::string_view body) { return Crc32c(body) == frame.body_crc; }

std::optional<LogRecord> DecodeRecord(const Frame& frame, std::string_view body) {
  if (!BodyIsWhole(frame, body)) return std::nullopt;
  LogRecord record{frame.offset, frame.append_time_us, std::string(body.substr(0, frame.header_bytes)), ""};
  const std::string_view stored = body.substr(frame.header_bytes);
  if (!frame.lz4) {
    record.payload.assign(stored);
    return record;
  }
  record.payload.resize(frame.payload_bytes);
  const int bytes = LZ4_decompress_safe(stored.data(), record.payload.data(), static_cast<int>(stored.size()),
                                        static_cast<int>(frame.payload_bytes));
  if (bytes != static_cast<int>(frame.payload_bytes)) return std::nullopt;
  return record;
}

}  // namespace rivermeet::eventlog::internal
