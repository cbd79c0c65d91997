#include "base/retry_after.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "base/strings.h"

namespace rivermeet {
namespace {

constexpr char kPayload[] = "rivermeet/retry-after-ms";

}  // namespace

absl::Status WithRetryAfter(absl::Status status, absl::Duration wait) {
  status.SetPayload(kPayload, absl::Cord(std::to_string(std::max<int64_t>(1, absl::ToInt64Milliseconds(wait)))));
  return status;
}

absl::Duration RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  int64_t milliseconds = 0;
  if (!payload.has_value() || !ParseNumber(std::string(*payload), milliseconds)) return absl::ZeroDuration();
  return absl::Milliseconds(milliseconds);
}

}  // namespace rivermeet
