// AuthService's rules for users.
#include "auth/auth_service.h"
#include "authn/password.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::auth {

using authn::Principal;
using catalog::Transaction;

absl::StatusOr<std::vector<User>> AuthService::ListUsers(const Principal& caller, absl::Time deadline) {
  std::vector<User> users;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(users, auth::ListUsers(transaction, caller.tenant));
    return absl::OkStatus();
  }));
  return users;
}

absl::StatusOr<std::string> AuthService::CreateUser(const Principal& caller, std::string_view name, authn::Role role,
                                                    User* created, absl::Time deadline) {
  User user;
  RM_ASSIGN_OR_RETURN(user.name, UserName(name));
  if (role == authn::Role::kNone) return absl::InvalidArgumentError("role: viewer, editor or admin");
  if (role > caller.role) return absl::PermissionDeniedError("role: above your own");
  const std::string password = authn::OneTimePassword();
  user.id = NewUuid();
  user.tenant = caller.tenant;
  user.role = role;
  user.must_change_password = true;
  user.created = clock_.Now();
  RM_ASSIGN_OR_RETURN(user.password_hash, hasher_.Hash(password, deadline));
  const absl::Status status = database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(InsertUser(transaction, user));
    return Audit(transaction, caller.tenant, caller.subject, "user.create", user.id, authn::RoleName(role));
  });
  if (absl::IsAlreadyExists(status)) return absl::AlreadyExistsError("there is a user of that name");
  RM_RETURN_IF_ERROR(status);
  if (created != nullptr) *created = user;
  return password;
}

absl::StatusOr<std::string> AuthService::ResetPassword(const Principal& caller, std::string_view name,
                                                       absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const std::string user_name, UserName(name));
  const std::string password = authn::OneTimePassword();
  RM_ASSIGN_OR_RETURN(const std::string hash, hasher_.Hash(password, deadline));
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::optional<User> user, FindUser(transaction, caller.tenant, user_name));
    if (!user) return absl::NotFoundError("there is no user of that name");
    RM_RETURN_IF_ERROR(SetPassword(transaction, user->id, hash, true, clock_.Now()));
    RM_RETURN_IF_ERROR(RevokeSessionsOf(transaction, user->id, "password reset", clock_.Now()));
    return Audit(transaction, caller.tenant, caller.subject, "password.reset", user->id);
  }));
  return password;
}

}  // namespace rivermeet::auth
