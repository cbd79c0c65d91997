// Walking through a segment file, trusting nothing in it.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_SEGMENT_SCAN_H_
#define RIVERMEET_EVENTLOG_INTERNAL_SEGMENT_SCAN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "eventlog/internal/record_format.h"
#include "eventlog/internal/segment_index.h"
#include "files/file_system.h"

namespace rivermeet::eventlog::internal {

// Extends `index` by the records from index.data_end on, as long as they are whole, in order and below
// `stop_before`. True when it ended at the end of the file or at `stop_before`, false at a bad record, which is at
// index.data_end.
//
// Errors:
//   UNAVAILABLE  The disk failed.
absl::StatusOr<bool> ScanSegment(const files::ReadFile& file, const SegmentHeader& header, Offset stop_before,
                                 SegmentIndex& index);

// What lies at `position`, where a record with offset `expected` should be and none is.
struct BadTail {
  bool torn = false;  // what a crash leaves, and nothing that was ever acknowledged
  std::string reason;
};
absl::StatusOr<BadTail> ClassifyTail(const files::ReadFile& file, const SegmentHeader& header, int64_t position,
                                     Offset expected);

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_SEGMENT_SCAN_H_
