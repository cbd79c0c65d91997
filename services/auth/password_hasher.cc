#include "auth/password_hasher.h"

#include "absl/time/clock.h"
#include "authn/password.h"
#include "base/status.h"

namespace rivermeet::auth {
namespace {

constexpr int kRunning = 2;
constexpr int kWaiting = 64;

}  // namespace

PasswordHasher::PasswordHasher() : nobody_(authn::HashPassword(authn::OneTimePassword()).value()) {}

absl::Status PasswordHasher::Enter(absl::Time deadline) {
  MutexLock lock(mutex_);
  if (waiting_ >= kWaiting)
    return absl::ResourceExhaustedError("too many sign-ins at the same time: try again shortly");
  ++waiting_;
  while (running_ >= kRunning && absl::Now() < deadline) freed_.WaitFor(mutex_, deadline - absl::Now());
  --waiting_;
  if (running_ >= kRunning) {
    return absl::DeadlineExceededError("the sign-in had to wait too long: try again shortly");
  }
  ++running_;
  return absl::OkStatus();
}

void PasswordHasher::Leave() {
  {
    MutexLock lock(mutex_);
    --running_;
  }
  freed_.NotifyOne();
}

absl::StatusOr<std::string> PasswordHasher::Hash(std::string_view password, absl::Time deadline) {
  RM_RETURN_IF_ERROR(Enter(deadline));
  absl::StatusOr<std::string> hash = authn::HashPassword(password);
  Leave();
  return hash;
}

absl::StatusOr<bool> PasswordHasher::Verify(std::string_view password, const std::string& stored, absl::Time deadline) {
  RM_RETURN_IF_ERROR(Enter(deadline));
  const bool same = authn::VerifyPassword(password, stored.empty() ? nobody_ : stored);
  Leave();
  return same && !stored.empty();
}

}  // namespace rivermeet::auth
