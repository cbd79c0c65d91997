// How long the receiver of an error should wait before it tries again, carried by the status itself.
#ifndef RIVERMEET_BASE_RETRY_AFTER_H_
#define RIVERMEET_BASE_RETRY_AFTER_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rivermeet {

// `status`, an error, that says to wait for `wait`; at least a millisecond.
absl::Status WithRetryAfter(absl::Status status, absl::Duration wait);

// What it says; zero when it says nothing.
absl::Duration RetryAfter(const absl::Status& status);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_RETRY_AFTER_H_
