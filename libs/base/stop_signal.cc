#include "base/stop_signal.h"

#include <utility>

namespace rivermeet {

bool StopSignal::Stop() {
  MutexLock lock(mutex_);
  changed_.NotifyAll();
  return !std::exchange(stopped_, true);
}

bool StopSignal::SleepUntil(absl::Duration until, const Clock& clock) {
  MutexLock lock(mutex_);
  while (!stopped_) {
    const absl::Duration left = until - clock.MonotonicNow();
    if (left <= absl::ZeroDuration()) return true;
    changed_.WaitFor(mutex_, left);
  }
  return false;
}

bool StopSignal::SleepFor(absl::Duration duration) { return SleepUntil(Clock::System().MonotonicNow() + duration); }

}  // namespace rivermeet
