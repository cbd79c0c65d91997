#include "rpc/circuit_breaker.h"

#include <algorithm>

#include "base/retry_after.h"

namespace rivermeet::rpc {

absl::StatusOr<CircuitBreaker::Pass> CircuitBreaker::Enter() {
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  if (pause_ > absl::ZeroDuration()) {
    if (now < try_at_) {
      return WithRetryAfter(absl::UnavailableError("it has stopped answering: retry after a pause"), try_at_ - now);
    }
    // One tries for all; if it gets no answer within another pause, the next one does.
    try_at_ = now + pause_;
  } else if (outstanding_ >= options_.max_outstanding) {
    return WithRetryAfter(absl::ResourceExhaustedError("too many calls are under way: retry after a pause"),
                          options_.first_pause);
  }
  ++outstanding_;
  return Pass(this, now);
}

void CircuitBreaker::Leave(absl::Duration began, Outcome outcome) {
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  --outstanding_;
  if (outcome == Outcome::kAnswered) {
    failures_ = 0;
    pause_ = absl::ZeroDuration();
    return;
  }
  if (outcome == Outcome::kGivenUp || now - began < options_.patience) return;
  const bool was_open = pause_ > absl::ZeroDuration();
  if (was_open && began < opened_) return;
  if (!was_open && ++failures_ < options_.failures) return;
  pause_ = was_open ? std::min(2 * pause_, options_.longest_pause) : options_.first_pause;
  opened_ = now;
  try_at_ = now + pause_;
}

bool CircuitBreaker::open() const {
  MutexLock lock(mutex_);
  return pause_ > absl::ZeroDuration();
}

}  // namespace rivermeet::rpc
