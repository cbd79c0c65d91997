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

struct Request {
  const google::protobuf::MethodDescriptor* method;
  options::v1::Access access;
  CallInfo call;
};

Request Read(const grpc::ServerContextBase& context, std::string_view name) {
  const auto* method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(std::string(name));
  RM_CHECK(method != nullptr);
  return {method, AccessOf(*method), ReadCall(context)};
}

absl::Status NoToken() {
  return absl::UnauthenticatedError("no token: send an access token or an API key as \"authorization: Bearer ...\"");
}

absl::StatusOr<Caller> Admit(const Request& request, absl::StatusOr<CredentialPtr> credential) {
  RM_RETURN_IF_ERROR(credential.status());
  const authn::Principal& principal = (*credential)->principal();
  RM_RETURN_IF_ERROR(CheckAccess(request.access, *request.method, principal));
  return Caller{.principal = principal, .call = request.call, .credential = *credential};
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

void Authorizer::Authorize(const grpc::ServerContextBase& context, std::string_view method, Done done) const {
  Request request = Read(context, method);
  if (request.access == options::v1::ACCESS_ANYONE) return done(Caller{.principal = {}, .call = request.call});
  if (request.call.bearer.empty()) return done(NoToken());
  const std::string bearer = request.call.bearer;
  bearers_.Verify(bearer, [request = std::move(request), done = std::move(done)](auto credential) {
    done(Admit(request, std::move(credential)));
  });
}

absl::StatusOr<Caller> Authorizer::Authorize(const grpc::ServerContextBase& context, std::string_view method) const {
  const Request request = Read(context, method);
  if (request.access == options::v1::ACCESS_ANYONE) return Caller{.principal = {}, .call = request.call};
  if (request.call.bearer.empty()) return NoToken();
  return Admit(request,
               bearers_.Verify(request.call.bearer, std::min(request.call.deadline, absl::Now() + kVerifyTimeout)));
}

}  // namespace rivermeet::rpc
