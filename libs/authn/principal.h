// Who a call comes from, as its verified token says.
#ifndef RIVERMEET_AUTHN_PRINCIPAL_H_
#define RIVERMEET_AUTHN_PRINCIPAL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rivermeet::authn {

// Ordered: each role may do all that the ones before it may.
enum class Role { kNone = 0, kViewer = 1, kEditor = 2, kAdmin = 3 };

// "viewer", "editor", "admin"; "none".
std::string_view RoleName(Role role);

// kNone for any other name.
Role RoleOf(std::string_view name);

struct Principal {
  std::string subject;  // the user's or the API key's id
  std::string tenant;   // the tenant's id; the only source of the tenant anywhere
  Role role = Role::kNone;
  std::string session;  // the session's id, empty for API keys
  // True while the user still has a one-time password: nothing but changing it is allowed.
  bool must_change_password = false;
  absl::Time expires = absl::InfinitePast();
};

// Turns a bearer token into its principal. Thread-safe; may block for a key look-up, at most until `deadline`.
class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;

  // Errors:
  //   UNAUTHENTICATED  Not a token of ours, expired, tampered with or revoked: told alike. Sign in anew.
  //   UNAVAILABLE      The keys can't be had right now. Retry.
  virtual absl::StatusOr<Principal> Verify(std::string_view bearer, absl::Time deadline) = 0;

  // Whether a principal that Verify() gave may go on: for what outlives one call, such as a socket or a stream. Ask
  // each second. A verifier that knows of no endings finds that everybody may.
  //
  // Errors:
  //   UNAUTHENTICATED  Its session or key was ended, or its token has expired. Close.
  //   UNAVAILABLE      As Verify().
  virtual absl::Status Recheck(const Principal& principal, absl::Time deadline);
};

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_PRINCIPAL_H_
