// The check in front of every RPC: who calls, and may they? Deny by default.
#ifndef RIVERMEET_RPC_AUTHORIZER_H_
#define RIVERMEET_RPC_AUTHORIZER_H_

#include <grpcpp/server_context.h>

#include <string_view>

#include "absl/status/statusor.h"
#include "authn/principal.h"
#include "rivermeet/options/v1/access.pb.h"
#include "rpc/call.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace rivermeet::rpc {

// A caller who may make this call.
struct Caller {
  authn::Principal principal;  // its tenant and subject are empty for an RPC open to anyone
  CallInfo call;               // to hand on to the calls that this one makes
};

// What the RPC's `rivermeet.options.v1.access` says; unspecified for an RPC without it.
options::v1::Access AccessOf(const google::protobuf::MethodDescriptor& method);

// Whether `principal` may make a call of that access.
//
// Errors:
//   PERMISSION_DENIED  The role is too low, the password must be changed first, or the RPC is not open to anybody.
absl::Status CheckAccess(options::v1::Access access, const google::protobuf::MethodDescriptor& method,
                         const authn::Principal& principal);

// Thread-safe.
class Authorizer {
 public:
  // `verifier` outlives the authorizer.
  explicit Authorizer(authn::TokenVerifier& verifier) : verifier_(verifier) {}

  // Called first in every handler: `method` is "rivermeet.ingest.v1.IngestService.Ingest".
  //
  // Errors:
  //   UNAUTHENTICATED    No token, or not a good one.
  //   PERMISSION_DENIED  As CheckAccess() says.
  //   UNAVAILABLE        The keys can't be had right now. Retry.
  absl::StatusOr<Caller> Authorize(const grpc::ServerContextBase& context, std::string_view method) const;

 private:
  authn::TokenVerifier& verifier_;
};

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_AUTHORIZER_H_
