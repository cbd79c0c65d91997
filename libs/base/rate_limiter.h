// Token buckets by key: how much a caller may send.
#ifndef RIVERMEET_BASE_RATE_LIMITER_H_
#define RIVERMEET_BASE_RATE_LIMITER_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"

namespace rivermeet {

// Thread-safe; never blocks. Remembers at most kMaxKeys callers; those whose bucket is full are forgotten first.
class RateLimiter {
 public:
  static constexpr size_t kMaxKeys = 100'000;

  // `rate` tokens a second, over 0, and `burst` at once. `clock` outlives this.
  RateLimiter(double rate, double burst, const Clock& clock) : rate_(rate), burst_(burst), clock_(clock) {}

  // Takes `cost` tokens of `key`'s bucket and returns zero, or takes none and returns how long until there are enough.
  // What costs more than `burst` is let through when the bucket is full, and paid for afterwards.
  absl::Duration Take(std::string_view key, double cost = 1);

 private:
  struct Bucket {
    double tokens;
    absl::Duration at;
  };
  void ForgetFull(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const double rate_;
  const double burst_;
  const Clock& clock_;
  Mutex mutex_;
  StringMap<Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_RATE_LIMITER_H_
