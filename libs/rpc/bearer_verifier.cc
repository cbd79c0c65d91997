#include "rpc/bearer_verifier.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "base/status.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/call.h"
#include "rpc/status.h"

namespace rivermeet::rpc {
namespace {

using auth::v1::AuthService;

constexpr std::string_view kKeyPrefix = "rm_";
constexpr absl::Duration kTimeout = absl::Seconds(5);

std::string Digest(std::string_view key) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

authn::KeySource JwksFrom(ChannelSource auth) {
  return [auth = std::move(auth)](absl::Time deadline) -> absl::StatusOr<std::string> {
    grpc::ClientContext context;
    PrepareCall(context, {.deadline = deadline}, kTimeout);
    auth::v1::GetJwksResponse response;
    RM_RETURN_IF_ERROR(FromGrpc(AuthService::NewStub(auth())->GetJwks(&context, {}, &response)));
    return response.jwks();
  };
}

}  // namespace

BearerVerifier::BearerVerifier(BearerVerifierOptions options, ChannelSource auth, const Clock& clock)
    : options_(std::move(options)), auth_(auth), clock_(clock), jwt_(options_.jwt, JwksFrom(auth), clock) {}

absl::StatusOr<authn::Principal> BearerVerifier::Verify(std::string_view bearer, absl::Time deadline) {
  return bearer.starts_with(kKeyPrefix) ? VerifyKey(bearer, deadline) : jwt_.Verify(bearer, deadline);
}

absl::StatusOr<authn::Principal> BearerVerifier::VerifyKey(std::string_view key, absl::Time deadline) {
  const std::string digest = Digest(key);
  std::optional<KnownKey> known;
  {
    MutexLock lock(mutex_);
    if (const auto found = keys_.find(digest); found != keys_.end()) known = found->second;
  }
  const absl::Duration now = clock_.MonotonicNow();
  if (known && now - known->checked < options_.key_recheck) return known->principal;
  absl::StatusOr<authn::Principal> principal = AskAboutKey(key, deadline);
  if (principal.ok()) {
    Remember(digest, *principal);
  } else if (absl::IsUnauthenticated(principal.status())) {
    MutexLock lock(mutex_);
    keys_.erase(digest);
  } else if (known && now - known->checked < options_.key_grace) {
    return known->principal;
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
    keys_.erase(std::min_element(keys_.begin(), keys_.end(), [](const auto& a, const auto& b) {
      return a.second.checked < b.second.checked;
    }));
  }
  keys_.insert_or_assign(digest, KnownKey{principal, clock_.MonotonicNow()});
}

}  // namespace rivermeet::rpc
