#include "eventlog/internal/segment_scan.h"

#include <algorithm>
#include <string_view>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::eventlog::internal {
namespace {

constexpr size_t kChunkBytes = 4 << 20;
// What a disk writes as one; a torn write is torn between them.
constexpr int64_t kSectorBytes = 512;

bool AllZero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

// Whether a sector of the file, as far as it lies in `bytes` (which begin at `position`), is all zeros.
bool HasZeroSector(std::string_view bytes, int64_t position) {
  size_t at = 0;
  while (at < bytes.size()) {
    const auto in_sector = static_cast<size_t>(kSectorBytes - (position + static_cast<int64_t>(at)) % kSectorBytes);
    const std::string_view sector = bytes.substr(at, in_sector);
    if (AllZero(sector)) return true;
    at += sector.size();
  }
  return false;
}

}  // namespace

absl::StatusOr<bool> ScanSegment(const files::ReadFile& file, const SegmentHeader& header, Offset stop_before,
                                 SegmentIndex& index) {
  std::string buffer;
  size_t at = 0;
  // Makes `bytes` bytes from `at` on available, or all that is left of the file.
  const auto fill = [&](size_t bytes) -> absl::StatusOr<std::string_view> {
    if (buffer.size() - at < bytes) {
      buffer.erase(0, at);
      at = 0;
      const size_t had = buffer.size();
      buffer.resize(std::max(kChunkBytes, bytes));
      RM_ASSIGN_OR_RETURN(const size_t read, file.ReadAt(index.data_end + static_cast<int64_t>(had),
                                                         std::span<char>(buffer).subspan(had)));
      buffer.resize(had + read);
    }
    return std::string_view(buffer).substr(at, bytes);
  };
  while (index.end < stop_before) {
    RM_ASSIGN_OR_RETURN(const std::string_view head, fill(kFrameBytes));
    if (head.empty()) return true;
    const std::optional<Frame> frame = DecodeFrame(head, header.salt);
    if (!frame || frame->offset != index.end) return false;
    const size_t framed = kFrameBytes + frame->BodyBytes();
    RM_ASSIGN_OR_RETURN(const std::string_view whole, fill(framed));
    if (whole.size() < framed || !BodyIsWhole(*frame, whole.substr(kFrameBytes))) return false;
    index.Add(frame->offset, index.data_end);
    index.last_time_us = frame->append_time_us;
    index.end = frame->offset + 1;
    index.data_end += static_cast<int64_t>(framed);
    at += framed;
  }
  return true;
}

absl::StatusOr<BadTail> ClassifyTail(const files::ReadFile& file, const SegmentHeader& header, int64_t position,
                                     Offset expected) {
  RM_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  std::string tail(static_cast<size_t>(std::max<int64_t>(0, size - position)), '\0');
  RM_ASSIGN_OR_RETURN(const size_t read, file.ReadAt(position, tail));
  tail.resize(read);
  const std::string_view bytes(tail);
  const std::optional<Frame> bad = DecodeFrame(bytes, header.salt);
  if (bad && bad->offset != expected) {
    return BadTail{false, fmt::format("a record with offset {} where {} belongs", bad->offset, expected)};
  }
  for (size_t at = 1; at + kFrameBytes <= bytes.size(); ++at) {
    const std::optional<Frame> later = DecodeFrame(bytes.substr(at), header.salt);
    if (!later || later->offset <= expected) continue;
    // Its group began after this record was durable.
    if (later->offset - later->group_index > expected) {
      return BadTail{false, fmt::format("record {} is damaged, and record {}, written after it was durable, is whole",
                                        expected, later->offset)};
    }
  }
  const size_t whole = bad ? kFrameBytes + bad->BodyBytes() : kFrameBytes;
  if (bytes.size() < whole) return BadTail{true, "the file ends within a record"};
  // Without a frame to trust, a missing sector may be any of the rest.
  if (HasZeroSector(bad ? bytes.substr(0, whole) : bytes, position)) {
    return BadTail{true, "a part of the last write never reached the disk"};
  }
  return BadTail{false, fmt::format("record {} has a wrong checksum, and no crash does that", expected)};
}

}  // namespace rivermeet::eventlog::internal
