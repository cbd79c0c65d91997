#include "ingest/admission.h"

#include <algorithm>

#include "base/retry_after.h"
#include "base/strings.h"
#include "events/limits.h"

namespace rivermeet::ingest {
absl::Status Exhausted(std::string_view message, absl::Duration retry_after) {
  return WithRetryAfter(absl::ResourceExhaustedError(ToAbsl(message)), retry_after);
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
      limiter_(rate_, std::max(rate_, static_cast<double>(events::kMaxBatchEvents)), clock) {}

absl::Status EventQuotas::Take(std::string_view tenant, uint64_t events) {
  if (rate_ == 0 || events == 0) return absl::OkStatus();
  const absl::Duration wait = limiter_.Take(tenant, static_cast<double>(events));
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  return Exhausted(fmt::format("the tenant's limit is {:.0f} events a second: retry in {}", rate_,
                               absl::FormatDuration(absl::Ceil(wait, absl::Milliseconds(1)))),
                   wait);
}

}  // namespace rivermeet::ingest
