// Verifies access tokens: JWTs (RFC 7519) of the access token profile (RFC 9068), signed with RS256.
#ifndef RIVERMEET_AUTHN_JWT_VERIFIER_H_
#define RIVERMEET_AUTHN_JWT_VERIFIER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "authn/jwks.h"
#include "authn/principal.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace rivermeet::authn {

// Gives the current JSON Web Key Set (RFC 7517), for example by asking the auth service. Called by one thread at a
// time.
using KeySource = std::function<absl::StatusOr<std::string>(absl::Time deadline)>;

struct JwtVerifierOptions {
  // `iss` must be this, exactly.
  std::string issuer = "rivermeet";
  // `aud` must be this or contain it.
  std::string audience = "rivermeet";
  // How far the clocks of two of our machines may differ: leeway for exp and nbf.
  absl::Duration leeway = absl::Seconds(5);
  // A longer token is refused unread.
  size_t max_token_bytes = 8192;
  // Keys older than this are fetched again when a token is checked; those in hand serve meanwhile.
  absl::Duration refresh_after = absl::Minutes(1);
  // A token with an unknown kid fetches the keys, at most once in this time.
  absl::Duration refetch_pause = absl::Seconds(5);
  // Keys serve this long without the source; then every token is UNAVAILABLE.
  absl::Duration max_key_age = absl::Minutes(5);
};

// Thread-safe. Blocks only while it has no keys at all, or for an unknown kid; otherwise one caller at a time fetches
// newer keys while the others go on.
class JwtVerifier final : public TokenVerifier {
 public:
  // `clock` outlives this.
  JwtVerifier(JwtVerifierOptions options, KeySource source, const Clock& clock = Clock::System());

  absl::StatusOr<Principal> Verify(std::string_view bearer, absl::Time deadline) override;

  // Fetches the keys now: at start, so that the first call need not wait.
  //
  // Errors:
  //   UNAVAILABLE  The source failed, or what it gave is not a key set.
  absl::Status Refresh(absl::Time deadline);

 private:
  std::shared_ptr<const KeySet> Keys() const;
  bool IsOlderThan(absl::Duration age) const;
  absl::Status Fetch(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(fetching_);
  absl::StatusOr<std::shared_ptr<const KeySet>> KeysFor(std::string_view kid, absl::Time deadline);

  const JwtVerifierOptions options_;
  const KeySource source_;
  const Clock& clock_;
  // Held by the caller that fetches; taken before mutex_.
  Mutex fetching_;
  mutable Mutex mutex_;
  std::shared_ptr<const KeySet> keys_ ABSL_GUARDED_BY(mutex_);
  absl::Duration fetched_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration tried_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_JWT_VERIFIER_H_
