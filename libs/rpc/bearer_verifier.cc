#include "rpc/bearer_verifier.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/sha256.h"
#include "base/status.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/call.h"
#include "rpc/status.h"

namespace rivermeet::rpc {
namespace {

using auth::v1::AuthService;

constexpr std::string_view kKeyPrefix = "rm_";
constexpr absl::Duration kTimeout = absl::Seconds(5);

authn::KeySource JwksFrom(ChannelSource auth) {
  return [auth = std::move(auth)](absl::Time deadline) -> absl::StatusOr<authn::Published> {
    grpc::ClientContext context;
    PrepareCall(context, {.deadline = deadline}, kTimeout);
    auth::v1::GetJwksResponse response;
    RM_RETURN_IF_ERROR(FromGrpc(AuthService::NewStub(auth())->GetJwks(&context, {}, &response)));
    authn::Published published(std::move(*response.mutable_jwks()));
    published.ended.assign(response.ended().begin(), response.ended().end());
    return published;
  };
}

}  // namespace

BearerVerifier::BearerVerifier(BearerVerifierOptions options, ChannelSource auth, const Clock& clock)
    : options_(std::move(options)), auth_(auth), clock_(clock), jwt_(options_.jwt, JwksFrom(auth), clock) {}

absl::StatusOr<authn::Principal> BearerVerifier::Verify(std::string_view bearer, absl::Time deadline) {
  return bearer.starts_with(kKeyPrefix) ? VerifyKey(bearer, deadline) : jwt_.Verify(bearer, deadline);
}

// What the key was good for, when it was checked less than `age` ago and has not ended since.
std::optional<authn::Principal> BearerVerifier::Known(const std::string& digest, absl::Duration age,
                                                      absl::Time deadline) {
  std::optional<KnownKey> known;
  {
    MutexLock lock(mutex_);
    if (const auto found = keys_.find(digest); found != keys_.end()) known = found->second;
  }
  if (!known || clock_.MonotonicNow() - known->checked >= age) return std::nullopt;
  if (!jwt_.Recheck(known->principal, deadline).ok()) return std::nullopt;
  return std::move(known->principal);
}

absl::StatusOr<authn::Principal> BearerVerifier::VerifyKey(std::string_view key, absl::Time deadline) {
  const std::string digest = Sha256(key);
  if (auto known = Known(digest, options_.key_recheck, deadline)) return *std::move(known);
  // One caller asks for a key that was good; meanwhile, and while there is no answer, it goes on to be.
  bool is_asked = false;
  {
    MutexLock lock(mutex_);
    if (const auto found = keys_.find(digest); found != keys_.end()) {
      const absl::Duration now = clock_.MonotonicNow();
      is_asked = now - found->second.asked < options_.key_retry;
      if (!is_asked) found->second.asked = now;
    }
  }
  if (is_asked) {
    if (auto known = Known(digest, options_.key_grace, deadline)) return *std::move(known);
  }
  absl::StatusOr<authn::Principal> principal = AskAboutKey(key, deadline);
  if (principal.ok()) {
    Remember(digest, *principal);
  } else if (absl::IsUnauthenticated(principal.status())) {
    MutexLock lock(mutex_);
    keys_.erase(digest);
  } else if (auto known = Known(digest, options_.key_grace, deadline)) {
    return *std::move(known);
  }
  return principal;
}

absl::StatusOr<authn::Principal> BearerVerifier::AskAboutKey(std::string_view key, absl::Time deadline) {
  grpc::ClientContext context;
  PrepareCall(context, {.deadline = deadline}, kTimeout);
  auth::v1::ExchangeApiKeyRequest request;
  request.set_api_key(std::string(key));
  auth::v1::ExchangeApiKeyResponse response;
  RM_RETURN_IF_ERROR(FromGrpc(AuthService::NewStub(auth_())->ExchangeApiKey(&context, request, &response)));
  return jwt_.Verify(response.access_token(), deadline);
}

void BearerVerifier::Remember(const std::string& digest, const authn::Principal& principal) {
  MutexLock lock(mutex_);
  if (keys_.size() >= options_.max_keys && !keys_.contains(digest)) {
    keys_.erase(std::min_element(keys_.begin(), keys_.end(),
                                 [](const auto& a, const auto& b) { return a.second.checked < b.second.checked; }));
  }
  keys_.insert_or_assign(digest, KnownKey{principal, clock_.MonotonicNow(), clock_.MonotonicNow()});
}

}  // namespace rivermeet::rpc
