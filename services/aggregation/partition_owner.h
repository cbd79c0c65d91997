// One partition of the event log and what its records add up to.
//
// A thread of its own tails the log and folds. Readers and the snapshot writer take views under a lock that the fold
// holds a fraction of a millisecond at a time; everything they do with a view happens on their own thread.
#ifndef RIVERMEET_AGGREGATION_PARTITION_OWNER_H_
#define RIVERMEET_AGGREGATION_PARTITION_OWNER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aggregation/aggregation_metrics.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/manifest_store.h"
#include "eventlog/event_log.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"
#include "windows/partition_state.h"
#include "windows/state_image.h"

namespace rivermeet::aggregation {

// A stream's part in a partition at one moment: memory and segments fit together.
struct OwnedView {
  uint32_t partition = 0;
  uint64_t epoch = 0;
  int64_t through_offset = -1;
  // When the newest record of the partition was appended; kNoTime before the first.
  int64_t append_time_us = windows::kNoTime;
  // False when the partition has no record of the stream, or it is another tenant's; `stream` is empty then.
  bool has_stream = false;
  windows::StreamView stream;
  // Segments of the asked resolution that may hold windows of the range.
  std::vector<catalog::Segment> segments;
};

// What a snapshot has stored, to be dropped from memory.
struct StoredPart {
  uint64_t stream_id = 0;
  int64_t until_us = 0;
  std::shared_ptr<const windows::Carry> carry;
};

struct PartitionOwnerOptions {
  uint32_t partition = 0;
  uint64_t epoch = 0;
  eventlog::EventLog* log = nullptr;  // outlives the owner
  const Clock* clock = &Clock::System();
  size_t read_bytes = 4 << 20;
  // Memory of windows at which the fold asks for a snapshot that stores what is closed. At twice that it waits for it,
  // when more than so much is closed: windows that are open, and series, can't leave.
  uint64_t hot_bytes = uint64_t{1} << 30;
  // After so many bytes of log it asks for a snapshot.
  uint64_t snapshot_bytes = uint64_t{256} << 20;
};

// Thread-safe.
class PartitionOwner {
 public:
  // `state` and `manifest` are of the same moment. `on_change` is called on the fold's thread after each read of the
  // log that changed something, and must not block.
  PartitionOwner(PartitionOwnerOptions options, std::unique_ptr<windows::PartitionState> state,
                 std::vector<catalog::Segment> manifest, PartitionMetrics metrics, std::function<void()> on_change);
  ~PartitionOwner();

  void Start();
  // Instead of Start(): reads and folds up to `offset`, on this thread.
  void FoldThrough(int64_t offset);
  // Ends the fold after the record in hand. Waiters get UNAVAILABLE.
  void Stop();

  uint32_t partition() const { return options_.partition; }
  uint64_t epoch() const { return options_.epoch; }
  int64_t through_offset() const { return through_offset_.load(std::memory_order_acquire); }

  // Where the durable log ends now.
  absl::StatusOr<eventlog::Offset> LogEnd(absl::Time deadline);

  // Tells the metrics how much of the log is not folded. Asks the log, which may be on other machines: not on the
  // fold's thread.
  void MeasureLag(absl::Time deadline);

  // Until when it may answer, by the clock's MonotonicNow(); set at each renewal of its lease.
  void set_serves_until(absl::Duration monotonic);
  // Errors:
  //   FAILED_PRECONDITION  The lease has run out, or the owner has stopped: ask the partition's present owner.
  //   DATA_LOSS            The log is damaged where the fold stands.
  absl::Status CheckServing() const;

  // The panes in [from_us, to_us), and the segments of `resolution_us` with windows in [segments_from_us, to_us).
  OwnedView View(std::string_view tenant, uint64_t stream_id, int64_t from_us, int64_t to_us, int64_t segments_from_us,
                 int64_t resolution_us);
  // The stream's generation; 0 when there is no such stream.
  uint32_t Generation(uint64_t stream_id);
  // How often panes have been moved to segments.
  uint64_t stored_count() const { return stored_count_.load(std::memory_order_acquire); }
  // False when the partition has no record of the stream, or it is another tenant's.
  bool ReadLedger(std::string_view tenant, uint64_t stream_id, windows::Ledger& ledger);

  // Of the streams that it holds anything of.
  std::vector<uint64_t> StreamIds();
  // Lets go of streams that were deleted: of their state, their segments, and of what the log still brings of them.
  void Forget(const std::vector<uint64_t>& stream_ids);

  // Calls `done` once `offset` is folded (perhaps at once, on this thread), or with an error when the owner stops.
  // Returns a number for CancelWait().
  using Waiter = absl::AnyInvocable<void(const absl::Status&)>;
  uint64_t WaitFor(int64_t offset, Waiter done);
  // `done` is not called any more, unless it is being called now.
  void CancelWait(uint64_t id);
  size_t waiters() const;

  // For the snapshot writer. `pressed`: memory is short, store all that is closed.
  windows::StateImage Capture(bool& pressed);
  // The last one failed: makes one due again.
  void RetrySnapshot();
  // False when the owner stops.
  bool Pause(absl::Duration time);
  // Makes memory and manifest what the committed snapshot says.
  void Install(const std::vector<StoredPart>& stored, const std::vector<catalog::Segment>& added,
               const std::vector<catalog::Segment>& removed);
  std::vector<catalog::Segment> Manifest();
  // Waits until a snapshot is due: `interval` after the last one when anything was folded, or as soon as there is
  // too much log or memory. False when the owner stops.
  bool WaitForSnapshotTime(absl::Duration interval);

 private:
  void FoldLoop();
  // Whether the log has let go of what comes next: then the fold goes on where it begins now.
  bool PassOverRemoved();
  // Reads and folds until the log ends this reader; what ended it.
  absl::Status Tail(eventlog::LogReader& reader);
  void FoldRecords(const std::vector<eventlog::LogRecord>& records);
  windows::FoldOutcome FoldRecord(const eventlog::LogRecord& record, windows::Ledger& before, windows::Ledger& after);
  void CountOverSeriesLimit(const windows::Ledger& before, const windows::Ledger& after);
  void AfterFold(size_t bytes, int64_t append_time_us);
  void HoldBack();
  void FireWaiters();
  void LockForReader() ABSL_EXCLUSIVE_LOCK_FUNCTION(state_mutex_);

  const PartitionOwnerOptions options_;
  PartitionMetrics metrics_;
  const std::function<void()> on_change_;

  Mutex state_mutex_;
  std::unique_ptr<windows::PartitionState> state_ ABSL_GUARDED_BY(state_mutex_);
  std::vector<catalog::Segment> manifest_ ABSL_GUARDED_BY(state_mutex_);
  std::set<uint64_t> forgotten_ ABSL_GUARDED_BY(state_mutex_);
  // Readers that want the lock; the fold steps back for them.
  std::atomic<int> readers_waiting_{0};
  std::atomic<int64_t> through_offset_;
  std::atomic<uint64_t> stored_count_{0};
  std::atomic<int64_t> serves_until_ns_{INT64_MAX};
  // Of the fold's thread.
  absl::Time last_measured_ = absl::InfinitePast();
  events::v1::RecordHeader header_;
  events::v1::EventBatch batch_;

  struct Waiting {
    uint64_t id;
    int64_t offset;
    Waiter done;
  };
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<eventlog::LogReader> reader_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiting> waiters_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_waiter_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t bytes_since_snapshot_ ABSL_GUARDED_BY(mutex_) = 0;
  bool over_memory_ ABSL_GUARDED_BY(mutex_) = false;
  bool far_over_memory_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t installs_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_PARTITION_OWNER_H_
