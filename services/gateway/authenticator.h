// Who a request comes from: bearer tokens, API keys and WebSocket tickets.
#ifndef RIVERMEET_GATEWAY_AUTHENTICATOR_H_
#define RIVERMEET_GATEWAY_AUTHENTICATOR_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/upstream.h"
#include "rpc/bearer_verifier.h"

namespace rivermeet::gateway {

// A caller whose bearer is good as long as the credential says so, with the bearer, to forward: every service checks it
// itself, and ends what it does for it.
struct Session {
  rpc::CredentialPtr credential;
  std::string bearer;

  const authn::Principal& principal() const { return credential->principal(); }
};
using SessionPtr = std::shared_ptr<const Session>;

// Thread-safe.
class Authenticator {
 public:
  static constexpr size_t kMaxBearerBytes = 8192;

  // Both outlive this.
  Authenticator(rpc::BearerVerifier& bearers, Upstream& upstream) : bearers_(bearers), upstream_(upstream) {}

  // Whether FromHeader() would let the sender of this field in without asking anybody.
  bool Knows(std::string_view authorization) const;

  // The caller behind an Authorization field's value.
  //
  // Errors:
  //   UNAUTHENTICATED     Not there, malformed, or refused: told alike.
  //   RESOURCE_EXHAUSTED  Too many unknown callers at a time. Retry.
  //   UNAVAILABLE         It can't be checked right now. Retry.
  net::Task<absl::StatusOr<SessionPtr>> FromHeader(std::string_view authorization);

  // The caller behind a one-use ticket. `call` carries the trace. Errors as above.
  net::Task<absl::StatusOr<SessionPtr>> FromTicket(std::string ticket, rpc::CallInfo call);

 private:
  net::Task<absl::StatusOr<SessionPtr>> Verify(std::string bearer);

  rpc::BearerVerifier& bearers_;
  Upstream& upstream_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_AUTHENTICATOR_H_
