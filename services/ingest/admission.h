// How much may come in: bytes in memory at a time, events a second of a tenant.
#ifndef RIVERMEET_INGEST_ADMISSION_H_
#define RIVERMEET_INGEST_ADMISSION_H_

#include <atomic>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/rate_limiter.h"

namespace rivermeet::ingest {

// RESOURCE_EXHAUSTED that says when to try again (base/retry_after.h).
absl::Status Exhausted(std::string_view message, absl::Duration retry_after);

// A budget of bytes. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(size_t limit) : limit_(limit) {}

  // A part of the budget, given back at the end of its life.
  class Share {
   public:
    Share() = default;
    Share(ByteBudget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    // Whether it is a part of anything.
    bool held() const { return budget_ != nullptr; }
    ~Share() {
      if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_);
    }

   private:
    ByteBudget* budget_ = nullptr;
    size_t bytes_ = 0;
  };

  // Errors:
  //   RESOURCE_EXHAUSTED  Too much is under way. Retry after a pause.
  absl::StatusOr<Share> Take(size_t bytes);
  size_t used() const { return used_.load(); }

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
};

// Each tenant's events a second; at once as many, or one batch's where that is more. Thread-safe.
class EventQuotas {
 public:
  // `events_per_second` 0: no limit. `clock` outlives this.
  EventQuotas(uint64_t events_per_second, const Clock& clock);

  // Errors:
  //   RESOURCE_EXHAUSTED  The tenant has sent its events for now; the message says the limit, RetryAfter() how long.
  absl::Status Take(std::string_view tenant, uint64_t events);

 private:
  const double rate_;
  RateLimiter limiter_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_ADMISSION_H_
