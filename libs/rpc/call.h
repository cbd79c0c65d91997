// What travels with a call beside its message: the caller's token, the trace, the deadline.
#ifndef RIVERMEET_RPC_CALL_H_
#define RIVERMEET_RPC_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace rivermeet::rpc {

// Read from an incoming call, handed on to the calls it makes.
struct CallInfo {
  // The bearer token as it came ("rm_..." or a JWT), without "Bearer "; empty when there is none.
  std::string bearer;
  // The W3C trace context, made anew when the caller sent none.
  std::string traceparent;
  // When the caller stops waiting; absl::InfiniteFuture() when they didn't say.
  absl::Time deadline = absl::InfiniteFuture();
  // Whom a service calls for, as the gateway saw them: an IP address without its port; empty when nobody said it.
  // A hint for limits and logs; never a reason to trust.
  std::string client_address;
};

CallInfo ReadCall(const grpc::ServerContextBase& context);

// Sets token, trace and deadline on an outgoing call: the earlier of `info.deadline` and `timeout` from now, so
// that no call outlives the one it serves.
void PrepareCall(grpc::ClientContext& context, const CallInfo& info, absl::Duration timeout);

// `time` as gRPC wants a deadline.
std::chrono::system_clock::time_point ToDeadline(absl::Time time);

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_CALL_H_
