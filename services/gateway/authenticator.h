// Who a request comes from: bearer tokens, API keys and WebSocket tickets.
#ifndef RIVERMEET_GATEWAY_AUTHENTICATOR_H_
#define RIVERMEET_GATEWAY_AUTHENTICATOR_H_

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "authn/principal.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"
#include "gateway/upstream.h"

namespace rivermeet::gateway {

// A verified caller with the access token that is forwarded for them.
struct Session {
  authn::Principal principal;
  std::string access_token;
};
using SessionPtr = std::shared_ptr<const Session>;

// Thread-safe. Verified tokens and exchanged keys are remembered for kRemember, so a revocation is seen after that;
// refused ones for kRememberRefusal, so that guessing costs the auth service little. What was good goes on to be for
// kGrace while it can't be checked.
class Authenticator {
 public:
  static constexpr absl::Duration kRemember = absl::Seconds(1);
  static constexpr absl::Duration kRememberRefusal = absl::Seconds(1);
  static constexpr absl::Duration kGrace = absl::Minutes(5);
  // How long a caller whose key was good waits for its being checked again: a catalog may hang, not only be gone.
  static constexpr absl::Duration kRecheckTimeout = absl::Milliseconds(250);
  // Until the next try to check it then: one may take as long.
  static constexpr absl::Duration kRetry = absl::Seconds(5);
  static constexpr size_t kMaxRemembered = 20000;
  static constexpr size_t kMaxBearerBytes = 8192;

  Authenticator(authn::TokenVerifier& verifier, Upstream& upstream, const Clock& clock);
  ~Authenticator();

  // The caller behind an Authorization field's value. `call` carries the trace.
  //
  // Errors:
  //   UNAUTHENTICATED    Not there, malformed, or refused: told alike.
  //   UNAVAILABLE        It can't be checked right now. Retry.
  net::Task<absl::StatusOr<SessionPtr>> FromHeader(std::string_view authorization, rpc::CallInfo call);

  // The caller behind a one-use ticket. Errors as above.
  net::Task<absl::StatusOr<SessionPtr>> FromTicket(std::string ticket, rpc::CallInfo call);

 private:
  struct Remembered {
    absl::StatusOr<SessionPtr> session;
    absl::Duration checked;
    absl::Duration until;
  };
  using Waiter = std::function<void(absl::StatusOr<SessionPtr>)>;

  net::Task<absl::StatusOr<SessionPtr>> Check(std::string bearer, rpc::CallInfo call, absl::Duration timeout);
  net::Task<absl::StatusOr<SessionPtr>> Exchange(std::string key, rpc::CallInfo call, absl::Duration timeout);
  net::Task<absl::StatusOr<SessionPtr>> Verify(std::string token);
  // What the callers who wait for this check are told.
  absl::StatusOr<SessionPtr> Remember(const std::string& digest, absl::StatusOr<SessionPtr> session);

  authn::TokenVerifier& verifier_;
  Upstream& upstream_;
  const Clock& clock_;
  boost::asio::thread_pool pool_;  // A verifier may block while it fetches keys.
  Mutex mutex_;
  StringMap<Remembered> remembered_ ABSL_GUARDED_BY(mutex_);
  StringMap<std::vector<Waiter>> checking_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_AUTHENTICATOR_H_
