#include "base/rate_limiter.h"

#include <algorithm>

namespace rivermeet {

absl::Duration RateLimiter::Take(std::string_view key, double cost) {
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  auto it = buckets_.find(key);
  if (it == buckets_.end()) {
    if (buckets_.size() >= kMaxKeys) ForgetFull(now);
    it = buckets_.emplace(std::string(key), Bucket{burst_, now}).first;
  }
  Bucket& bucket = it->second;
  bucket.tokens = std::min(burst_, bucket.tokens + absl::ToDoubleSeconds(now - bucket.at) * rate_);
  bucket.at = now;
  const double needed = std::min(cost, burst_);
  if (bucket.tokens < needed) return absl::Seconds((needed - bucket.tokens) / rate_);
  bucket.tokens -= cost;
  return absl::ZeroDuration();
}

// A full bucket says the same as none. When none is full, everybody starts anew: memory is bounded before fairness.
void RateLimiter::ForgetFull(absl::Duration now) {
  absl::erase_if(buckets_, [&](const auto& entry) {
    return entry.second.tokens + absl::ToDoubleSeconds(now - entry.second.at) * rate_ >= burst_;
  });
  if (buckets_.size() >= kMaxKeys) buckets_.clear();
}

}  // namespace rivermeet
