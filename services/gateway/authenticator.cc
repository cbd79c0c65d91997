#include "gateway/authenticator.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/sha256.h"
#include "net/http_parser.h"
#include "rivermeet/auth/v1/auth.pb.h"

namespace rivermeet::gateway {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr char kExchange[] = "/rivermeet.auth.v1.AuthService/ExchangeApiKey";
constexpr char kRedeem[] = "/rivermeet.auth.v1.AuthService/RedeemTicket";

// The table is keyed by digests, so that it holds nobody's secret.
std::string DigestOf(std::string_view bearer) { return Sha256(bearer); }

absl::Status NotSignedIn() { return absl::UnauthenticatedError("Sign in, or send a valid token or API key."); }

// Refusals are told alike; what the auth service says in detail is for its log.
absl::Status Told(const absl::Status& status) {
  if (absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
      absl::IsPermissionDenied(status)) {
    return NotSignedIn();
  }
  if (absl::IsResourceExhausted(status)) return status;
  return absl::UnavailableError("the caller can't be checked right now");
}

}  // namespace

Authenticator::Authenticator(authn::TokenVerifier& verifier, Upstream& upstream, const Clock& clock)
    : verifier_(verifier), upstream_(upstream), clock_(clock), pool_(1) {}

Authenticator::~Authenticator() { pool_.join(); }

net::Task<absl::StatusOr<SessionPtr>> Authenticator::FromHeader(std::string_view authorization, rpc::CallInfo call) {
  const size_t space = authorization.find(' ');
  if (space == std::string_view::npos || !net::EqualsIgnoreCase(authorization.substr(0, space), "bearer")) {
    co_return NotSignedIn();
  }
  std::string bearer(Trim(authorization.substr(space)));
  if (bearer.empty() || bearer.size() > kMaxBearerBytes) co_return NotSignedIn();
  const std::string digest = DigestOf(bearer);
  bool first = false;
  absl::Duration timeout = kTimeout;
  {
    MutexLock lock(mutex_);
    const auto it = remembered_.find(digest);
    if (it != remembered_.end() && it->second.session.ok()) timeout = kRecheckTimeout;
    if (it != remembered_.end() && clock_.MonotonicNow() < it->second.until) {
      const auto& session = it->second.session;
      if (!session.ok() || clock_.Now() < (*session)->principal.expires) co_return session;
    }
    first = !checking_.contains(digest);
    if (first) checking_[digest];
  }
  if (!first) {
    // Somebody else asks for the same bearer already.
    bool late = false;
    auto start = [&](Waiter done) {
      MutexLock lock(mutex_);
      const auto it = checking_.find(digest);
      if (it != checking_.end()) {
        it->second.push_back(std::move(done));
      } else {
        late = true;
        done(absl::UnavailableError("the check just ended"));
      }
    };
    absl::StatusOr<SessionPtr> session = co_await net::Await<absl::StatusOr<SessionPtr>>(std::move(start));
    if (!late) co_return session;
    co_return co_await Check(std::move(bearer), std::move(call), kTimeout);
  }
  co_return Remember(digest, co_await Check(std::move(bearer), std::move(call), timeout));
}

net::Task<absl::StatusOr<SessionPtr>> Authenticator::Check(std::string bearer, rpc::CallInfo call,
                                                           absl::Duration timeout) {
  if (bearer.starts_with("rm_")) co_return co_await Exchange(std::move(bearer), std::move(call), timeout);
  co_return co_await Verify(std::move(bearer));
}

absl::StatusOr<SessionPtr> Authenticator::Remember(const std::string& digest, absl::StatusOr<SessionPtr> session) {
  std::vector<Waiter> waiters;
  {
    MutexLock lock(mutex_);
    const auto it = checking_.find(digest);
    waiters = std::move(it->second);
    checking_.erase(it);
    const absl::Duration now = clock_.MonotonicNow();
    const auto known = remembered_.find(digest);
    if (absl::IsUnavailable(session.status()) && known != remembered_.end() && known->second.session.ok() &&
        now - known->second.checked < kGrace && clock_.Now() < (*known->second.session)->principal.expires) {
      known->second.until = now + kRetry;
      session = known->second.session;
    } else if (session.ok() || absl::IsUnauthenticated(session.status())) {
      if (remembered_.size() >= kMaxRemembered) remembered_.clear();
      remembered_.insert_or_assign(digest,
                                   Remembered{session, now, now + (session.ok() ? kRemember : kRememberRefusal)});
    }
  }
  for (const Waiter& waiter : waiters) waiter(session);
  return session;
}

net::Task<absl::StatusOr<SessionPtr>> Authenticator::Verify(std::string token) {
  using Verified = absl::StatusOr<authn::Principal>;
  auto start = [&](std::function<void(Verified)> done) {
    boost::asio::post(
        pool_, [this, &token, done = std::move(done)] { done(verifier_.Verify(token, clock_.Now() + kTimeout)); });
  };
  Verified principal = co_await net::Await<Verified>(std::move(start));
  if (!principal.ok()) co_return Told(principal.status());
  co_return std::make_shared<const Session>(Session{std::move(*principal), std::move(token)});
}

net::Task<absl::StatusOr<SessionPtr>> Authenticator::Exchange(std::string key, rpc::CallInfo call,
                                                              absl::Duration timeout) {
  auth::v1::ExchangeApiKeyRequest request;
  request.set_api_key(std::move(key));
  call.bearer.clear();
  grpc::ByteBuffer bytes = ToBytes(request);
  absl::StatusOr<grpc::ByteBuffer> answer =
      co_await upstream_.Unary(kExchange, std::move(call), timeout, std::move(bytes), nullptr);
  if (!answer.ok()) co_return Told(answer.status());
  auth::v1::ExchangeApiKeyResponse response;
  if (auto status = ParseBytes(*answer, response); !status.ok()) co_return status;
  co_return co_await Verify(response.access_token());
}

net::Task<absl::StatusOr<SessionPtr>> Authenticator::FromTicket(std::string ticket, rpc::CallInfo call) {
  if (ticket.empty() || ticket.size() > kMaxBearerBytes) co_return NotSignedIn();
  auth::v1::RedeemTicketRequest request;
  request.set_ticket(std::move(ticket));
  call.bearer.clear();
  grpc::ByteBuffer bytes = ToBytes(request);
  absl::StatusOr<grpc::ByteBuffer> answer =
      co_await upstream_.Unary(kRedeem, std::move(call), kTimeout, std::move(bytes), nullptr);
  if (!answer.ok()) co_return Told(answer.status());
  auth::v1::RedeemTicketResponse response;
  if (auto status = ParseBytes(*answer, response); !status.ok()) co_return status;
  co_return co_await Verify(response.access_token());
}

}  // namespace rivermeet::gateway
