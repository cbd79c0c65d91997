// One partition: its segment files, the thread that appends to them, and what readers need to know.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_PARTITION_LOG_H_
#define RIVERMEET_EVENTLOG_INTERNAL_PARTITION_LOG_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "eventlog/internal/append_queue.h"
#include "eventlog/internal/recovery.h"
#include "eventlog/local_event_log.h"

namespace rivermeet::eventlog::internal {

// Where a record is to be looked for.
struct Place {
  Offset segment = 0;         // the base of the segment
  SegmentIndex::Entry start;  // at or before the record
};

// How far a segment can be read.
struct SegmentExtent {
  Offset end = 0;
  int64_t data_end = 0;
  bool sealed = false;
  bool removed = false;  // by retention; an open file of it can still be read to its end
};

// Thread-safe.
class PartitionLog {
 public:
  static absl::StatusOr<std::unique_ptr<PartitionLog>> Open(const LocalEventLogOptions& options, PartitionId partition,
                                                            Counters& counters, TimerThread& timer,
                                                            std::vector<absl::Status>& damage);
  ~PartitionLog();

  // `record` is within the limits.
  void Append(Record record, absl::Time deadline, EventLog::Done done);

  OffsetRange Range() const;
  absl::Status DeleteBefore(Offset offset);
  absl::Status ApplyRetention();
  void CountDisk(LogStats& stats) const;

  void Close();
  // After Close(): waits until the queue is written, at most until `deadline`, refuses the rest and ends the thread.
  void Join(absl::Time deadline);

  // For readers.

  // False when there is nothing at `offset` by the deadline, or `cancelled` became true.
  bool WaitFor(Offset offset, absl::Time deadline, const std::atomic<bool>& cancelled);
  void WakeReaders();
  // OUT_OF_RANGE below the first offset, DATA_LOSS in a hole. Needs a durable record at `offset`.
  absl::StatusOr<Place> Locate(Offset offset) const;
  SegmentExtent ExtentOf(Offset segment) const;
  std::string PathOf(Offset segment) const { return SegmentPath(recovery_.folder, segment); }
  files::FileSystem& fs() const { return *recovery_.fs; }
  Counters& counters() const { return counters_; }

 private:
  PartitionLog(const LocalEventLogOptions& options, RecoveryOptions recovery, RecoveredPartition recovered,
               Counters& counters, TimerThread& timer);

  // All below until the next comment: the writing thread only.
  void Run();
  absl::StatusOr<Offset> Commit(const std::vector<EncodedRecord>& group);
  absl::Status Prepare(int64_t group_bytes);
  absl::Status Roll();
  std::string EncodeFrames(const std::vector<EncodedRecord>& group, SegmentIndex& index, int64_t& stored_bytes);
  absl::Status WriteGroup(const std::vector<EncodedRecord>& group, const std::string& frames);
  absl::Status SyncFile();
  absl::Status GiveUpFile(const absl::Status& why);
  void Publish(SegmentIndex index);
  void SaveIndex(const SegmentIndex& index, bool durably);

  absl::Status RemoveSegments(size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(removal_mutex_);

  const LocalEventLogOptions& options_;
  const RecoveryOptions recovery_;
  Counters& counters_;
  TimerThread& timer_;
  AppendQueue queue_;

  // The writing thread's own.
  std::unique_ptr<files::AppendFile> file_;
  SegmentHeader header_;
  SegmentIndex index_;        // like active_
  bool file_failed_ = false;  // no byte more goes to file_
  int64_t index_saved_at_ = 0;
  int64_t last_time_us_ = 0;

  mutable Mutex mutex_;
  CondVar readable_;
  CondVar ended_;
  std::vector<SealedSegment> sealed_ ABSL_GUARDED_BY(mutex_);
  SegmentIndex active_ ABSL_GUARDED_BY(mutex_);
  bool thread_ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Held while files are removed, so that two removals don't meet.
  Mutex removal_mutex_;
  std::thread thread_;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_PARTITION_LOG_H_
