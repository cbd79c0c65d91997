#include "auth/login_limiter.h"

#include <algorithm>

namespace rivermeet::auth {

LoginLimiter::Table::Table(int limit, absl::Duration window, size_t max_entries)
    : limit_(limit), window_(window), max_entries_(max_entries) {}

LoginLimiter::Bucket* LoginLimiter::Table::Drained(std::string_view key, absl::Duration now) {
  const auto found = buckets_.find(key);
  if (found == buckets_.end()) return nullptr;
  Bucket& bucket = found->second;
  bucket.used = std::max(0.0, bucket.used - limit_ * absl::FDivDuration(now - bucket.seen, window_));
  bucket.seen = now;
  return &bucket;
}

bool LoginLimiter::Table::HasRoom(std::string_view key, absl::Duration now) {
  const Bucket* bucket = Drained(key, now);
  return bucket == nullptr || bucket->used + 1 <= limit_;
}

void LoginLimiter::Table::Add(std::string_view key, absl::Duration now) {
  if (Bucket* bucket = Drained(key, now); bucket != nullptr) {
    bucket->used += 1;
    return;
  }
  if (order_.size() >= max_entries_) {
    buckets_.erase(order_.front());
    order_.pop_front();
  }
  buckets_.emplace(std::string(key), Bucket{.used = 1, .seen = now});
  order_.emplace_back(key);
}

void LoginLimiter::Table::TakeBack(std::string_view key) {
  if (const auto found = buckets_.find(key); found != buckets_.end()) {
    found->second.used = std::max(0.0, found->second.used - 1);
  }
}

void LoginLimiter::Table::Forget(std::string_view key) {
  // Its place in the order stays, so that each bucket has one.
  if (const auto found = buckets_.find(key); found != buckets_.end()) found->second.used = 0;
}

LoginLimiter::LoginLimiter(LoginLimits limits, const Clock& clock)
    : clock_(clock),
      accounts_(limits.failures_per_account, limits.account_window, limits.max_entries),
      addresses_(limits.failures_per_address, limits.address_window, limits.max_entries) {}

bool LoginLimiter::Begin(std::string_view account, std::string_view address) {
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  if (!accounts_.HasRoom(account, now) || !addresses_.HasRoom(address, now)) return false;
  accounts_.Add(account, now);
  addresses_.Add(address, now);
  return true;
}

void LoginLimiter::Succeeded(std::string_view account, std::string_view address) {
  MutexLock lock(mutex_);
  accounts_.Forget(account);
  addresses_.TakeBack(address);
}

void LoginLimiter::Undo(std::string_view account, std::string_view address) {
  MutexLock lock(mutex_);
  accounts_.TakeBack(account);
  addresses_.TakeBack(address);
}

}  // namespace rivermeet::auth
