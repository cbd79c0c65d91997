#include "eventlog/internal/timer_thread.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace rivermeet::eventlog::internal {

TimerThread::TimerThread() : thread_([this] { Run(); }) {}

TimerThread::~TimerThread() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void TimerThread::Schedule(absl::Time when, Call call, absl::Duration period) {
  const auto added = calls_.emplace(std::pair(when, next_++), Timed{std::move(call), period}).first;
  if (added == calls_.begin()) changed_.NotifyAll();
}

void TimerThread::RunAt(absl::Time when, Call call) {
  MutexLock lock(mutex_);
  Schedule(when, std::move(call), absl::ZeroDuration());
}

void TimerThread::RunEvery(absl::Duration period, Call call) {
  MutexLock lock(mutex_);
  Schedule(absl::Now() + period, std::move(call), period);
}

void TimerThread::Run() {
  mutex_.Lock();
  while (true) {
    if (calls_.empty()) {
      if (stopping_) break;
      changed_.Wait(mutex_);
      continue;
    }
    const auto first = calls_.begin();
    const absl::Duration left = first->first.first - absl::Now();
    if (left > absl::ZeroDuration() && !stopping_) {
      // In steps, for the wall clock may be set.
      changed_.WaitFor(mutex_, std::min(left, absl::Seconds(1)));
      continue;
    }
    Timed due = std::move(first->second);
    calls_.erase(first);
    const bool repeats = due.period > absl::ZeroDuration();
    if (!repeats || !stopping_) {
      mutex_.Unlock();
      due.call();
      if (!repeats) due.call = nullptr;
      mutex_.Lock();
    }
    if (repeats && !stopping_) Schedule(absl::Now() + due.period, std::move(due.call), due.period);
  }
  mutex_.Unlock();
}

}  // namespace rivermeet::eventlog::internal
