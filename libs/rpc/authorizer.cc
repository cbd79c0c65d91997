#include "rpc/authorizer.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "google/protobuf/descriptor.h"

namespace rivermeet::rpc {
namespace {

constexpr std::string_view kChangePassword = "rivermeet.auth.v1.AuthService.ChangePassword";
constexpr absl::Duration kVerifyTimeout = absl::Seconds(5);

authn::Role LowestRole(options::v1::Access access) {
  switch (access) {
    case options::v1::ACCESS_VIEWER:
    case options::v1::ACCESS_INTERNAL:
      return authn::Role::kViewer;
    case options::v1::ACCESS_EDITOR:
      return authn::Role::kEditor;
    default:
      return authn::Role::kAdmin;
  }
}

}  // namespace

options::v1::Access AccessOf(const google::protobuf::MethodDescriptor& method) {
  return method.options().GetExtension(options::v1::access);
}

absl::Status CheckAccess(options::v1::Access access, const google::protobuf::MethodDescriptor& method,
                         const authn::Principal& principal) {
  if (access == options::v1::ACCESS_ANYONE) return absl::OkStatus();
  if (access == options::v1::ACCESS_UNSPECIFIED) {
    return absl::PermissionDeniedError(fmt::format("{} is not open to anybody", method.full_name()));
  }
  if (principal.must_change_password && method.full_name() != kChangePassword) {
    return absl::PermissionDeniedError("change the one-time password first");
  }
  if (principal.role < LowestRole(access)) {
    return absl::PermissionDeniedError(
        fmt::format("{} needs a higher role: ask an admin of the tenant", method.name()));
  }
  return absl::OkStatus();
}

absl::StatusOr<Caller> Authorizer::Authorize(const grpc::ServerContextBase& context, std::string_view method) const {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(std::string(method));
  RM_CHECK(descriptor != nullptr);
  const options::v1::Access access = AccessOf(*descriptor);
  Caller caller{.principal = {}, .call = ReadCall(context)};
  if (access == options::v1::ACCESS_ANYONE) return caller;
  if (caller.call.bearer.empty()) {
    return absl::UnauthenticatedError("no token: send an access token or an API key as \"authorization: Bearer ...\"");
  }
  const absl::Time deadline = std::min(caller.call.deadline, absl::Now() + kVerifyTimeout);
  RM_ASSIGN_OR_RETURN(caller.principal, verifier_.Verify(caller.call.bearer, deadline));
  RM_RETURN_IF_ERROR(CheckAccess(access, *descriptor, caller.principal));
  return caller;
}

}  // namespace rivermeet::rpc
