#include "authn/jwt_verifier.h"

#include "absl/time/clock.h"
#include "authn/base64url.h"
#include "authn/internal/strict_json.h"
#include "base/status.h"

namespace rivermeet::authn {
namespace {

constexpr size_t kMaxKidBytes = 128;
constexpr absl::Duration kFirstFetchTimeout = absl::Seconds(2);
constexpr absl::Duration kRenewTimeout = absl::Milliseconds(500);
// Without any keys: how soon after a failure to ask again.
constexpr absl::Duration kRetryPause = absl::Milliseconds(200);

// Every refusal reads the same: which check failed is nobody's business.
absl::Status Refused() { return absl::UnauthenticatedError("the token is not valid"); }

// The kid, when the header is {"alg": "RS256", "typ": "at+jwt", "kid": ...} and nothing else: no crit, jwk, jku,
// x5u, b64 or anything that would have to be understood (RFC 8725).
std::optional<std::string> KidOf(const StrictJson& header) {
  for (const auto member : header.object()) {
    if (member.key != "alg" && member.key != "typ" && member.key != "kid") return std::nullopt;
  }
  if (header.Text("alg") != "RS256") return std::nullopt;
  const std::string type = ToLower(header.Text("typ").value_or(""));
  if (type != "at+jwt" && type != "application/at+jwt") return std::nullopt;
  const auto kid = header.Text("kid");
  if (!kid || kid->empty() || kid->size() > kMaxKidBytes) return std::nullopt;
  return std::string(*kid);
}

bool IsFor(const StrictJson& claims, std::string_view audience) {
  if (claims.Text("aud") == audience) return true;
  simdjson::dom::array several;
  if (claims.object()["aud"].get(several) != simdjson::SUCCESS) return false;
  bool found = false;
  for (const simdjson::dom::element element : several) {
    std::string_view one;
    if (element.get(one) != simdjson::SUCCESS) return false;
    found |= one == audience;
  }
  return found;
}

// exp is required; nbf and iat count when they are there. Each is a whole number of seconds.
bool IsCurrent(const StrictJson& claims, absl::Time now, absl::Duration leeway) {
  const auto expires = claims.Int("exp");
  if (!expires || now >= absl::FromUnixSeconds(*expires) + leeway) return false;
  for (const char* name : {"nbf", "iat"}) {
    if (!claims.Has(name)) continue;
    const auto since = claims.Int(name);
    if (!since || absl::FromUnixSeconds(*since) > now + leeway) return false;
  }
  return true;
}

std::optional<Principal> PrincipalOf(const StrictJson& claims) {
  Principal principal;
  principal.subject = claims.Text("sub").value_or("");
  principal.tenant = claims.Text("tid").value_or("");
  principal.role = RoleOf(claims.Text("role").value_or(""));
  if (principal.subject.empty() || principal.tenant.empty() || principal.role == Role::kNone) return std::nullopt;
  if (claims.Has("sid")) {
    principal.session = claims.Text("sid").value_or("");
    if (principal.session.empty()) return std::nullopt;
  }
  if (claims.Has("pwd_change")) {
    const auto must = claims.Bool("pwd_change");
    if (!must) return std::nullopt;
    principal.must_change_password = *must;
  }
  principal.expires = absl::FromUnixSeconds(*claims.Int("exp"));
  return principal;
}

// What can be ended: the session, or the API key itself.
const std::string& SourceOf(const Principal& principal) {
  return principal.session.empty() ? principal.subject : principal.session;
}

}  // namespace

JwtVerifier::JwtVerifier(JwtVerifierOptions options, KeySource source, const Clock& clock)
    : options_(std::move(options)), source_(std::move(source)), clock_(clock) {}

absl::StatusOr<Principal> JwtVerifier::Verify(std::string_view bearer, absl::Time deadline) {
  if (bearer.size() > options_.max_token_bytes) return Refused();
  const size_t first = bearer.find('.');
  const size_t second = first == std::string_view::npos ? first : bearer.find('.', first + 1);
  if (second == std::string_view::npos || bearer.find('.', second + 1) != std::string_view::npos) return Refused();

  const auto header_text = DecodeBase64Url(bearer.substr(0, first));
  const auto header = header_text ? StrictJson::Parse(*header_text) : std::nullopt;
  const auto kid = header ? KidOf(*header) : std::nullopt;
  const auto signature = DecodeBase64Url(bearer.substr(second + 1));
  if (!kid || !signature) return Refused();

  RM_ASSIGN_OR_RETURN(const StatePtr state, StateFor(*kid, {options_.refresh_after, options_.refetch_pause}, deadline));
  const PublicKey* key = state->keys->Find(*kid);
  if (key == nullptr || !key->Verify(bearer.substr(0, second), *signature)) return Refused();

  const auto payload = DecodeBase64Url(bearer.substr(first + 1, second - first - 1));
  const auto claims = payload ? StrictJson::Parse(*payload) : std::nullopt;
  if (!claims || claims->Text("iss") != options_.issuer || !IsFor(*claims, options_.audience) ||
      !IsCurrent(*claims, clock_.Now(), options_.leeway)) {
    return Refused();
  }
  std::optional<Principal> principal = PrincipalOf(*claims);
  if (!principal || state->ended.contains(SourceOf(*principal))) return Refused();
  return *std::move(principal);
}

absl::Status JwtVerifier::Recheck(const Principal& principal, absl::Time deadline) {
  if (clock_.Now() >= principal.expires + options_.leeway) return Refused();
  RM_ASSIGN_OR_RETURN(const StatePtr state, StateFor("", {options_.recheck_after, options_.refresh_after}, deadline));
  return state->ended.contains(SourceOf(principal)) ? Refused() : absl::OkStatus();
}

absl::Status JwtVerifier::Refresh(absl::Time deadline) {
  MutexLock lock(fetching_);
  return Fetch(std::min(deadline, absl::Now() + kFirstFetchTimeout));
}

JwtVerifier::StatePtr JwtVerifier::Current() const {
  MutexLock lock(mutex_);
  return state_;
}

bool JwtVerifier::IsUsable(const StatePtr& state) const {
  return state != nullptr && clock_.MonotonicNow() - state->fetched <= options_.max_key_age;
}

absl::Status JwtVerifier::Fetch(absl::Time deadline) {
  StatePtr before;
  {
    MutexLock lock(mutex_);
    tried_ = clock_.MonotonicNow();
    failed_ = true;
    before = state_;
  }
  // As of before the question: what ends while it is answered is in the next answer.
  auto state = std::make_shared<State>();
  state->fetched = clock_.MonotonicNow();
  absl::StatusOr<Published> published = source_(deadline);
  const auto unavailable = [](const absl::Status& status) {
    return absl::UnavailableError(ToAbsl(fmt::format("the signing keys can't be had: {}", MessageOf(status))));
  };
  if (!published.ok()) return unavailable(published.status());
  if (before != nullptr && before->jwks == published->jwks) {
    state->keys = before->keys;
  } else {
    absl::StatusOr<std::shared_ptr<const KeySet>> keys = KeySet::Parse(published->jwks);
    if (!keys.ok()) return unavailable(keys.status());
    state->keys = *std::move(keys);
  }
  state->jwks = std::move(published->jwks);
  for (std::string& id : published->ended) state->ended.insert(std::move(id));
  MutexLock lock(mutex_);
  failed_ = false;
  state_ = std::move(state);
  return absl::OkStatus();
}

// The same or a newer state: one caller fetches when it is time.
JwtVerifier::StatePtr JwtVerifier::Renewed(StatePtr state, const Freshness& freshness, absl::Time deadline) {
  if (clock_.MonotonicNow() - state->fetched <= freshness.after || !fetching_.TryLock()) return state;
  bool due;
  {
    MutexLock lock(mutex_);
    due = clock_.MonotonicNow() - tried_ >= (failed_ ? freshness.after_failure : freshness.after);
  }
  if (due) (void)Fetch(std::min(deadline, absl::Now() + kRenewTimeout));
  fetching_.Unlock();
  return Current();
}

absl::StatusOr<JwtVerifier::StatePtr> JwtVerifier::StateFor(std::string_view kid, const Freshness& freshness,
                                                            absl::Time deadline) {
  StatePtr state = Current();
  const bool usable = IsUsable(state);
  if (usable && (kid.empty() || state->keys->Find(kid) != nullptr)) {
    return Renewed(std::move(state), freshness, deadline);
  }
  MutexLock lock(fetching_);
  absl::Duration since;
  {
    MutexLock inner(mutex_);
    since = clock_.MonotonicNow() - tried_;
  }
  absl::Status fetched;
  if (since >= (usable ? options_.refetch_pause : kRetryPause)) {
    fetched = Fetch(std::min(deadline, absl::Now() + kFirstFetchTimeout));
  }
  state = Current();
  if (IsUsable(state)) return state;
  return fetched.ok() ? absl::UnavailableError("the signing keys can't be had") : fetched;
}

}  // namespace rivermeet::authn
