#include "rpc/circuit_breaker.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/retry_after.h"
#include "testing/manual_clock.h"

namespace rivermeet::rpc {
namespace {

struct Fixture {
  testing::ManualClock clock;
  CircuitBreaker breaker{CircuitBreakerOptions(), clock};

  CircuitBreaker::Pass Enter() {
    auto pass = breaker.Enter();
    REQUIRE(pass.ok());
    return *std::move(pass);
  }
  void Unanswered(absl::Duration after = absl::Seconds(5)) {
    CircuitBreaker::Pass pass = Enter();
    clock.Advance(after);
    pass.Unanswered();
  }
};

TEST_CASE("five calls in a row without an answer open the circuit, one answer closes it", "[rpc]") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(fixture.breaker.open());
    fixture.Unanswered();
  }
  CHECK(fixture.breaker.open());
  const absl::Status refused = fixture.breaker.Enter().status();
  CHECK(absl::IsUnavailable(refused));
  CHECK(RetryAfter(refused) == absl::Seconds(1));

  fixture.clock.Advance(absl::Seconds(1));
  CircuitBreaker::Pass trying = fixture.Enter();
  CHECK(absl::IsUnavailable(fixture.breaker.Enter().status()));
  trying.Answered();
  CHECK_FALSE(fixture.breaker.open());
  CHECK(fixture.breaker.Enter().ok());
}

TEST_CASE("each try without an answer doubles the pause, up to the longest", "[rpc]") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) fixture.Unanswered();
  std::vector<absl::Duration> pauses;
  for (int i = 0; i < 7; ++i) {
    pauses.push_back(RetryAfter(fixture.breaker.Enter().status()));
    fixture.clock.Advance(pauses.back());
    fixture.Unanswered();
  }
  CHECK(pauses == std::vector<absl::Duration>{absl::Seconds(1), absl::Seconds(2), absl::Seconds(4), absl::Seconds(8),
                                              absl::Seconds(16), absl::Seconds(30), absl::Seconds(30)});
}

TEST_CASE("an answer in between, callers in a hurry and callers that leave open nothing", "[rpc]") {
  Fixture fixture;
  for (int i = 0; i < 20; ++i) {
    if (i % 4 == 3) fixture.Enter().Answered();
    fixture.Unanswered();
    fixture.Unanswered(absl::Milliseconds(10));
    fixture.Enter();
  }
  CHECK_FALSE(fixture.breaker.open());
}

TEST_CASE("calls from before it opened don't lengthen the pause", "[rpc]") {
  Fixture fixture;
  std::vector<CircuitBreaker::Pass> passes;
  for (int i = 0; i < 9; ++i) passes.push_back(fixture.Enter());
  fixture.clock.Advance(absl::Seconds(5));
  for (auto& pass : passes) pass.Unanswered();
  CHECK(RetryAfter(fixture.breaker.Enter().status()) == absl::Seconds(1));
}

TEST_CASE("a caller that tries and never comes back doesn't keep it open", "[rpc]") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) fixture.Unanswered();
  fixture.clock.Advance(absl::Seconds(1));
  const CircuitBreaker::Pass lost = fixture.Enter();
  fixture.clock.Advance(absl::Seconds(1));
  fixture.Enter().Answered();
  CHECK_FALSE(fixture.breaker.open());
}

TEST_CASE("no more calls at a time than the limit", "[rpc]") {
  testing::ManualClock clock;
  CircuitBreaker breaker({.max_outstanding = 2}, clock);
  auto first = breaker.Enter();
  {
    const auto second = breaker.Enter();
    CHECK(second.ok());
    CHECK(absl::IsResourceExhausted(breaker.Enter().status()));
  }
  CHECK(breaker.Enter().ok());
}

}  // namespace
}  // namespace rivermeet::rpc
