// Verifies access tokens: JWTs (RFC 7519) of the access token profile (RFC 9068), signed with RS256.
#ifndef RIVERMEET_AUTHN_JWT_VERIFIER_H_
#define RIVERMEET_AUTHN_JWT_VERIFIER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "authn/jwks.h"
#include "authn/principal.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace rivermeet::authn {

// What the issuer publishes.
struct Published {
  Published() = default;
  Published(std::string jwks) : jwks(std::move(jwks)) {}  // NOLINT(google-explicit-constructor)
  // A JSON Web Key Set (RFC 7517).
  std::string jwks;
  // Sessions and API keys that were ended before their tokens expire.
  std::vector<std::string> ended;
};

// Gives what is published now, for example by asking the auth service. Called by one thread at a time.
using KeySource = std::function<absl::StatusOr<Published>(absl::Time deadline)>;

struct JwtVerifierOptions {
  // `iss` must be this, exactly.
  std::string issuer = "rivermeet";
  // `aud` must be this or contain it.
  std::string audience = "rivermeet";
  // How far the clocks of two of our machines may differ: leeway for exp and nbf.
  absl::Duration leeway = absl::Seconds(5);
  // A longer token is refused unread.
  size_t max_token_bytes = 8192;
  // What was published is fetched again after this, by one caller, while the others go on with what is in hand: the
  // longest that a token of an ended session is taken for good.
  absl::Duration refresh_after = absl::Milliseconds(800);
  // The same for Recheck(), which says that something has ended; after a failure it waits `refresh_after`.
  absl::Duration recheck_after = absl::Milliseconds(200);
  // After a failure, and for a token with an unknown kid, it is fetched at most once in this time.
  absl::Duration refetch_pause = absl::Seconds(5);
  // What is in hand serves this long without the source; then every token is UNAVAILABLE.
  absl::Duration max_key_age = absl::Minutes(5);
};

// Thread-safe. Blocks up to 2 s while it has no keys at all, or for an unknown kid; otherwise one caller at a time
// fetches, for half a second at most, while the others go on.
class JwtVerifier final : public TokenVerifier {
 public:
  // `clock` outlives this.
  JwtVerifier(JwtVerifierOptions options, KeySource source, const Clock& clock = Clock::System());

  absl::StatusOr<Principal> Verify(std::string_view bearer, absl::Time deadline) override;
  absl::Status Recheck(const Principal& principal, absl::Time deadline) override;

  // Fetches the keys now: at start, so that the first call need not wait.
  //
  // Errors:
  //   UNAVAILABLE  The source failed, or what it gave is not a key set.
  absl::Status Refresh(absl::Time deadline);

 private:
  // After how long what is in hand is fetched again.
  struct Freshness {
    absl::Duration after;
    absl::Duration after_failure;
  };
  // What was fetched last. Immutable.
  struct State {
    std::string jwks;
    std::shared_ptr<const KeySet> keys;
    StringSet ended;
    absl::Duration fetched;
  };
  using StatePtr = std::shared_ptr<const State>;

  StatePtr Current() const;
  bool IsUsable(const StatePtr& state) const;
  absl::Status Fetch(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(fetching_);
  // What to verify a token with this kid by; an empty kid is any.
  absl::StatusOr<StatePtr> StateFor(std::string_view kid, const Freshness& freshness, absl::Time deadline);
  StatePtr Renewed(StatePtr state, const Freshness& freshness, absl::Time deadline);

  const JwtVerifierOptions options_;
  const KeySource source_;
  const Clock& clock_;
  // Held by the caller that fetches; taken before mutex_.
  Mutex fetching_;
  mutable Mutex mutex_;
  StatePtr state_ ABSL_GUARDED_BY(mutex_);
  absl::Duration tried_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_JWT_VERIFIER_H_
