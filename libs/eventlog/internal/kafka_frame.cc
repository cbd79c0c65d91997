#include "eventlog/internal/kafka_frame.h"

#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace rivermeet::eventlog::internal {
namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

void EncodeKafkaValue(const Record& record, int64_t append_time_us, char* to) {
  const auto header_bytes = static_cast<uint16_t>(record.header.size());
  to[0] = kVersion;
  to[1] = 0;
  std::memcpy(to + 2, &header_bytes, sizeof header_bytes);
  std::memcpy(to + 8, &append_time_us, sizeof append_time_us);
  char* const body = to + kKafkaFrameBytes;
  if (!record.header.empty()) std::memcpy(body, record.header.data(), record.header.size());
  if (!record.payload.empty()) std::memcpy(body + record.header.size(), record.payload.data(), record.payload.size());
  const uint32_t crc = Crc32c({to + 8, 8 + record.header.size() + record.payload.size()});
  std::memcpy(to + 4, &crc, sizeof crc);
}

std::optional<LogRecord> DecodeKafkaValue(Offset offset, std::string_view value) {
  if (value.size() < kKafkaFrameBytes || static_cast<uint8_t>(value[0]) != kVersion || value[1] != 0) {
    return std::nullopt;
  }
  const size_t header_bytes = LoadLittleEndian<uint16_t>(value.data() + 2);
  const std::string_view body = value.substr(kKafkaFrameBytes);
  if (header_bytes > body.size()) return std::nullopt;
  if (LoadLittleEndian<uint32_t>(value.data() + 4) != Crc32c(value.substr(8))) return std::nullopt;
  return LogRecord{offset, LoadLittleEndian<int64_t>(value.data() + 8), std::string(body.substr(0, header_bytes)),
                   std::string(body.substr(header_bytes))};
}

}  // namespace rivermeet::eventlog::internal
