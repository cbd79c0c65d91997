// The check in front of every RPC: who calls, and may they? Deny by default.
#ifndef RIVERMEET_RPC_AUTHORIZER_H_
#define RIVERMEET_RPC_AUTHORIZER_H_

#include <grpcpp/server_context.h>

#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "authn/principal.h"
#include "rivermeet/options/v1/access.pb.h"
#include "rpc/bearer_verifier.h"
#include "rpc/call.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace rivermeet::rpc {

// A caller who may make this call.
struct Caller {
  authn::Principal principal;  // its tenant and subject are empty for an RPC open to anyone
  CallInfo call;               // to hand on to the calls that this one makes
  // Held and listened to by what outlives the call's first answer; nullptr for an RPC open to anyone.
  CredentialPtr credential;
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
  using Done = std::function<void(absl::StatusOr<Caller>)>;

  // `bearers` outlives the authorizer.
  explicit Authorizer(BearerVerifier& bearers) : bearers_(bearers) {}

  // Called first in every handler: `method` is "rivermeet.ingest.v1.IngestService.Ingest". Calls `done` once, mostly
  // here and now; for somebody who has to be asked about first, later on another thread. Never blocks.
  //
  // Errors:
  //   UNAUTHENTICATED     No token, or not a good one.
  //   PERMISSION_DENIED   As CheckAccess() says.
  //   RESOURCE_EXHAUSTED  Too many unknown callers at a time. Retry.
  //   UNAVAILABLE         The keys can't be had right now. Retry.
  void Authorize(const grpc::ServerContextBase& context, std::string_view method, Done done) const;

  // The same for a handler with a thread of its own; blocks up to 5 s.
  absl::StatusOr<Caller> Authorize(const grpc::ServerContextBase& context, std::string_view method) const;

 private:
  BearerVerifier& bearers_;
};

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_AUTHORIZER_H_
