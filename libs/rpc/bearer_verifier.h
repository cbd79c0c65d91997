// Verifies what callers send as bearer: access tokens and API keys.
#ifndef RIVERMEET_RPC_BEARER_VERIFIER_H_
#define RIVERMEET_RPC_BEARER_VERIFIER_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "authn/jwt_verifier.h"
#include "authn/principal.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"

namespace rivermeet::rpc {

// The auth service's channel. Asked for at each use, so that it may be set once the server runs.
using ChannelSource = std::function<std::shared_ptr<grpc::Channel>()>;

struct BearerVerifierOptions {
  authn::JwtVerifierOptions jwt;
  // An API key is traded again after this. A revoked one works no longer than jwt.refresh_after and a second.
  absl::Duration key_recheck = absl::Minutes(1);
  // While that fails, it is tried at most once in this time for each key.
  absl::Duration key_retry = absl::Seconds(1);
  // How long a key that was good goes on to work while the auth service is away.
  absl::Duration key_grace = absl::Minutes(5);
  // API keys remembered at a time; the least recently checked go first.
  size_t max_keys = 10'000;
};

// Access tokens are verified here, with the auth service's public keys; API keys ("rm_...") are traded for an access
// token there and remembered for a short time. Thread-safe.
class BearerVerifier final : public authn::TokenVerifier {
 public:
  // `clock` outlives this.
  BearerVerifier(BearerVerifierOptions options, ChannelSource auth, const Clock& clock = Clock::System());

  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time deadline) override;
  absl::Status Recheck(const authn::Principal& principal, absl::Time deadline) override {
    return jwt_.Recheck(principal, deadline);
  }

  // Fetches the public keys now, so that the first caller need not wait.
  absl::Status Refresh(absl::Time deadline) { return jwt_.Refresh(deadline); }

 private:
  struct KnownKey {
    authn::Principal principal;
    absl::Duration checked;
    absl::Duration asked;
  };

  std::optional<authn::Principal> Known(const std::string& digest, absl::Duration age, absl::Time deadline);
  absl::StatusOr<authn::Principal> VerifyKey(std::string_view key, absl::Time deadline);
  absl::StatusOr<authn::Principal> AskAboutKey(std::string_view key, absl::Time deadline);
  void Remember(const std::string& digest, const authn::Principal& principal);

  const BearerVerifierOptions options_;
  const ChannelSource auth_;
  const Clock& clock_;
  authn::JwtVerifier jwt_;
  Mutex mutex_;
  // By SHA-256 of the key: no secret stays in memory.
  StringMap<KnownKey> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_BEARER_VERIFIER_H_
