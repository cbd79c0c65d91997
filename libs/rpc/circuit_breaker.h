// Keeps a service that hangs from taking its callers with it: after some calls in a row without an answer, further
// ones are refused at once, until one that is let through is answered (Nygard, "Release It!", 2007).
//
// Only silence counts. A service that answers, whatever it says, is alive; one that can't be connected to is refused
// at once by gRPC itself.
#ifndef RIVERMEET_RPC_CIRCUIT_BREAKER_H_
#define RIVERMEET_RPC_CIRCUIT_BREAKER_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace rivermeet::rpc {

struct CircuitBreakerOptions {
  // Unanswered calls in a row that open it.
  int failures = 5;
  // A call that was given up sooner says nothing: its caller may just have been in a hurry.
  absl::Duration patience = absl::Seconds(1);
  // How long it stays open, doubled each time that the call let through is not answered either.
  absl::Duration first_pause = absl::Seconds(1);
  absl::Duration longest_pause = absl::Seconds(30);
  // Calls under way at a time.
  size_t max_outstanding = 10'000;
};

// One for each service that is called. Thread-safe; never blocks. Outlives its passes.
class CircuitBreaker {
 public:
  // A call under way; ends with one of the two, or with its life when nobody waited for the answer.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : breaker_(std::exchange(other.breaker_, nullptr)), began_(other.began_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (breaker_ != nullptr) breaker_->Leave(began_, Outcome::kGivenUp);
    }
    void Answered() { std::exchange(breaker_, nullptr)->Leave(began_, Outcome::kAnswered); }
    void Unanswered() { std::exchange(breaker_, nullptr)->Leave(began_, Outcome::kUnanswered); }

   private:
    friend class CircuitBreaker;
    Pass(CircuitBreaker* breaker, absl::Duration began) : breaker_(breaker), began_(began) {}
    CircuitBreaker* breaker_;
    absl::Duration began_;
  };

  // `clock` outlives this.
  CircuitBreaker(CircuitBreakerOptions options, const Clock& clock) : options_(options), clock_(clock) {}

  // Before each call.
  //
  // Errors, both with RetryAfter():
  //   UNAVAILABLE         It is open.
  //   RESOURCE_EXHAUSTED  Too many calls are under way.
  absl::StatusOr<Pass> Enter();

  // Whether calls are refused now, but for the one that tries.
  bool open() const;

 private:
  enum class Outcome { kAnswered, kUnanswered, kGivenUp };
  void Leave(absl::Duration began, Outcome outcome);

  const CircuitBreakerOptions options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  size_t outstanding_ ABSL_GUARDED_BY(mutex_) = 0;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  // Zero while closed.
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
  // While open: when the next call is let through.
  absl::Duration try_at_ ABSL_GUARDED_BY(mutex_);
  // What began before it opened has no say about whether it may close again.
  absl::Duration opened_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_CIRCUIT_BREAKER_H_
