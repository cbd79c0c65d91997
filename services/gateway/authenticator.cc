#include "gateway/authenticator.h"

#include "base/strings.h"
#include "net/http_parser.h"
#include "rivermeet/auth/v1/auth.pb.h"

namespace rivermeet::gateway {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr char kRedeem[] = "/rivermeet.auth.v1.AuthService/RedeemTicket";

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

std::optional<std::string_view> BearerOf(std::string_view authorization) {
  const size_t space = authorization.find(' ');
  if (space == std::string_view::npos || !net::EqualsIgnoreCase(authorization.substr(0, space), "bearer")) {
    return std::nullopt;
  }
  const std::string_view bearer = Trim(authorization.substr(space));
  if (bearer.empty() || bearer.size() > Authenticator::kMaxBearerBytes) return std::nullopt;
  return bearer;
}

}  // namespace

bool Authenticator::Knows(std::string_view authorization) const {
  const auto bearer = BearerOf(authorization);
  return bearer && bearers_.Knows(*bearer);
}

net::Task<absl::StatusOr<SessionPtr>> Authenticator::FromHeader(std::string_view authorization) {
  const auto bearer = BearerOf(authorization);
  if (!bearer) co_return NotSignedIn();
  co_return co_await Verify(std::string(*bearer));
}

net::Task<absl::StatusOr<SessionPtr>> Authenticator::Verify(std::string bearer) {
  using Verified = absl::StatusOr<rpc::CredentialPtr>;
  auto start = [&](std::function<void(Verified)> done) { bearers_.Verify(bearer, std::move(done)); };
  Verified credential = co_await net::Await<Verified>(std::move(start));
  if (absl::IsUnauthenticated(credential.status())) co_return NotSignedIn();
  if (!credential.ok()) co_return credential.status();
  co_return std::make_shared<const Session>(Session{*std::move(credential), std::move(bearer)});
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
  co_return co_await Verify(std::move(*response.mutable_access_token()));
}

}  // namespace rivermeet::gateway
