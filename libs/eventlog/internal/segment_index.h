// The sparse index beside a segment: where to begin reading, and how far the segment is known to be durable.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_SEGMENT_INDEX_H_
#define RIVERMEET_EVENTLOG_INTERNAL_SEGMENT_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/event_log.h"

namespace rivermeet::eventlog::internal {

// The file:
//
//    0  8  "RMLOGIDX"
//    8  4  format version, 1
//   12  4  partition
//   16  8  base: the offset of the segment's first record
//   24  8  end: the offset after the last record that the index covers
//   32  8  data_end: the position after that record in the segment
//   40  8  append time of that record, microseconds (0: no record)
//   48  4  1 when the segment is complete, else 0
//   52  4  number of entries
//   56     entries of 16 bytes: offset of a record (8), position of its frame (8)
//      4   CRC-32C of all before
//
// It only ever says what was durable when it was written: a segment that is shorter is damaged. It is rebuilt from
// the segment when it is missing or its CRC is wrong.
struct SegmentIndex {
  struct Entry {
    Offset offset = 0;
    int64_t position = 0;
  };

  PartitionId partition = 0;
  Offset base = 0;
  Offset end = 0;
  int64_t data_end = 0;
  int64_t last_time_us = 0;
  bool complete = false;
  std::vector<Entry> entries;  // increasing

  // Notes the record at `position`, if the last entry is far enough.
  void Add(Offset offset, int64_t position);

  // The last entry at or before `offset`; the segment's first record when there is none.
  Entry Find(Offset offset) const;
};

// A seek scans at most so much of a segment, and one record.
inline constexpr int64_t kIndexIntervalBytes = 256 << 10;

std::string EncodeSegmentIndex(const SegmentIndex& index);
std::optional<SegmentIndex> DecodeSegmentIndex(std::string_view bytes);

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_SEGMENT_INDEX_H_
