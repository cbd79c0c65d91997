// A log that fails as logs do, by chance from a seed: for tests of whoever appends and reads.
#ifndef RIVERMEET_EVENTLOG_FAULTY_EVENT_LOG_H_
#define RIVERMEET_EVENTLOG_FAULTY_EVENT_LOG_H_

#include <cstdint>
#include <memory>
#include <random>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "eventlog/event_log.h"

namespace rivermeet::eventlog {

// Probabilities, 0 to 1, of what happens to an append. At most one of the first four does.
struct LogFaults {
  double unavailable = 0;       // UNAVAILABLE, nothing appended
  double unclear_done = 0;      // DEADLINE_EXCEEDED, and the record is in the log
  double unclear_lost = 0;      // DEADLINE_EXCEEDED, and it isn't
  double duplicated = 0;        // in the log twice; the second offset is answered
  double delayed = 0;           // the answer comes late, at most by max_delay and never after the deadline
  double read_unavailable = 0;  // a Read() answers UNAVAILABLE; its position stays
  absl::Duration max_delay = absl::Milliseconds(20);
};

namespace internal {
class TimerThread;
}  // namespace internal

// Thread-safe. Without faults it is the log that it wraps. The choices of one thread's appends depend on the seed
// alone.
class FaultyEventLog final : public EventLog {
 public:
  FaultyEventLog(std::unique_ptr<EventLog> log, uint64_t seed, LogFaults faults);
  ~FaultyEventLog() override;

  // From now on.
  void SetFaults(LogFaults faults);
  // How often something was done to an append or a read.
  int64_t injected() const;

  uint32_t partitions() const override;
  std::string identity() const override;
  void Append(PartitionId partition, Record record, absl::Time deadline, Done done) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(PartitionId partition, Offset from) override;
  absl::StatusOr<OffsetRange> Range(PartitionId partition, absl::Time deadline) override;
  absl::Status DeleteBefore(PartitionId partition, Offset offset) override;
  LogStats Stats() const override;
  void Stop(absl::Time deadline) override;

 private:
  class Reader;
  enum class Fault { kNone, kUnavailable, kUnclearDone, kUnclearLost, kDuplicated };
  struct Choice {
    Fault fault = Fault::kNone;
    absl::Duration delay;
  };

  Choice Choose();
  bool ChooseReadFault();

  mutable Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  LogFaults faults_ ABSL_GUARDED_BY(mutex_);
  int64_t injected_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<internal::TimerThread> timer_;
  std::unique_ptr<EventLog> log_;  // gone first: its callbacks use the timer
};

}  // namespace rivermeet::eventlog

#endif  // RIVERMEET_EVENTLOG_FAULTY_EVENT_LOG_H_
