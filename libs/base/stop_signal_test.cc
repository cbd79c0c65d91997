#include "base/stop_signal.h"

#include <catch2/catch.hpp>
#include <thread>

namespace rivermeet {
namespace {

TEST_CASE("a sleep ends in its time, or with the signal and then at once", "[stop_signal]") {
  StopSignal signal;
  CHECK(signal.SleepFor(absl::Milliseconds(1)));
  CHECK(signal.SleepUntil(Clock::System().MonotonicNow()));
  bool woken_in_time = true;
  // Without the signal this would last for ever.
  std::thread sleeper([&] { woken_in_time = signal.SleepFor(absl::InfiniteDuration()); });
  CHECK(signal.Stop());
  sleeper.join();
  CHECK_FALSE(woken_in_time);
  CHECK_FALSE(signal.SleepFor(absl::Hours(1)));
  CHECK_FALSE(signal.Stop());
}

}  // namespace
}  // namespace rivermeet
