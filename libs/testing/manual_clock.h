// A clock that stands still until a test moves it.
#ifndef RIVERMEET_TESTING_MANUAL_CLOCK_H_
#define RIVERMEET_TESTING_MANUAL_CLOCK_H_

#include "base/clock.h"
#include "base/mutex.h"

namespace rivermeet::testing {

// Thread-safe.
class ManualClock final : public Clock {
 public:
  // 2026-01-01T00:00:00Z, so that nothing in a test looks like the epoch.
  explicit ManualClock(absl::Time now = absl::FromUnixSeconds(1767225600)) : now_(now) {}

  absl::Time Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  absl::Duration MonotonicNow() const override {
    MutexLock lock(mutex_);
    return monotonic_;
  }

  // Both clocks move on.
  void Advance(absl::Duration by) {
    MutexLock lock(mutex_);
    now_ += by;
    monotonic_ += by;
  }

  // Only the wall clock moves, as when somebody sets it.
  void SetWall(absl::Time now) {
    MutexLock lock(mutex_);
    now_ = now;
  }

 private:
  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mutex_) = absl::Hours(1);
};

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_MANUAL_CLOCK_H_
