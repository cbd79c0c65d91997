// The event log in files of this machine.
#ifndef RIVERMEET_EVENTLOG_LOCAL_EVENT_LOG_H_
#define RIVERMEET_EVENTLOG_LOCAL_EVENT_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "eventlog/event_log.h"
#include "files/file_system.h"

namespace rivermeet::eventlog {

struct LocalEventLogOptions {
  std::string folder;           // where logs lie; made when missing
  std::string name = "events";  // this log's own folder below it
  uint32_t partitions = 4;      // 1 to 1024; may grow from one opening to the next, not shrink

  int64_t segment_bytes = 128 << 20;  // a file is closed once the next group would make it larger
  // An append that finds so many bytes waiting in its partition is refused. At least one record is always taken.
  int64_t max_queue_bytes = 64 << 20;
  // Syncs of a busy partition begin at least so far apart, so that small records share one; at most 2 ms. An
  // append that finds the partition idle never waits.
  absl::Duration max_group_wait = absl::Milliseconds(1);
  bool compress = true;  // LZ4: small payloads that shrink by an eighth, large ones that halve

  // Retention of each partition, by whole files, oldest first; 0: none. The newest file always stays.
  int64_t retention_bytes = 0;
  absl::Duration retention_age = absl::ZeroDuration();
  absl::Duration retention_check = absl::Seconds(10);

  // Opens a log whose last file is damaged, after copying what is cut to a file ending in ".damaged". Acknowledged
  // records may be among it: an operator's decision, never a default.
  bool cut_suspect_tail = false;

  // For tests that prove a lost write is noticed: groups are acknowledged without fdatasync. Also set by the
  // environment variable RIVERMEET_TEST_SKIP_FDATASYNC=1 when RIVERMEET_CRASH_RUN=1 is set too; never in a config.
  bool unsafe_skip_sync = false;

  files::FileSystem* fs = &files::FileSystem::Posix();  // outlives the log
  const Clock* clock = &Clock::System();                // outlives the log
};

namespace internal {
class PartitionLog;
class TimerThread;
struct Counters;
}  // namespace internal

// Each partition has a folder of segment files and a thread that writes and syncs its appends in groups; the format
// and what recovery does are in docs/formats/event-log.md. When fdatasync fails, the file is given up and the log goes
// on in a new one; what was in the failed group is answered with UNAVAILABLE once it can't come back, else with
// DEADLINE_EXCEEDED.
class LocalEventLog final : public EventLog {
 public:
  // Recovers what is there. Only the last file of each partition is scanned, from where its index ends.
  //
  // Errors:
  //   INVALID_ARGUMENT     An option is out of its range; the message names it.
  //   FAILED_PRECONDITION  Another process has the folder, or it has more partitions than asked for.
  //   DATA_LOSS            The end of a partition is damaged, as no crash does it; the message names file and
  //                        position. Restore the file, or accept the loss with `cut_suspect_tail`. Or the file that
  //                        says which log this is can't be right.
  //   RESOURCE_EXHAUSTED, UNAVAILABLE, PERMISSION_DENIED  The disk's answer.
  static absl::StatusOr<std::unique_ptr<LocalEventLog>> Open(LocalEventLogOptions options);
  ~LocalEventLog() override;

  uint32_t partitions() const override;
  std::string identity() const override { return identity_; }
  void Append(PartitionId partition, Record record, absl::Time deadline, Done done) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(PartitionId partition, Offset from) override;
  absl::StatusOr<OffsetRange> Range(PartitionId partition, absl::Time deadline) override;
  absl::Status DeleteBefore(PartitionId partition, Offset offset) override;
  LogStats Stats() const override;
  void Stop(absl::Time deadline) override;

  // What recovery found wrong in complete files: readers get DATA_LOSS there, everything else works.
  std::vector<absl::Status> Damage() const;

 private:
  LocalEventLog(LocalEventLogOptions options, std::unique_ptr<files::FileLock> lock);

  absl::Status CheckPartition(PartitionId partition) const;
  void ScheduleRetention();

  const LocalEventLogOptions options_;
  const std::unique_ptr<files::FileLock> lock_;
  std::string identity_;
  const std::unique_ptr<internal::Counters> counters_;
  std::unique_ptr<internal::TimerThread> timer_;  // gone before the partitions, whose functions it calls
  std::vector<std::unique_ptr<internal::PartitionLog>> partitions_;
  std::vector<absl::Status> damage_;
};

}  // namespace rivermeet::eventlog

#endif  // RIVERMEET_EVENTLOG_LOCAL_EVENT_LOG_H_
