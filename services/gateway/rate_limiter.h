// Token buckets by key: how many requests a caller may send.
#ifndef RIVERMEET_GATEWAY_RATE_LIMITER_H_
#define RIVERMEET_GATEWAY_RATE_LIMITER_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"

namespace rivermeet::gateway {

// Thread-safe. Remembers at most kMaxKeys callers; those that are least behind are forgotten first.
class RateLimiter {
 public:
  static constexpr size_t kMaxKeys = 100000;

  // `rate` tokens a second, `burst` at once.
  RateLimiter(double rate, double burst, const Clock& clock) : rate_(rate), burst_(burst), clock_(clock) {}

  // Takes a token; zero when there was one, else how long until there is.
  absl::Duration Take(std::string_view key);

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

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_RATE_LIMITER_H_
