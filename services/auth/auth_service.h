// The rules of signing in: who gets a token, for what, and how long. Knows no gRPC.
#ifndef RIVERMEET_AUTH_AUTH_SERVICE_H_
#define RIVERMEET_AUTH_AUTH_SERVICE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "auth/identity_store.h"
#include "auth/key_ring.h"
#include "auth/login_limiter.h"
#include "auth/password_hasher.h"
#include "authn/jwt_verifier.h"
#include "authn/principal.h"
#include "authn/signing_key.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/database.h"

namespace rivermeet::auth {

struct AuthOptions {
  authn::AccessTokenOptions tokens;
  absl::Duration access_lifetime = absl::Minutes(10);
  // Of a session without being used.
  absl::Duration refresh_lifetime = absl::Hours(24 * 14);
  absl::Duration ticket_lifetime = absl::Seconds(30);
  LoginLimits limits;
};

struct AccessToken {
  std::string token;
  absl::Time expires;
};

struct SignedIn {
  AccessToken access;
  std::string refresh_token;
  absl::Time refresh_expires;
  bool must_change_password = false;
};

struct Identity {
  std::string name;
  std::string tenant_name;
};

struct NewApiKey {
  ApiKeyRow key;
  // rm_<id>_<secret>, for the caller and nobody else.
  std::string secret;
};

// Thread-safe. Every call blocks until its deadline at most. Errors of all calls besides the named ones:
//   UNAVAILABLE, DEADLINE_EXCEEDED  The catalog does not answer. Retry.
//   INVALID_ARGUMENT                A value outside its bounds; the message names it.
// Every change writes a row of the audit log in its own transaction.
class AuthService {
 public:
  // All of them outlive this.
  AuthService(catalog::Database& database, KeyRing& keys, AuthOptions options, const Clock& clock);

  // Opens a session. `address` is where the caller is, for the limits.
  //
  // Errors:
  //   UNAUTHENTICATED     Wrong tenant, name or password: told alike, and in the same time.
  //   RESOURCE_EXHAUSTED  Too many failures of this account or address, or too many sign-ins at once. Wait a minute.
  absl::StatusOr<SignedIn> Login(std::string_view tenant, std::string_view name, std::string_view password,
                                 std::string_view address, absl::Time deadline);

  // Changes the caller's password (12 to 1,024 bytes), ends all their sessions and opens a new one.
  //
  // Errors:
  //   PERMISSION_DENIED   The caller is an API key, or `current` is wrong.
  //   RESOURCE_EXHAUSTED  As Login().
  absl::StatusOr<SignedIn> ChangePassword(const authn::Principal& caller, std::string_view current,
                                          std::string_view changed, std::string_view address, absl::Time deadline);

  // Trades a refresh token for the next pair. A second use is taken for theft and ends the whole session (RFC 9700
  // section 4.14), but for 10 s and until its successor is used it gives that same successor again: to a client whose
  // answer was lost, or whose other tab was first (docs/adr/0074).
  //
  // Errors:
  //   UNAUTHENTICATED  Unknown, used, expired or of an ended session: told alike. Sign in anew.
  absl::StatusOr<SignedIn> Refresh(std::string_view refresh_token, absl::Time deadline);

  // Ends the token's session. Not an error when there is none.
  absl::Status Logout(std::string_view refresh_token, absl::Time deadline);

  // The public keys, and what was ended that may still have tokens. Asked for by every process every second, so it is
  // read from the catalog at most four times a second; while the catalog is away (nothing can be ended then) the last
  // answer goes on.
  //
  // Errors:
  //   UNAVAILABLE  The keys have not been read yet.
  absl::StatusOr<authn::Published> Publish(absl::Time deadline);

  // Errors:
  //   UNAUTHENTICATED  The user or key is no more.
  absl::StatusOr<Identity> WhoAmI(const authn::Principal& caller, absl::Time deadline);

  // Errors:
  //   PERMISSION_DENIED  `role` is above the caller's own.
  absl::StatusOr<NewApiKey> CreateApiKey(const authn::Principal& caller, std::string_view name, authn::Role role,
                                         std::optional<absl::Time> expires, absl::Time deadline);

  // An admin sees the tenant's, others those they made.
  absl::StatusOr<std::vector<ApiKeyRow>> ListApiKeys(const authn::Principal& caller, absl::Time deadline);

  // Errors:
  //   NOT_FOUND  No such key that the caller may see.
  absl::Status RevokeApiKey(const authn::Principal& caller, std::string_view id, absl::Time deadline);

  // Errors:
  //   UNAUTHENTICATED  Unknown, wrong, revoked or expired: told alike.
  absl::StatusOr<AccessToken> ExchangeApiKey(std::string_view api_key, absl::Time deadline);

  // A ticket that opens one socket as the caller.
  absl::StatusOr<std::string> CreateTicket(const authn::Principal& caller, absl::Time deadline);

  // Errors:
  //   UNAUTHENTICATED  Unknown, used or expired, or its session or key has ended since: told alike.
  absl::StatusOr<AccessToken> RedeemTicket(std::string_view ticket, absl::Time deadline);

  absl::StatusOr<std::vector<User>> ListUsers(const authn::Principal& caller, absl::Time deadline);

  // Returns the user's one-time password.
  //
  // Errors:
  //   ALREADY_EXISTS  The tenant has a user of that name.
  absl::StatusOr<std::string> CreateUser(const authn::Principal& caller, std::string_view name, authn::Role role,
                                         User* created, absl::Time deadline);

  // Gives the user a new one-time password, returned, and ends their sessions.
  //
  // Errors:
  //   NOT_FOUND  The tenant has no such user.
  absl::StatusOr<std::string> ResetPassword(const authn::Principal& caller, std::string_view name, absl::Time deadline);

  // Removes ended sessions and tickets. Call every few minutes.
  absl::Status CleanUp(absl::Time deadline);

 private:
  absl::StatusOr<AccessToken> Issue(authn::Principal principal) const;
  absl::StatusOr<SignedIn> IssuePair(const User& user, const Session& session, std::string refresh_token) const;
  absl::StatusOr<bool> CheckPassword(const std::optional<User>& user, std::string_view tenant, std::string_view name,
                                     std::string_view password, std::string_view address, absl::Time deadline);
  absl::StatusOr<SignedIn> OpenSession(catalog::Transaction& transaction, const User& user) const;

  catalog::Database& database_;
  KeyRing& keys_;
  const AuthOptions options_;
  const Clock& clock_;
  PasswordHasher hasher_;
  LoginLimiter limiter_;
  // Held by the one caller that reads what has ended.
  Mutex reading_;
  Mutex mutex_;
  std::vector<std::string> ended_ ABSL_GUARDED_BY(mutex_);
  absl::Duration ended_read_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

// A user's name: 1 to 128 bytes of UTF-8 without control characters or space at its ends; ASCII letters count as lower
// case.
//
// Errors:
//   INVALID_ARGUMENT  It is not.
absl::StatusOr<std::string> UserName(std::string_view name);

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_AUTH_SERVICE_H_
