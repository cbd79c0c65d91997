// Writes a partition's snapshots and segments while its fold goes on.
#ifndef RIVERMEET_AGGREGATION_SNAPSHOTTER_H_
#define RIVERMEET_AGGREGATION_SNAPSHOTTER_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "aggregation/partition_owner.h"
#include "aggregation/recovery.h"
#include "catalog/snapshot_store.h"

namespace rivermeet::aggregation {

struct SnapshotterOptions {
  absl::Duration interval = absl::Seconds(10);
  // How long closed windows stay in memory, in event time.
  absl::Duration hot_age = absl::Minutes(5);
  // How long the log is kept beyond what a snapshot needs.
  absl::Duration log_retention = absl::Hours(1);
  // For segment files on their way to the object store; made when missing.
  std::string scratch_folder;
  absl::Duration timeout = absl::Seconds(60);
};

// The steps of one snapshot, each a crash point: segments are written and put, the state is put, one catalog
// transaction names them all; then memory lets go of what segments hold, and what nobody names any more is removed.
// A crash anywhere leaves the snapshot before or the one after, and at most objects that nobody names.
class Snapshotter {
 public:
  // How long a stream's rollups are kept; infinite for ever.
  using RetentionOf = std::function<absl::Duration(uint64_t stream_id)>;

  // `owner` and what `sources` names outlive this. `on_fenced` is called, once, on this object's thread when a commit
  // is refused because the partition is somebody else's.
  Snapshotter(SnapshotterOptions options, PartitionOwner& owner, RecoverySources sources, Recovered recovered,
              RetentionOf retention_of, PartitionMetrics metrics, std::function<void()> on_fenced);
  ~Snapshotter();

  void Start();
  // Ends the thread after the snapshot under way. The owner must have stopped.
  void Join();

  // Takes a snapshot now, on this thread; not while the thread runs.
  //
  // Errors:
  //   FAILED_PRECONDITION  The partition is somebody else's.
  //   UNAVAILABLE          The outcome of the last one isn't known: the next start finds out.
  //   Others               Nothing is lost; the next snapshot tries again.
  absl::Status Take(absl::Time deadline);

 private:
  struct Work;

  void Loop();
  absl::Status Write(windows::StateImage& image, bool press, Work& work, absl::Time deadline);
  absl::Status WriteSegments(windows::StateImage& image, bool press, Work& work, absl::Time deadline);
  absl::Status WriteStream(windows::StreamImage& stream, int64_t until_us, int64_t end_offset, Work& work,
                           absl::Time deadline);
  void Expire(const windows::StateImage& image, const std::vector<catalog::Segment>& manifest, Work& work);
  // Repeats the commit until its outcome is known, so that no other segments are ever made of the same records.
  absl::StatusOr<catalog::Committed> Commit(const catalog::SnapshotCommit& commit, Work& work, absl::Time deadline);
  // Removes what a snapshot that failed has written, so that repeating it doesn't fill the disk.
  void Discard(const Work& work);
  void CleanUp(const catalog::Committed& committed, const catalog::Snapshot& snapshot, absl::Time deadline);

  const SnapshotterOptions options_;
  PartitionOwner& owner_;
  const RecoverySources sources_;
  const RetentionOf retention_of_;
  PartitionMetrics metrics_;
  const std::function<void()> on_fenced_;
  std::vector<catalog::Segment> superseded_;
  int64_t replayed_from_;
  int64_t committed_offset_;
  // The owner ended before the outcome of a commit was known: another one could name the same records again.
  bool unclear_ = false;
  int64_t committed_through_ = -2;  // of the last one taken here
  // Committed snapshots, oldest first: their offsets and when.
  std::deque<std::pair<int64_t, absl::Time>> history_;
  std::thread thread_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_SNAPSHOTTER_H_
