// One thread that calls functions at their time: what a log does besides writing.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_TIMER_THREAD_H_
#define RIVERMEET_EVENTLOG_INTERNAL_TIMER_THREAD_H_

#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace rivermeet::eventlog::internal {

// Thread-safe. Times are wall times, as deadlines are; waiting survives a jump of the clock by at most a second.
class TimerThread {
 public:
  using Call = absl::AnyInvocable<void()>;

  TimerThread();
  // Calls what is left at once, whatever its time, but for what is to be repeated, then ends.
  ~TimerThread();

  void RunAt(absl::Time when, Call call);
  // Again and again, the first time after `period`, until this is destroyed.
  void RunEvery(absl::Duration period, Call call);
  void RunSoon(Call call) { RunAt(absl::InfinitePast(), std::move(call)); }

 private:
  void Run();
  void Schedule(absl::Time when, Call call, absl::Duration period) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  CondVar changed_;
  // By time, then by the order they came.
  struct Timed {
    Call call;
    absl::Duration period = absl::ZeroDuration();  // zero: once
  };
  std::map<std::pair<absl::Time, uint64_t>, Timed> calls_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_TIMER_THREAD_H_
