// The appends of one partition between their callers and the thread that writes them.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_APPEND_QUEUE_H_
#define RIVERMEET_EVENTLOG_INTERNAL_APPEND_QUEUE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "eventlog/event_log.h"
#include "eventlog/internal/counters.h"
#include "eventlog/internal/record_format.h"
#include "eventlog/internal/timer_thread.h"

namespace rivermeet::eventlog::internal {

struct AppendQueueOptions {
  int64_t max_bytes = 0;
  int64_t max_group_bytes = 8 << 20;
  // A group this large is worth a sync of its own.
  int64_t full_group_bytes = 256 << 10;
  absl::Duration max_wait;
};

// Thread-safe; one thread takes. Every `done` is called exactly once: by Finish() on the taking thread, or on the
// timer's thread with the refusal or, at its deadline, with DEADLINE_EXCEEDED.
class AppendQueue {
 public:
  AppendQueue(AppendQueueOptions options, Counters& counters, TimerThread& timer)
      : options_(options), counters_(counters), timer_(timer) {}

  void Push(EncodedRecord record, absl::Time deadline, EventLog::Done done);

  // Waits for records, gathers a group of them and hands it over; empty once the queue is stopped and empty. The
  // group's outcome must be given to Finish() before the next Take().
  std::vector<EncodedRecord> Take();

  // The outcome of the group taken last: OK with the offset of its first record, or the error of all of them.
  void Finish(absl::StatusOr<Offset> first);

  // Later pushes are refused. What is queued is still handed out.
  void Close();

  // Refuses what is queued and not yet taken.
  void RefuseQueued();

 private:
  struct Waiter {
    absl::Time deadline;
    EventLog::Done done;  // empty once called
  };

  void Refuse(EventLog::Done done, absl::Status status) {
    timer_.RunSoon([done = std::move(done), status = std::move(status)]() mutable { done(status); });
  }
  void WatchDeadline(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expire();
  void WaitForGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AppendQueueOptions options_;
  Counters& counters_;
  TimerThread& timer_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<EncodedRecord> queue_ ABSL_GUARDED_BY(mutex_);
  // Of the group in flight, then of the queue, in order.
  std::deque<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // those in flight too
  int64_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time next_expiry_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Duration last_group_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  bool taker_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_APPEND_QUEUE_H_
