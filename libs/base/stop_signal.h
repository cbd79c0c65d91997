// The end of an object's own threads: told once, and what they sleep on until then.
#ifndef RIVERMEET_BASE_STOP_SIGNAL_H_
#define RIVERMEET_BASE_STOP_SIGNAL_H_

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace rivermeet {

// Thread-safe. Whoever owns it calls Stop() and joins the threads that sleep on it.
class StopSignal {
 public:
  // Ends every sleep, those that begin later too. False when it was called before.
  bool Stop();

  // Sleeps until the clock's monotonic time `until`; false, at once, when it is time to stop.
  bool SleepUntil(absl::Duration until, const Clock& clock = Clock::System());
  bool SleepFor(absl::Duration duration);

 private:
  Mutex mutex_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_STOP_SIGNAL_H_
