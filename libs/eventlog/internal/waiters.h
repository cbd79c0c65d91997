// Callbacks of appends that are under way, each called once: with its outcome, or at its deadline.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_WAITERS_H_
#define RIVERMEET_EVENTLOG_INTERNAL_WAITERS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "eventlog/event_log.h"
#include "eventlog/internal/counters.h"
#include "eventlog/internal/timer_thread.h"

namespace rivermeet::eventlog::internal {

// Thread-safe. Shared with the timer, which may call after the owner is gone.
class Waiters : public std::enable_shared_from_this<Waiters> {
 public:
  struct Waiter {
    absl::Time deadline;
    int64_t bytes = 0;
    EventLog::Done done;  // empty once called
  };

  Waiters(Counters& counters, TimerThread& timer) : counters_(counters), timer_(timer) {}

  // The waiter's number. Nothing, and `done` untouched, when with it more than `max_bytes` would wait.
  std::optional<uint64_t> Push(int64_t bytes, int64_t max_bytes, absl::Time deadline, EventLog::Done& done);

  // Removes it. Nothing when there is no such waiter.
  std::optional<Waiter> Take(uint64_t number);
  std::vector<Waiter> TakeAll();

  size_t size() const;

 private:
  void WatchDeadline(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expire();

  Counters& counters_;
  TimerThread& timer_;
  mutable Mutex mutex_;
  absl::flat_hash_map<uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Time next_expiry_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_WAITERS_H_
