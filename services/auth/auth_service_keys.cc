// AuthService's rules for API keys and tickets.
#include "auth/auth_service.h"
#include "authn/api_key.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::auth {
namespace {

using authn::Principal;
using catalog::Transaction;

constexpr size_t kTicketBytes = 32;
// How exact last_used is: a key in use all the time writes a row a minute, not one a request.
constexpr absl::Duration kLastUsedStep = absl::Minutes(1);

absl::Status NotAKey() { return absl::UnauthenticatedError("the API key is not valid"); }
absl::Status NotATicket() { return absl::UnauthenticatedError("the ticket is not valid"); }

}  // namespace

absl::StatusOr<NewApiKey> AuthService::CreateApiKey(const Principal& caller, std::string_view name, authn::Role role,
                                                    std::optional<absl::Time> expires, absl::Time deadline) {
  if (name.empty() || name.size() > 128 || !IsUtf8(name))
    return absl::InvalidArgumentError("name: 1 to 128 bytes of UTF-8");
  if (role == authn::Role::kNone) return absl::InvalidArgumentError("role: viewer, editor or admin");
  if (role > caller.role) return absl::PermissionDeniedError("role: above your own");
  const absl::Time now = clock_.Now();
  if (expires && *expires <= now) return absl::InvalidArgumentError("expires: in the past");
  const authn::ApiKey made = authn::ApiKey::Generate();
  NewApiKey result{.key = {.id = made.id,
                           .tenant = caller.tenant,
                           .name = std::string(name),
                           .role = role,
                           .secret_hash = authn::HashSecret(made.secret),
                           .created_by = caller.subject,
                           .created = now,
                           .expires = expires,
                           .last_used = std::nullopt,
                           .revoked = false},
                   .secret = made.ToString()};
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(InsertApiKey(transaction, result.key));
    return Audit(transaction, caller.tenant, caller.subject, "api_key.create", made.id, authn::RoleName(role));
  }));
  return result;
}

absl::StatusOr<std::vector<ApiKeyRow>> AuthService::ListApiKeys(const Principal& caller, absl::Time deadline) {
  const bool sees_all = caller.role >= authn::Role::kAdmin;
  std::vector<ApiKeyRow> keys;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(keys, auth::ListApiKeys(transaction, caller.tenant, sees_all ? "" : caller.subject));
    return absl::OkStatus();
  }));
  return keys;
}

absl::Status AuthService::RevokeApiKey(const Principal& caller, std::string_view id, absl::Time deadline) {
  const absl::Status none = absl::NotFoundError("there is no such API key");
  if (!IsUtf8(id)) return none;
  return database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::optional<ApiKeyRow> key, FindApiKey(transaction, id));
    if (!key || key->tenant != caller.tenant || key->revoked) return none;
    if (caller.role < authn::Role::kAdmin && key->created_by != caller.subject) return none;
    RM_RETURN_IF_ERROR(auth::RevokeApiKey(transaction, id, clock_.Now()));
    return Audit(transaction, caller.tenant, caller.subject, "api_key.revoke", id);
  });
}

absl::StatusOr<AccessToken> AuthService::ExchangeApiKey(std::string_view api_key, absl::Time deadline) {
  const std::optional<authn::ApiKey> given = authn::ApiKey::Parse(api_key);
  if (!given) return NotAKey();
  const absl::Time now = clock_.Now();
  std::optional<ApiKeyRow> key;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(key, FindApiKey(transaction, given->id));
    const bool same = key && authn::EqualSecrets(key->secret_hash, authn::HashSecret(given->secret));
    if (!same || !key->IsGood(now)) return NotAKey();
    if (key->last_used && now - *key->last_used < kLastUsedStep) return absl::OkStatus();
    return TouchApiKey(transaction, key->id, now);
  }));
  return Issue(Principal{.subject = key->id,
                         .tenant = key->tenant,
                         .role = key->role,
                         .session = "",
                         .must_change_password = false,
                         .expires = key->expires.value_or(absl::InfiniteFuture())});
}

absl::StatusOr<std::string> AuthService::CreateTicket(const Principal& caller, absl::Time deadline) {
  std::string ticket = RandomToken(kTicketBytes);
  const TicketRow row{.subject = caller.subject,
                      .tenant = caller.tenant,
                      .session = caller.session,
                      .expires = clock_.Now() + options_.ticket_lifetime};
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    return InsertTicket(transaction, authn::HashSecret(ticket), row);
  }));
  return ticket;
}

absl::StatusOr<AccessToken> AuthService::RedeemTicket(std::string_view ticket, absl::Time deadline) {
  absl::StatusOr<Principal> principal = NotATicket();
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    const absl::Time now = clock_.Now();
    principal = NotATicket();
    RM_ASSIGN_OR_RETURN(const std::optional<TicketRow> row, TakeTicket(transaction, authn::HashSecret(ticket)));
    // From here on the ticket is gone, whatever the answer: this commits.
    if (!row || row->expires <= now) return absl::OkStatus();
    if (row->session.empty()) {
      RM_ASSIGN_OR_RETURN(const std::optional<ApiKeyRow> key, FindApiKey(transaction, row->subject));
      if (!key || !key->IsGood(now)) return absl::OkStatus();
      principal = Principal{.subject = key->id,
                            .tenant = key->tenant,
                            .role = key->role,
                            .session = "",
                            .must_change_password = false,
                            .expires = key->expires.value_or(absl::InfiniteFuture())};
      return absl::OkStatus();
    }
    RM_ASSIGN_OR_RETURN(const bool live, SessionIsLive(transaction, row->session, now));
    RM_ASSIGN_OR_RETURN(const std::optional<User> user, LockUser(transaction, row->subject));
    if (!live || !user) return absl::OkStatus();
    principal = Principal{.subject = user->id,
                          .tenant = user->tenant,
                          .role = user->role,
                          .session = row->session,
                          .must_change_password = user->must_change_password,
                          .expires = absl::InfiniteFuture()};
    return absl::OkStatus();
  }));
  RM_RETURN_IF_ERROR(principal.status());
  return Issue(*std::move(principal));
}

}  // namespace rivermeet::auth
