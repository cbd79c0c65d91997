#include "eventlog/internal/segment_index.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "eventlog/internal/record_format.h"

namespace rivermeet::eventlog::internal {
namespace {

constexpr std::string_view kIndexMagic = "RMLOGIDX";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeadBytes = 56;
constexpr size_t kEntryBytes = 16;

}  // namespace

void SegmentIndex::Add(Offset offset, int64_t position) {
  if (entries.empty() || position - entries.back().position >= kIndexIntervalBytes) {
    entries.push_back({offset, position});
  }
}

SegmentIndex::Entry SegmentIndex::Find(Offset offset) const {
  const auto after = std::upper_bound(entries.begin(), entries.end(), offset,
                                      [](Offset wanted, const Entry& entry) { return wanted < entry.offset; });
  if (after == entries.begin()) return {base, static_cast<int64_t>(kSegmentHeaderBytes)};
  return *std::prev(after);
}

std::string EncodeSegmentIndex(const SegmentIndex& index) {
  std::string bytes(kIndexMagic);
  AppendLittleEndian(bytes, kVersion);
  AppendLittleEndian(bytes, index.partition);
  AppendLittleEndian(bytes, index.base);
  AppendLittleEndian(bytes, index.end);
  AppendLittleEndian(bytes, index.data_end);
  AppendLittleEndian(bytes, index.last_time_us);
  AppendLittleEndian(bytes, static_cast<uint32_t>(index.complete));
  AppendLittleEndian(bytes, static_cast<uint32_t>(index.entries.size()));
  for (const SegmentIndex::Entry& entry : index.entries) {
    AppendLittleEndian(bytes, entry.offset);
    AppendLittleEndian(bytes, entry.position);
  }
  AppendLittleEndian(bytes, Crc32c(bytes));
  return bytes;
}

std::optional<SegmentIndex> DecodeSegmentIndex(std::string_view bytes) {
  if (bytes.size() < kHeadBytes + 4 || bytes.substr(0, 8) != kIndexMagic) return std::nullopt;
  const std::string_view covered = bytes.substr(0, bytes.size() - 4);
  if (LoadLittleEndian<uint32_t>(bytes.data() + covered.size()) != Crc32c(covered)) return std::nullopt;
  const char* p = bytes.data();
  if (LoadLittleEndian<uint32_t>(p + 8) != kVersion) return std::nullopt;
  SegmentIndex index;
  index.partition = LoadLittleEndian<uint32_t>(p + 12);
  index.base = LoadLittleEndian<int64_t>(p + 16);
  index.end = LoadLittleEndian<int64_t>(p + 24);
  index.data_end = LoadLittleEndian<int64_t>(p + 32);
  index.last_time_us = LoadLittleEndian<int64_t>(p + 40);
  index.complete = LoadLittleEndian<uint32_t>(p + 48) != 0;
  const size_t count = LoadLittleEndian<uint32_t>(p + 52);
  if (covered.size() != kHeadBytes + count * kEntryBytes) return std::nullopt;
  index.entries.reserve(count);
  for (p += kHeadBytes; index.entries.size() < count; p += kEntryBytes) {
    index.entries.push_back({LoadLittleEndian<int64_t>(p), LoadLittleEndian<int64_t>(p + 8)});
  }
  return index;
}

}  // namespace rivermeet::eventlog::internal
