#include "auth/auth_service.h"

#include <algorithm>

#include "authn/api_key.h"
#include "authn/base64url.h"
#include "authn/password.h"
#include "base/crash_point.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"
#include "telemetry/logging.h"

namespace rivermeet::auth {
namespace {

using authn::Principal;
using catalog::Transaction;

constexpr size_t kShortestPassword = 12;
constexpr size_t kSecretBytes = 32;
constexpr absl::Duration kRepeatsFor = absl::Seconds(10);
constexpr absl::Duration kEndedReadEvery = absl::Milliseconds(250);

absl::Status WrongPassword() { return absl::UnauthenticatedError("wrong name or password"); }
absl::Status SignInAnew() { return absl::UnauthenticatedError("the session has ended: sign in again"); }

absl::Status CheckNewPassword(std::string_view changed, std::string_view current, std::string_view name) {
  if (changed.size() < kShortestPassword || changed.size() > authn::kMaxPasswordBytes) {
    return absl::InvalidArgumentError("new_password: 12 to 1,024 bytes");
  }
  if (!IsUtf8(changed)) return absl::InvalidArgumentError("new_password: not UTF-8");
  if (changed == current) return absl::InvalidArgumentError("new_password: the same as the current one");
  if (ToLower(changed).find(name) != std::string::npos && name.size() * 2 > changed.size()) {
    return absl::InvalidArgumentError("new_password: mostly the user's name");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> UserName(std::string_view name) {
  const bool has_control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (name.empty() || name.size() > 128 || !IsUtf8(name) || has_control || Trim(name) != name) {
    return absl::InvalidArgumentError("name: 1 to 128 bytes of UTF-8 without control characters or space at its ends");
  }
  return ToLower(name);
}

AuthService::AuthService(catalog::Database& database, KeyRing& keys, AuthOptions options, const Clock& clock)
    : database_(database), keys_(keys), options_(std::move(options)), clock_(clock), limiter_(options_.limits, clock) {}

absl::StatusOr<AccessToken> AuthService::Issue(Principal principal) const {
  RM_ASSIGN_OR_RETURN(const auto signer, keys_.Signer());
  const absl::Time now = clock_.Now();
  // Whole seconds, as the token has them; a principal's own end comes first.
  principal.expires =
      absl::FromUnixSeconds(absl::ToUnixSeconds(std::min(principal.expires, now + options_.access_lifetime)));
  return AccessToken{.token = authn::MakeAccessToken(*signer, options_.tokens, principal, now),
                     .expires = principal.expires};
}

absl::StatusOr<SignedIn> AuthService::IssuePair(const User& user, const Session& session,
                                                std::string refresh_token) const {
  RM_ASSIGN_OR_RETURN(AccessToken access, Issue(Principal{.subject = user.id,
                                                          .tenant = user.tenant,
                                                          .role = user.role,
                                                          .session = session.id,
                                                          .must_change_password = user.must_change_password,
                                                          .expires = absl::InfiniteFuture()}));
  return SignedIn{.access = std::move(access),
                  .refresh_token = std::move(refresh_token),
                  .refresh_expires = session.expires,
                  .must_change_password = user.must_change_password};
}

absl::StatusOr<SignedIn> AuthService::OpenSession(Transaction& transaction, const User& user) const {
  const absl::Time now = clock_.Now();
  const Session session{.id = NewUuid(), .user_id = user.id, .expires = now + options_.refresh_lifetime};
  std::string token = RandomToken(kSecretBytes);
  RM_RETURN_IF_ERROR(InsertSession(transaction, session, now));
  RM_RETURN_IF_ERROR(InsertRefreshToken(transaction, authn::HashSecret(token), session.id, now));
  RM_RETURN_IF_ERROR(Audit(transaction, user.tenant, user.id, "session.open", session.id));
  return IssuePair(user, session, std::move(token));
}

absl::StatusOr<bool> AuthService::CheckPassword(const std::optional<User>& user, std::string_view tenant,
                                                std::string_view name, std::string_view password,
                                                std::string_view address, absl::Time deadline) {
  const std::string account = fmt::format("{}/{}", tenant, name);
  if (!limiter_.Begin(account, address)) {
    return absl::ResourceExhaustedError("too many failed sign-ins: try again in a few minutes");
  }
  const absl::StatusOr<bool> good = hasher_.Verify(password, user ? user->password_hash : std::string(), deadline);
  if (!good.ok()) {
    limiter_.Undo(account, address);
  } else if (*good) {
    limiter_.Succeeded(account, address);
  }
  return good;
}

absl::StatusOr<SignedIn> AuthService::Login(std::string_view tenant, std::string_view name, std::string_view password,
                                            std::string_view address, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const std::string user_name, UserName(name));
  if (password.size() > authn::kMaxPasswordBytes) return absl::InvalidArgumentError("password: at most 1,024 bytes");
  if (tenant.empty() || tenant.size() > 63 || !IsUtf8(tenant)) {
    return absl::InvalidArgumentError("tenant: 1 to 63 bytes");
  }
  std::optional<User> user;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(user, FindUser(transaction, tenant, user_name));
    return absl::OkStatus();
  }));
  RM_ASSIGN_OR_RETURN(const bool good, CheckPassword(user, tenant, user_name, password, address, deadline));
  if (!good) return WrongPassword();

  std::string better;
  if (authn::NeedsRehash(user->password_hash)) {
    RM_ASSIGN_OR_RETURN(better, hasher_.Hash(password, deadline));
  }
  SignedIn signed_in;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::optional<User> now, LockUser(transaction, user->id));
    // Changed or reset since it was checked.
    if (!now || now->password_hash != user->password_hash) return WrongPassword();
    if (!better.empty()) RM_RETURN_IF_ERROR(Rehash(transaction, *now, better));
    RM_ASSIGN_OR_RETURN(signed_in, OpenSession(transaction, *now));
    return absl::OkStatus();
  }));
  return signed_in;
}

absl::StatusOr<SignedIn> AuthService::ChangePassword(const Principal& caller, std::string_view current,
                                                     std::string_view changed, std::string_view address,
                                                     absl::Time deadline) {
  const absl::Status wrong = absl::PermissionDeniedError("the current password is wrong");
  std::optional<User> user;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(user, LockUser(transaction, caller.subject));
    if (!user || user->tenant != caller.tenant) return absl::PermissionDeniedError("an API key has no password");
    RM_ASSIGN_OR_RETURN(const bool live, SessionIsLive(transaction, caller.session, clock_.Now()));
    return live ? absl::OkStatus() : SignInAnew();
  }));
  RM_ASSIGN_OR_RETURN(const bool good, CheckPassword(user, user->tenant, user->name, current, address, deadline));
  if (!good) return wrong;
  RM_RETURN_IF_ERROR(CheckNewPassword(changed, current, user->name));
  RM_ASSIGN_OR_RETURN(const std::string hash, hasher_.Hash(changed, deadline));
  SignedIn signed_in;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(std::optional<User> now, LockUser(transaction, caller.subject));
    if (!now || now->password_hash != user->password_hash) return wrong;
    RM_RETURN_IF_ERROR(SetPassword(transaction, now->id, hash, false, clock_.Now()));
    RM_RETURN_IF_ERROR(RevokeSessionsOf(transaction, now->id, "password changed", clock_.Now()));
    RM_RETURN_IF_ERROR(Audit(transaction, now->tenant, now->id, "password.change", now->id));
    now->must_change_password = false;
    RM_ASSIGN_OR_RETURN(signed_in, OpenSession(transaction, *now));
    return absl::OkStatus();
  }));
  return signed_in;
}

absl::StatusOr<SignedIn> AuthService::Refresh(std::string_view refresh_token, absl::Time deadline) {
  const std::string hash = authn::HashSecret(refresh_token);
  absl::StatusOr<SignedIn> signed_in = SignInAnew();
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    const absl::Time now = clock_.Now();
    signed_in = SignInAnew();
    RM_ASSIGN_OR_RETURN(const std::optional<RefreshRow> row, LockRefreshToken(transaction, hash));
    if (!row || row->revoked || row->session.expires <= now) return absl::OkStatus();
    std::string next = authn::EncodeBase64Url(keys_.Derive("refresh token", refresh_token));
    if (row->used && now - *row->used <= kRepeatsFor) {
      RM_ASSIGN_OR_RETURN(const bool waits, RefreshTokenIsUnused(transaction, authn::HashSecret(next)));
      if (waits) {
        signed_in = IssuePair(row->user, row->session, std::move(next));
        return signed_in.status();
      }
    }
    if (row->used) {
      // Two hold the same token, and one of them stole it: neither goes on. This commits; the answer is the error.
      telemetry::Log(telemetry::Level::kWarn, "a refresh token was used twice: its session is ended",
                     {{"session", row->session.id}, {"user", row->user.id}});
      RM_RETURN_IF_ERROR(RevokeSession(transaction, row->session.id, "refresh token used twice", now));
      return Audit(transaction, row->user.tenant, row->user.id, "session.reuse", row->session.id);
    }
    Session session = row->session;
    session.expires = now + options_.refresh_lifetime;
    RM_RETURN_IF_ERROR(MarkRefreshTokenUsed(transaction, hash, now));
    RM_RETURN_IF_ERROR(InsertRefreshToken(transaction, authn::HashSecret(next), session.id, now));
    RM_RETURN_IF_ERROR(ExtendSession(transaction, session));
    RM_RETURN_IF_ERROR(Audit(transaction, row->user.tenant, row->user.id, "session.refresh", session.id));
    signed_in = IssuePair(row->user, session, std::move(next));
    CrashPoint("auth.refresh.before_commit");
    return signed_in.status();
  }));
  CrashPoint("auth.refresh.after_commit");
  return signed_in;
}

absl::Status AuthService::Logout(std::string_view refresh_token, absl::Time deadline) {
  const std::string hash = authn::HashSecret(refresh_token);
  return database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::optional<RefreshRow> row, LockRefreshToken(transaction, hash));
    if (!row || row->revoked) return absl::OkStatus();
    RM_RETURN_IF_ERROR(RevokeSession(transaction, row->session.id, "signed out", clock_.Now()));
    return Audit(transaction, row->user.tenant, row->user.id, "session.close", row->session.id);
  });
}

absl::StatusOr<Identity> AuthService::WhoAmI(const Principal& caller, absl::Time deadline) {
  Identity identity;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(identity.tenant_name, TenantName(transaction, caller.tenant));
    RM_ASSIGN_OR_RETURN(const std::optional<User> user, LockUser(transaction, caller.subject));
    if (user && user->tenant == caller.tenant) {
      identity.name = user->name;
      return absl::OkStatus();
    }
    RM_ASSIGN_OR_RETURN(const std::optional<ApiKeyRow> key, FindApiKey(transaction, caller.subject));
    if (!key || key->tenant != caller.tenant || !key->IsGood(clock_.Now())) return SignInAnew();
    identity.name = key->name;
    return absl::OkStatus();
  }));
  return identity;
}

absl::StatusOr<authn::Published> AuthService::Publish(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(authn::Published published, keys_.Jwks());
  MutexLock reading(reading_);
  const absl::Duration started = clock_.MonotonicNow();
  bool due;
  {
    MutexLock lock(mutex_);
    due = started - ended_read_ >= kEndedReadEvery;
  }
  if (due) {
    std::vector<std::string> ended;
    const absl::Status status = database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
      // A minute more than a token's life, for clocks that differ.
      RM_ASSIGN_OR_RETURN(ended, EndedSince(transaction, clock_.Now() - options_.access_lifetime - absl::Minutes(1)));
      return absl::OkStatus();
    });
    MutexLock lock(mutex_);
    if (status.ok()) ended_ = std::move(ended);
    ended_read_ = started;
  }
  MutexLock lock(mutex_);
  published.ended = ended_;
  return published;
}

absl::Status AuthService::CleanUp(absl::Time deadline) {
  return database_.Run(deadline, [&](Transaction& transaction) { return RemoveExpired(transaction, clock_.Now()); });
}

}  // namespace rivermeet::auth
