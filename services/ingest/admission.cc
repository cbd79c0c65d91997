#include "ingest/admission.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "events/limits.h"

namespace rivermeet::ingest {
namespace {

constexpr char kRetryAfter[] = "rivermeet/retry-after-ms";

}  // namespace

absl::Status Exhausted(std::string_view message, absl::Duration retry_after) {
  absl::Status status = absl::ResourceExhaustedError(ToAbsl(message));
  status.SetPayload(kRetryAfter,
                    absl::Cord(std::to_string(std::max<int64_t>(1, absl::ToInt64Milliseconds(retry_after)))));
  return status;
}

absl::Duration RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfter);
  int64_t milliseconds = 0;
  if (!payload.has_value() || !ParseNumber(std::string(*payload), milliseconds)) return absl::ZeroDuration();
  return absl::Milliseconds(milliseconds);
}

absl::StatusOr<ByteBudget::Share> ByteBudget::Take(size_t bytes) {
  const size_t before = used_.fetch_add(bytes);
  if (before + bytes <= limit_) return Share(this, bytes);
  used_.fetch_sub(bytes);
  return Exhausted(fmt::format("{} bytes are under way and {} more are over the limit of {}: retry after a pause",
                               before, bytes, limit_),
                   absl::Milliseconds(200));
}

EventQuotas::EventQuotas(uint64_t events_per_second, const Clock& clock)
    : rate_(static_cast<double>(events_per_second)),
      size_(std::max(rate_, static_cast<double>(events::kMaxBatchEvents))),
      clock_(clock) {}

absl::Status EventQuotas::Take(std::string_view tenant, uint64_t events) {
  if (rate_ == 0 || events == 0) return absl::OkStatus();
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  auto found = buckets_.find(tenant);
  if (found == buckets_.end()) found = buckets_.emplace(std::string(tenant), Bucket{size_, now}).first;
  Bucket& bucket = found->second;
  bucket.tokens = std::min(size_, bucket.tokens + absl::ToDoubleSeconds(now - bucket.filled) * rate_);
  bucket.filled = now;
  // A body of more events than the bucket holds is let through when it is full, and paid for afterwards.
  const double needed = std::min(static_cast<double>(events), size_);
  if (bucket.tokens < needed) {
    const absl::Duration wait = absl::Seconds((needed - bucket.tokens) / rate_);
    return Exhausted(fmt::format("the tenant's limit is {:.0f} events a second: retry in {}", rate_,
                                 absl::FormatDuration(absl::Ceil(wait, absl::Milliseconds(1)))),
                     wait);
  }
  bucket.tokens -= static_cast<double>(events);
  return absl::OkStatus();
}

}  // namespace rivermeet::ingest
