// How a test waits for what another thread brings about.
#ifndef RIVERMEET_TESTING_EVENTUALLY_H_
#define RIVERMEET_TESTING_EVENTUALLY_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rivermeet::testing {

// Whether `condition` comes true; false after `patience`, so that a test fails where it waits instead of hanging. Only
// for what nothing can be waited on for: it looks once a millisecond.
template <typename Condition>
bool Eventually(Condition condition, absl::Duration patience = absl::Seconds(20)) {
  const absl::Time until = absl::Now() + patience;
  while (!condition()) {
    if (absl::Now() > until) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_EVENTUALLY_H_
