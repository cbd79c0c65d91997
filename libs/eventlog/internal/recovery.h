// What a partition's folder holds, found out and put right when the log is opened.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_RECOVERY_H_
#define RIVERMEET_EVENTLOG_INTERNAL_RECOVERY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "eventlog/internal/record_format.h"
#include "eventlog/internal/segment_index.h"
#include "files/file_system.h"

namespace rivermeet::eventlog::internal {

// A complete segment: nothing is appended to it any more.
struct SealedSegment {
  Offset base = 0;
  Offset end = 0;
  int64_t data_end = 0;
  int64_t last_time_us = 0;
};

struct OpenSegment {
  SegmentHeader header;
  SegmentIndex index;  // of all that is durable
  std::unique_ptr<files::AppendFile> file;
};

struct RecoveryOptions {
  files::FileSystem* fs = nullptr;
  const Clock* clock = nullptr;
  std::string folder;
  PartitionId partition = 0;
  bool cut_suspect_tail = false;
};

struct RecoveredPartition {
  std::vector<SealedSegment> sealed;  // by base
  OpenSegment active;
  int64_t cut_bytes = 0;
  // Sealed segments with something wrong: readers get DATA_LOSS there.
  std::vector<absl::Status> damage;
};

std::string SegmentPath(const std::string& folder, Offset base);
std::string IndexPath(const std::string& folder, Offset base);

// Makes an empty segment, durably, in place of one that may be there.
absl::StatusOr<OpenSegment> CreateSegment(const RecoveryOptions& options, Offset base);

// Reads what there is, removes what an interrupted step left, cuts a torn end and makes the rest durable. Scans only
// the last segment, from where its index ends, and complete ones that have lost their index.
//
// A torn end is what a crash during the last group commit leaves: a record that is not whole, at which the file ends
// or a sector holds only zeros, and after which nothing comes that was written once that record was durable. Any
// other bad record in the last segment is damage to acknowledged data.
//
// Errors:
//   DATA_LOSS  The last segment is damaged; the message names file and position. With `cut_suspect_tail` it is
//              copied to a file ending in ".damaged" and cut instead.
absl::StatusOr<RecoveredPartition> RecoverPartition(const RecoveryOptions& options);

// The index of a segment; one without entries when its file is missing or damaged.
SegmentIndex LoadIndex(const RecoveryOptions& options, Offset base);

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_RECOVERY_H_
