// The rows of users, sessions, keys and tickets. Statements only: the rules are AuthService's.
#ifndef RIVERMEET_AUTH_IDENTITY_STORE_H_
#define RIVERMEET_AUTH_IDENTITY_STORE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "authn/principal.h"
#include "catalog/database.h"

namespace rivermeet::auth {

struct User {
  std::string id;
  std::string tenant;
  std::string name;
  authn::Role role = authn::Role::kNone;
  std::string password_hash;
  bool must_change_password = false;
  absl::Time created;
};

struct Session {
  std::string id;
  std::string user_id;
  absl::Time expires;
};

// A refresh token with its session and user, as they are now.
struct RefreshRow {
  Session session;
  User user;
  std::optional<absl::Time> used;
  bool revoked = false;
};

struct ApiKeyRow {
  std::string id;
  std::string tenant;
  std::string name;
  authn::Role role = authn::Role::kNone;
  std::string secret_hash;
  std::string created_by;
  absl::Time created;
  std::optional<absl::Time> expires;
  std::optional<absl::Time> last_used;
  bool revoked = false;

  bool IsGood(absl::Time now) const { return !revoked && (!expires || now < *expires); }
};

struct TicketRow {
  std::string subject;
  std::string tenant;
  std::string session;
  absl::Time expires;
};

// Each of these is part of the caller's transaction; errors are those of Transaction::Execute().

absl::StatusOr<std::optional<User>> FindUser(catalog::Transaction& transaction, std::string_view tenant,
                                             std::string_view name);
// The same, and holds the row until the commit.
absl::StatusOr<std::optional<User>> LockUser(catalog::Transaction& transaction, std::string_view id);
absl::StatusOr<std::vector<User>> ListUsers(catalog::Transaction& transaction, std::string_view tenant);
absl::Status InsertUser(catalog::Transaction& transaction, const User& user);
absl::Status SetPassword(catalog::Transaction& transaction, std::string_view user_id, std::string_view hash,
                         bool must_change, absl::Time now);
// Only the stored form changes, not the password.
absl::Status Rehash(catalog::Transaction& transaction, const User& user, std::string_view hash);
absl::StatusOr<std::string> TenantName(catalog::Transaction& transaction, std::string_view tenant);

absl::Status InsertSession(catalog::Transaction& transaction, const Session& session, absl::Time now);
absl::Status ExtendSession(catalog::Transaction& transaction, const Session& session);
absl::Status RevokeSession(catalog::Transaction& transaction, std::string_view id, std::string_view because,
                           absl::Time now);
absl::Status RevokeSessionsOf(catalog::Transaction& transaction, std::string_view user_id, std::string_view because,
                              absl::Time now);
absl::StatusOr<bool> SessionIsLive(catalog::Transaction& transaction, std::string_view id, absl::Time now);
absl::Status InsertRefreshToken(catalog::Transaction& transaction, std::string_view hash, std::string_view session,
                                absl::Time now);
absl::Status MarkRefreshTokenUsed(catalog::Transaction& transaction, std::string_view hash, absl::Time now);
// False when there is no such token, too.
absl::StatusOr<bool> RefreshTokenIsUnused(catalog::Transaction& transaction, std::string_view hash);
// Holds token and session until the commit: of two uses at a time the second sees the first.
absl::StatusOr<std::optional<RefreshRow>> LockRefreshToken(catalog::Transaction& transaction, std::string_view hash);

absl::Status InsertApiKey(catalog::Transaction& transaction, const ApiKeyRow& key);
absl::StatusOr<std::optional<ApiKeyRow>> FindApiKey(catalog::Transaction& transaction, std::string_view id);
// Those that are not revoked, newest first; only those made by `created_by` unless it is empty.
absl::StatusOr<std::vector<ApiKeyRow>> ListApiKeys(catalog::Transaction& transaction, std::string_view tenant,
                                                   std::string_view created_by);
absl::Status RevokeApiKey(catalog::Transaction& transaction, std::string_view id, absl::Time now);
absl::Status TouchApiKey(catalog::Transaction& transaction, std::string_view id, absl::Time now);

absl::Status InsertTicket(catalog::Transaction& transaction, std::string_view hash, const TicketRow& ticket);
// Gone with this: a ticket works once.
absl::StatusOr<std::optional<TicketRow>> TakeTicket(catalog::Transaction& transaction, std::string_view hash);

// Ids of the sessions and API keys that were ended after `since`.
absl::StatusOr<std::vector<std::string>> EndedSince(catalog::Transaction& transaction, absl::Time since);

// Removes what ended before `now`: tickets, and sessions a day after their end.
absl::Status RemoveExpired(catalog::Transaction& transaction, absl::Time now);

// One row of the audit log. `actor` is a user's or key's id, or "system".
absl::Status Audit(catalog::Transaction& transaction, std::string_view tenant, std::string_view actor,
                   std::string_view action, std::string_view target, std::string_view detail = "");

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_IDENTITY_STORE_H_
