#include "query/timer_queue.h"

#include <utility>

namespace rivermeet::query {

TimerQueue::TimerQueue(const Clock& clock) : clock_(clock), thread_([this] { Run(); }) {}

TimerQueue::~TimerQueue() { Stop(); }

void TimerQueue::After(absl::Duration delay, std::function<void()> action) {
  MutexLock lock(mutex_);
  if (stopped_) return;
  const auto added = actions_.emplace(clock_.MonotonicNow() + delay, std::move(action));
  if (added == actions_.begin()) changed_.NotifyOne();
}

void TimerQueue::Stop() {
  std::multimap<absl::Duration, std::function<void()>> dropped;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    dropped.swap(actions_);
    changed_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

void TimerQueue::Run() {
  mutex_.Lock();
  while (!stopped_) {
    if (actions_.empty()) {
      changed_.Wait(mutex_);
      continue;
    }
    const absl::Duration wait = actions_.begin()->first - clock_.MonotonicNow();
    if (wait > absl::ZeroDuration()) {
      changed_.WaitFor(mutex_, wait);
      continue;
    }
    const std::function<void()> action = std::move(actions_.begin()->second);
    actions_.erase(actions_.begin());
    mutex_.Unlock();
    action();
    mutex_.Lock();
  }
  mutex_.Unlock();
}

}  // namespace rivermeet::query
