// Where time comes from. Injected everywhere, so that a test decides what time it is.
#ifndef RIVERMEET_BASE_CLOCK_H_
#define RIVERMEET_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace rivermeet {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock, UTC. It may jump; measure durations with MonotonicNow().
  virtual absl::Time Now() const = 0;

  // Time since an arbitrary start; never goes back.
  virtual absl::Duration MonotonicNow() const = 0;

  // The process's real clock; lives for ever.
  static const Clock& System();
};

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_CLOCK_H_
