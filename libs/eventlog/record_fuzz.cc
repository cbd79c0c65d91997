// Any bytes as what a log reads back: a segment file, its index, a Kafka message. With checksums put right, so that
// what lies behind them is reached too.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "eventlog/internal/kafka_frame.h"
#include "eventlog/internal/record_format.h"
#include "eventlog/internal/segment_index.h"
#include "eventlog/internal/segment_scan.h"

namespace {

using namespace rivermeet;
using namespace rivermeet::eventlog;
using namespace rivermeet::eventlog::internal;

class MemoryFile final : public files::ReadFile {
 public:
  explicit MemoryFile(std::string_view bytes) : bytes_(bytes) {}
  absl::StatusOr<size_t> ReadAt(int64_t position, std::span<char> to) const override {
    const std::string_view rest = bytes_.substr(std::min(static_cast<size_t>(position), bytes_.size()));
    return rest.copy(to.data(), to.size());
  }
  absl::StatusOr<int64_t> Size() const override { return static_cast<int64_t>(bytes_.size()); }

 private:
  std::string_view bytes_;
};

void PutCrc(std::string& bytes, size_t at, size_t from, size_t to, uint32_t start = 0) {
  const uint32_t crc = Crc32c(std::string_view(bytes).substr(from, to - from), start);
  std::memcpy(bytes.data() + at, &crc, sizeof crc);
}

// Makes the frames' checksums right, and their offsets where `count_on`, as far as they lie one after the other.
void Repair(std::string& bytes, uint32_t salt, Offset base, bool count_on) {
  for (size_t at = kSegmentHeaderBytes; at + kFrameBytes <= bytes.size(); ++base) {
    const size_t body =
        LoadLittleEndian<uint32_t>(bytes.data() + at + 24) % 4096u + LoadLittleEndian<uint16_t>(bytes.data() + at + 36);
    const size_t end = std::min(bytes.size(), at + kFrameBytes + body);
    PutCrc(bytes, at + 4, at + kFrameBytes, end);
    if (count_on) std::memcpy(bytes.data() + at + 8, &base, sizeof base);
    PutCrc(bytes, at, at + 4, at + kFrameBytes, salt);
    at = end;
  }
}

void ReadSegment(std::string_view bytes) {
  const auto header = DecodeSegmentHeader(bytes);
  if (!header) return;
  RM_CHECK(EncodeSegmentHeader(*header) == bytes.substr(0, kSegmentHeaderBytes));
  const MemoryFile file(bytes);
  SegmentIndex index;
  index.base = index.end = header->base;
  index.data_end = kSegmentHeaderBytes;
  const auto whole = ScanSegment(file, *header, INT64_MAX, index);
  RM_CHECK(whole.ok() && index.data_end <= static_cast<int64_t>(bytes.size()));
  if (!*whole) RM_CHECK_OK(ClassifyTail(file, *header, index.data_end, index.end).status());
  // What the scan took is read back as it is.
  size_t at = kSegmentHeaderBytes;
  for (Offset offset = header->base; offset < index.end; ++offset) {
    const auto frame = DecodeFrame(bytes.substr(at), header->salt);
    RM_CHECK(frame && frame->offset == offset);
    const auto record = DecodeRecord(*frame, bytes.substr(at + kFrameBytes, frame->BodyBytes()));
    RM_CHECK(!record || record->payload.size() == frame->payload_bytes);
    at += kFrameBytes + frame->BodyBytes();
  }
  const auto again = DecodeSegmentIndex(EncodeSegmentIndex(index));
  RM_CHECK(again && again->end == index.end && again->data_end == index.data_end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte chooses what the rest is.
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool repair = (data[0] & 4) != 0;
  switch (data[0] % 4) {
    case 0:
    case 1:
      if (repair && bytes.size() >= kSegmentHeaderBytes) {
        PutCrc(bytes, 36, 0, 36);
        Repair(bytes, LoadLittleEndian<uint32_t>(bytes.data() + 32), LoadLittleEndian<int64_t>(bytes.data() + 16),
               data[0] % 4 == 1);
      }
      ReadSegment(bytes);
      break;
    case 2:
      if (repair && bytes.size() >= 4) PutCrc(bytes, bytes.size() - 4, 0, bytes.size() - 4);
      if (const auto index = DecodeSegmentIndex(bytes)) {
        for (const Offset offset : {index->base, index->end, Offset{0}, Offset{INT64_MAX}}) (void)index->Find(offset);
      }
      break;
    default:
      if (repair && bytes.size() >= kKafkaFrameBytes) PutCrc(bytes, 4, 8, bytes.size());
      if (const auto record = DecodeKafkaValue(7, bytes)) {
        RM_CHECK(record->header.size() + record->payload.size() + kKafkaFrameBytes == bytes.size());
      }
  }
  return 0;
}
