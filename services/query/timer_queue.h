// Things to do later, on one thread.
#ifndef RIVERMEET_QUERY_TIMER_QUEUE_H_
#define RIVERMEET_QUERY_TIMER_QUEUE_H_

#include <functional>
#include <map>
#include <thread>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace rivermeet::query {

// Thread-safe. Actions run one after the other and must be quick. What is not due when the queue is stopped never runs.
class TimerQueue {
 public:
  explicit TimerQueue(const Clock& clock);
  ~TimerQueue();

  // Runs `action` once `delay` has passed.
  void After(absl::Duration delay, std::function<void()> action);
  // Returns once no action runs and none will.
  void Stop();

 private:
  void Run();

  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::multimap<absl::Duration, std::function<void()>> actions_ ABSL_GUARDED_BY(mutex_);  // by monotonic time
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_TIMER_QUEUE_H_
