#include "auth/identity_store.h"

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::auth {
namespace {

using catalog::Param;
using catalog::Result;
using catalog::Row;
using catalog::Transaction;

constexpr std::string_view kUser =
    "u.id, u.tenant, u.name, u.role, u.password_hash, u.must_change_password, u.created_at";
constexpr std::string_view kApiKey =
    "id, tenant, name, role, secret_hash, created_by, created_at, expires_at, last_used_at, revoked_at IS NOT NULL";

User UserAt(const Row& row, int column) {
  return User{.id = std::string(row.Text(column)),
              .tenant = std::string(row.Text(column + 1)),
              .name = std::string(row.Text(column + 2)),
              .role = authn::RoleOf(row.Text(column + 3)),
              .password_hash = std::string(row.Text(column + 4)),
              .must_change_password = row.Bool(column + 5),
              .created = row.Time(column + 6)};
}

ApiKeyRow ApiKeyOf(const Row& row) {
  return ApiKeyRow{.id = std::string(row.Text(0)),
                   .tenant = std::string(row.Text(1)),
                   .name = std::string(row.Text(2)),
                   .role = authn::RoleOf(row.Text(3)),
                   .secret_hash = row.Blob(4),
                   .created_by = std::string(row.Text(5)),
                   .created = row.Time(6),
                   .expires = row.MaybeTime(7),
                   .last_used = row.MaybeTime(8),
                   .revoked = row.Bool(9)};
}

std::optional<User> OneUser(const Result& rows) {
  if (rows.empty()) return std::nullopt;
  return UserAt(rows[0], 0);
}

}  // namespace

absl::StatusOr<std::optional<User>> FindUser(Transaction& transaction, std::string_view tenant, std::string_view name) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      transaction.Execute(fmt::format("SELECT {} FROM users u WHERE tenant = $1 AND name = $2", kUser),
                                          {tenant, name}));
  return OneUser(rows);
}

absl::StatusOr<std::optional<User>> LockUser(Transaction& transaction, std::string_view id) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      transaction.Execute(fmt::format("SELECT {} FROM users u WHERE id = $1 FOR UPDATE", kUser), {id}));
  return OneUser(rows);
}

absl::StatusOr<std::vector<User>> ListUsers(Transaction& transaction, std::string_view tenant) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute(fmt::format("SELECT {} FROM users u WHERE tenant = $1 ORDER BY name", kUser), {tenant}));
  std::vector<User> users;
  for (const Row row : rows) users.push_back(UserAt(row, 0));
  return users;
}

absl::Status InsertUser(Transaction& transaction, const User& user) {
  return transaction
      .Execute(
          "INSERT INTO users (id, tenant, name, role, password_hash, must_change_password, created_at,"
          " password_changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
          {user.id, user.tenant, user.name, authn::RoleName(user.role), user.password_hash, user.must_change_password,
           user.created})
      .status();
}

absl::Status SetPassword(Transaction& transaction, std::string_view user_id, std::string_view hash, bool must_change,
                         absl::Time now) {
  return transaction
      .Execute("UPDATE users SET password_hash = $2, must_change_password = $3, password_changed_at = $4 WHERE id = $1",
               {user_id, hash, must_change, now})
      .status();
}

absl::Status Rehash(Transaction& transaction, const User& user, std::string_view hash) {
  return transaction
      .Execute("UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash = $3",
               {user.id, hash, user.password_hash})
      .status();
}

absl::StatusOr<std::string> TenantName(Transaction& transaction, std::string_view tenant) {
  RM_ASSIGN_OR_RETURN(const Result rows, transaction.Execute("SELECT name FROM tenants WHERE id = $1", {tenant}));
  return rows.empty() ? std::string() : std::string(rows[0].Text(0));
}

absl::Status InsertSession(Transaction& transaction, const Session& session, absl::Time now) {
  return transaction
      .Execute("INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
               {session.id, session.user_id, now, session.expires})
      .status();
}

absl::Status ExtendSession(Transaction& transaction, const Session& session) {
  return transaction.Execute("UPDATE sessions SET expires_at = $2 WHERE id = $1", {session.id, session.expires})
      .status();
}

absl::Status RevokeSession(Transaction& transaction, std::string_view id, std::string_view because, absl::Time now) {
  return transaction
      .Execute("UPDATE sessions SET revoked_at = $2, revoked_because = $3 WHERE id = $1 AND revoked_at IS NULL",
               {id, now, because})
      .status();
}

absl::Status RevokeSessionsOf(Transaction& transaction, std::string_view user_id, std::string_view because,
                              absl::Time now) {
  return transaction
      .Execute("UPDATE sessions SET revoked_at = $2, revoked_because = $3 WHERE user_id = $1 AND revoked_at IS NULL",
               {user_id, now, because})
      .status();
}

absl::StatusOr<bool> SessionIsLive(Transaction& transaction, std::string_view id, absl::Time now) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute("SELECT 1 FROM sessions WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2",
                          {id, now}));
  return !rows.empty();
}

absl::Status InsertRefreshToken(Transaction& transaction, std::string_view hash, std::string_view session,
                                absl::Time now) {
  return transaction
      .Execute("INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES ($1, $2, $3)",
               {Param::Blob(hash), session, now})
      .status();
}

absl::Status MarkRefreshTokenUsed(Transaction& transaction, std::string_view hash, absl::Time now) {
  return transaction.Execute("UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1", {Param::Blob(hash), now})
      .status();
}

absl::StatusOr<bool> RefreshTokenIsUnused(Transaction& transaction, std::string_view hash) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute("SELECT 1 FROM refresh_tokens WHERE hash = $1 AND used_at IS NULL", {Param::Blob(hash)}));
  return !rows.empty();
}

absl::StatusOr<std::optional<RefreshRow>> LockRefreshToken(Transaction& transaction, std::string_view hash) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute(fmt::format("SELECT s.id, s.user_id, s.expires_at, t.used_at,"
                                      " s.revoked_at IS NOT NULL, {} FROM refresh_tokens t"
                                      " JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id"
                                      " WHERE t.hash = $1 FOR UPDATE OF t, s",
                                      kUser),
                          {Param::Blob(hash)}));
  if (rows.empty()) return std::optional<RefreshRow>();
  const Row row = rows[0];
  return RefreshRow{
      .session = {.id = std::string(row.Text(0)), .user_id = std::string(row.Text(1)), .expires = row.Time(2)},
      .user = UserAt(row, 5),
      .used = row.MaybeTime(3),
      .revoked = row.Bool(4)};
}

absl::Status InsertApiKey(Transaction& transaction, const ApiKeyRow& key) {
  return transaction
      .Execute(
          "INSERT INTO api_keys (id, tenant, name, role, secret_hash, created_by, created_at, expires_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
          {key.id, key.tenant, key.name, authn::RoleName(key.role), Param::Blob(key.secret_hash), key.created_by,
           key.created, key.expires})
      .status();
}

absl::StatusOr<std::optional<ApiKeyRow>> FindApiKey(Transaction& transaction, std::string_view id) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      transaction.Execute(fmt::format("SELECT {} FROM api_keys WHERE id = $1", kApiKey), {id}));
  if (rows.empty()) return std::optional<ApiKeyRow>();
  return ApiKeyOf(rows[0]);
}

absl::StatusOr<std::vector<ApiKeyRow>> ListApiKeys(Transaction& transaction, std::string_view tenant,
                                                   std::string_view created_by) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute(fmt::format("SELECT {} FROM api_keys WHERE tenant = $1 AND ($2 = '' OR created_by = $2)"
                                      " AND revoked_at IS NULL ORDER BY created_at DESC, id",
                                      kApiKey),
                          {tenant, created_by}));
  std::vector<ApiKeyRow> keys;
  for (const Row row : rows) keys.push_back(ApiKeyOf(row));
  return keys;
}

absl::Status RevokeApiKey(Transaction& transaction, std::string_view id, absl::Time now) {
  return transaction.Execute("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", {id, now})
      .status();
}

absl::Status TouchApiKey(Transaction& transaction, std::string_view id, absl::Time now) {
  return transaction.Execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", {id, now}).status();
}

absl::Status InsertTicket(Transaction& transaction, std::string_view hash, const TicketRow& ticket) {
  return transaction
      .Execute("INSERT INTO tickets (hash, subject, tenant, session_id, expires_at) VALUES ($1, $2, $3, $4, $5)",
               {Param::Blob(hash), ticket.subject, ticket.tenant, ticket.session, ticket.expires})
      .status();
}

absl::StatusOr<std::optional<TicketRow>> TakeTicket(Transaction& transaction, std::string_view hash) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute("DELETE FROM tickets WHERE hash = $1 RETURNING subject, tenant, session_id, expires_at",
                          {Param::Blob(hash)}));
  if (rows.empty()) return std::optional<TicketRow>();
  const Row row = rows[0];
  return TicketRow{.subject = std::string(row.Text(0)),
                   .tenant = std::string(row.Text(1)),
                   .session = std::string(row.Text(2)),
                   .expires = row.Time(3)};
}

absl::StatusOr<std::vector<std::string>> EndedSince(Transaction& transaction, absl::Time since) {
  RM_ASSIGN_OR_RETURN(const Result rows, transaction.Execute("SELECT id FROM sessions WHERE revoked_at > $1"
                                                             " UNION ALL SELECT id FROM api_keys WHERE revoked_at > $1",
                                                             {since}));
  std::vector<std::string> ids;
  for (const Row row : rows) ids.emplace_back(row.Text(0));
  return ids;
}

absl::Status RemoveExpired(Transaction& transaction, absl::Time now) {
  RM_RETURN_IF_ERROR(transaction.Execute("DELETE FROM tickets WHERE expires_at <= $1", {now}).status());
  // Later than their end, so that the reuse of a token of a session that just ended is still seen as one.
  return transaction.Execute("DELETE FROM sessions WHERE expires_at <= $1", {now - absl::Hours(24)}).status();
}

absl::Status Audit(Transaction& transaction, std::string_view tenant, std::string_view actor, std::string_view action,
                   std::string_view target, std::string_view detail) {
  return transaction
      .Execute("INSERT INTO audit_log (tenant, actor, action, target, detail) VALUES ($1, $2, $3, $4, $5)",
               {tenant, actor, action, target, detail})
      .status();
}

}  // namespace rivermeet::auth
