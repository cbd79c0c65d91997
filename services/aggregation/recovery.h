// Where a partition's fold starts again.
#ifndef RIVERMEET_AGGREGATION_RECOVERY_H_
#define RIVERMEET_AGGREGATION_RECOVERY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aggregation/aggregation_metrics.h"
#include "catalog/manifest_store.h"
#include "catalog/snapshot_store.h"
#include "eventlog/event_log.h"
#include "objects/object_store.h"
#include "windows/partition_state.h"

namespace rivermeet::aggregation {

struct Recovered {
  std::unique_ptr<windows::PartitionState> state;
  // The segments that fit the state.
  std::vector<catalog::Segment> manifest;
  // Segments of snapshots that were passed over: the replay makes them anew, the next commit takes them out.
  std::vector<catalog::Segment> superseded;
  // The state's offset, when that isn't the newest snapshot's: the next commit takes out the snapshots beyond it too.
  int64_t replayed_from = INT64_MAX;
  // The newest committed snapshot's offset, good or not: no earlier one can be committed. 0 for none.
  int64_t committed_offset = 0;
  // Committed snapshots, newest first.
  std::vector<catalog::Snapshot> snapshots;
};

struct RecoverySources {
  eventlog::EventLog& log;
  objects::ObjectStore& objects;
  catalog::SnapshotStore& snapshots;
  catalog::ManifestStore& manifest;
};

// Until when the next step of a restore may take, asked before each: a restore takes as long as it has to, but nobody
// who ends it waits longer than for a step.
using StepDeadline = absl::FunctionRef<absl::Time()>;

// Reads the newest snapshot that is whole; a damaged one is named in the log, counted, put aside under
// "damaged/" and passed over. So is one that named a damaged segment which an older one and the log can make anew: the
// segments that can be are read, and their checksums looked at.
//
// Errors:
//   DATA_LOSS    No snapshot is whole, or the log no longer reaches back to one that is, or it ends before what was
//                folded from it; the message says what to restore.
//   UNAVAILABLE, DEADLINE_EXCEEDED  Catalog, store or log are away. Retry.
absl::StatusOr<Recovered> Recover(uint32_t partition, const RecoverySources& sources,
                                  const windows::FoldOptions& options, PartitionMetrics& metrics,
                                  StepDeadline deadline);

// Removes snapshot and segment objects of the partition's owners before `epoch` that no row refers to: left over from
// crashes. Only who got the lease with that epoch may call this, after it has; whoever gets the next one meanwhile
// loses nothing.
absl::Status RemoveOrphans(uint32_t partition, int64_t epoch, const RecoverySources& sources,
                           const Recovered& recovered, StepDeadline deadline);

// Object names.
std::string SnapshotFolder(uint32_t partition);
std::string SnapshotObject(uint32_t partition, int64_t offset, uint64_t epoch);
// Without the checksum's suffix.
std::string SegmentObject(const catalog::Segment& segment, uint64_t epoch);

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_RECOVERY_H_
