#include "base/rate_limiter.h"

#include <catch2/catch.hpp>

#include "testing/manual_clock.h"

namespace rivermeet {
namespace {

TEST_CASE("a burst goes through at once, the rest at the rate", "[base]") {
  testing::ManualClock clock;
  RateLimiter limiter(10, 2, clock);

  CHECK(limiter.Take("ada") == absl::ZeroDuration());
  CHECK(limiter.Take("ada") == absl::ZeroDuration());
  CHECK(limiter.Take("ada") == absl::Milliseconds(100));
  CHECK(limiter.Take("bob") == absl::ZeroDuration());
  clock.Advance(absl::Milliseconds(100));
  CHECK(limiter.Take("ada") == absl::ZeroDuration());
  CHECK(limiter.Take("ada") == absl::Milliseconds(100));
}

TEST_CASE("what costs more than a burst is let through when the bucket is full, and paid for afterwards", "[base]") {
  testing::ManualClock clock;
  RateLimiter limiter(10, 20, clock);

  CHECK(limiter.Take("ada", 50) == absl::ZeroDuration());
  CHECK(limiter.Take("ada", 50) == absl::Seconds(5));
  clock.Advance(absl::Seconds(5));
  CHECK(limiter.Take("ada", 50) == absl::ZeroDuration());
}

TEST_CASE("callers are remembered while they are behind, within a bound", "[base]") {
  testing::ManualClock clock;
  RateLimiter limiter(1, 1, clock);
  CHECK(limiter.Take("last", 1) == absl::ZeroDuration());
  clock.Advance(absl::Milliseconds(500));

  // As many more as there is room for, each full again by the time that room is needed; "last" spends once more.
  for (size_t i = 1; i < RateLimiter::kMaxKeys; ++i) limiter.Take(std::to_string(i), 0);
  CHECK(limiter.Take("last") == absl::Milliseconds(500));
  CHECK(limiter.Take("one more") == absl::ZeroDuration());
  CHECK(limiter.Take("last") == absl::Milliseconds(500));
}

}  // namespace
}  // namespace rivermeet
