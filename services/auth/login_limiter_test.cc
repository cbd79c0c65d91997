#include "auth/login_limiter.h"

#include <catch2/catch.hpp>

#include "testing/manual_clock.h"

namespace rivermeet::auth {
namespace {

TEST_CASE("failures are bounded by account and by address, and drain with time", "[auth]") {
  testing::ManualClock clock;
  LoginLimiter limiter({.failures_per_account = 3,
                        .account_window = absl::Minutes(3),
                        .failures_per_address = 5,
                        .address_window = absl::Minutes(1)},
                       clock);
  for (int i = 0; i < 3; ++i) CHECK(limiter.Begin("ada", "a"));
  CHECK_FALSE(limiter.Begin("ada", "a"));
  CHECK_FALSE(limiter.Begin("ada", "b"));
  CHECK(limiter.Begin("bob", "a"));
  CHECK(limiter.Begin("cyd", "a"));
  CHECK_FALSE(limiter.Begin("dan", "a"));
  clock.Advance(absl::Minutes(1));
  CHECK(limiter.Begin("ada", "a"));
  CHECK_FALSE(limiter.Begin("ada", "a"));
  // The wall clock has no say.
  clock.SetWall(clock.Now() + absl::Hours(1000));
  CHECK_FALSE(limiter.Begin("ada", "a"));
}

TEST_CASE("a success starts the account anew, an unclear try does not count", "[auth]") {
  testing::ManualClock clock;
  LoginLimiter limiter({.failures_per_account = 2}, clock);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(limiter.Begin("ada", "a"));
    limiter.Succeeded("ada", "a");
    REQUIRE(limiter.Begin("bob", "a"));
    limiter.Undo("bob", "a");
  }
}

TEST_CASE("names that come in any number cost bounded memory", "[auth]") {
  testing::ManualClock clock;
  LoginLimiter limiter({.failures_per_account = 1, .failures_per_address = 1, .max_entries = 100}, clock);
  for (int i = 0; i < 10'000; ++i) CHECK(limiter.Begin("user" + std::to_string(i), "address" + std::to_string(i)));
  CHECK_FALSE(limiter.Begin("user9999", "elsewhere"));
  CHECK(limiter.Begin("user0", "elsewhere"));
}

}  // namespace
}  // namespace rivermeet::auth
