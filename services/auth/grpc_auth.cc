#include "auth/grpc_auth.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "rpc/status.h"

namespace rivermeet::auth {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);

absl::StatusOr<std::optional<absl::Time>> TimeOf(bool present, const google::protobuf::Timestamp& stamp) {
  if (!present) return std::optional<absl::Time>();
  // What protobuf's Timestamp allows: years 1 to 9999.
  if (stamp.seconds() < -62135596800 || stamp.seconds() > 253402300799 || stamp.nanos() < 0 ||
      stamp.nanos() > 999'999'999) {
    return absl::InvalidArgumentError("expires: not a time");
  }
  return FromProto(stamp);
}

// The numbers are the same.
v1::Role ProtoRole(authn::Role role) { return static_cast<v1::Role>(role); }
authn::Role RoleFrom(v1::Role role) {
  return role >= v1::ROLE_VIEWER && role <= v1::ROLE_ADMIN ? static_cast<authn::Role>(role) : authn::Role::kNone;
}

void Fill(SignedIn signed_in, v1::TokenPair& pair) {
  *pair.mutable_access_token() = std::move(signed_in.access.token);
  *pair.mutable_access_expires() = ToProto(signed_in.access.expires);
  *pair.mutable_refresh_token() = std::move(signed_in.refresh_token);
  *pair.mutable_refresh_expires() = ToProto(signed_in.refresh_expires);
}

void Fill(const ApiKeyRow& key, v1::ApiKey& message) {
  message.set_id(key.id);
  message.set_name(key.name);
  message.set_role(ProtoRole(key.role));
  *message.mutable_created() = ToProto(key.created);
  if (key.expires) *message.mutable_expires() = ToProto(*key.expires);
  if (key.last_used) *message.mutable_last_used() = ToProto(*key.last_used);
  message.set_created_by(key.created_by);
}

void Fill(const User& user, v1::User& message) {
  message.set_name(user.name);
  message.set_role(ProtoRole(user.role));
  *message.mutable_created() = ToProto(user.created);
  message.set_must_change_password(user.must_change_password);
}

// The client's address as the gateway says it, else the connection's without its port. What the gateway says is
// believed because only the private network reaches this port; the limit for each account holds whatever is said.
std::string AddressOf(const grpc::ServerContext& context, const rpc::CallInfo& call) {
  if (!call.client_address.empty()) return call.client_address;
  const std::string peer = context.peer();
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace

template <typename Rule>
grpc::Status GrpcAuth::Serve(const grpc::ServerContext& context, std::string_view method, const Rule& rule) {
  const absl::Duration started = clock_.MonotonicNow();
  absl::StatusOr<rpc::Caller> caller =
      authorizer_.Authorize(context, fmt::format("rivermeet.auth.v1.AuthService.{}", method));
  absl::Status status = caller.status();
  if (status.ok()) {
    status = rule(Call{.caller = std::move(caller->principal),
                       .address = AddressOf(context, caller->call),
                       .deadline = std::min(caller->call.deadline, absl::Now() + kTimeout)});
  }
  metrics_.Finished(method, status, clock_.MonotonicNow() - started);
  return rpc::ToGrpc(status);
}

grpc::Status GrpcAuth::Login(grpc::ServerContext* context, const v1::LoginRequest* request,
                             v1::LoginResponse* response) {
  return Serve(*context, "Login", [&](const Call& call) -> absl::Status {
    const std::string tenant = request->tenant().empty() ? "default" : request->tenant();
    RM_ASSIGN_OR_RETURN(SignedIn signed_in,
                        service_.Login(tenant, request->user(), request->password(), call.address, call.deadline));
    response->set_must_change_password(signed_in.must_change_password);
    Fill(std::move(signed_in), *response->mutable_tokens());
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::ChangePassword(grpc::ServerContext* context, const v1::ChangePasswordRequest* request,
                                      v1::ChangePasswordResponse* response) {
  return Serve(*context, "ChangePassword", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(SignedIn signed_in,
                        service_.ChangePassword(call.caller, request->current_password(), request->new_password(),
                                                call.address, call.deadline));
    Fill(std::move(signed_in), *response->mutable_tokens());
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::Refresh(grpc::ServerContext* context, const v1::RefreshRequest* request,
                               v1::RefreshResponse* response) {
  return Serve(*context, "Refresh", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(SignedIn signed_in, service_.Refresh(request->refresh_token(), call.deadline));
    response->set_must_change_password(signed_in.must_change_password);
    Fill(std::move(signed_in), *response->mutable_tokens());
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::Logout(grpc::ServerContext* context, const v1::LogoutRequest* request, v1::LogoutResponse*) {
  return Serve(*context, "Logout",
               [&](const Call& call) { return service_.Logout(request->refresh_token(), call.deadline); });
}

grpc::Status GrpcAuth::GetJwks(grpc::ServerContext* context, const v1::GetJwksRequest*, v1::GetJwksResponse* response) {
  return Serve(*context, "GetJwks", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(authn::Published published, service_.Publish(call.deadline));
    *response->mutable_jwks() = std::move(published.jwks);
    for (std::string& id : published.ended) *response->add_ended() = std::move(id);
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::WhoAmI(grpc::ServerContext* context, const v1::WhoAmIRequest*, v1::WhoAmIResponse* response) {
  return Serve(*context, "WhoAmI", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const Identity identity, service_.WhoAmI(call.caller, call.deadline));
    response->set_subject(call.caller.subject);
    response->set_name(identity.name);
    response->set_tenant(call.caller.tenant);
    response->set_tenant_name(identity.tenant_name);
    response->set_role(ProtoRole(call.caller.role));
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::CreateApiKey(grpc::ServerContext* context, const v1::CreateApiKeyRequest* request,
                                    v1::CreateApiKeyResponse* response) {
  return Serve(*context, "CreateApiKey", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const auto expires, TimeOf(request->has_expires(), request->expires()));
    RM_ASSIGN_OR_RETURN(NewApiKey made, service_.CreateApiKey(call.caller, request->name(), RoleFrom(request->role()),
                                                              expires, call.deadline));
    Fill(made.key, *response->mutable_key());
    *response->mutable_secret() = std::move(made.secret);
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::ListApiKeys(grpc::ServerContext* context, const v1::ListApiKeysRequest*,
                                   v1::ListApiKeysResponse* response) {
  return Serve(*context, "ListApiKeys", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::vector<ApiKeyRow> keys, service_.ListApiKeys(call.caller, call.deadline));
    for (const ApiKeyRow& key : keys) Fill(key, *response->add_keys());
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::RevokeApiKey(grpc::ServerContext* context, const v1::RevokeApiKeyRequest* request,
                                    v1::RevokeApiKeyResponse*) {
  return Serve(*context, "RevokeApiKey",
               [&](const Call& call) { return service_.RevokeApiKey(call.caller, request->id(), call.deadline); });
}

grpc::Status GrpcAuth::ExchangeApiKey(grpc::ServerContext* context, const v1::ExchangeApiKeyRequest* request,
                                      v1::ExchangeApiKeyResponse* response) {
  return Serve(*context, "ExchangeApiKey", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(AccessToken token, service_.ExchangeApiKey(request->api_key(), call.deadline));
    *response->mutable_access_token() = std::move(token.token);
    *response->mutable_expires() = ToProto(token.expires);
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::CreateTicket(grpc::ServerContext* context, const v1::CreateTicketRequest*,
                                    v1::CreateTicketResponse* response) {
  return Serve(*context, "CreateTicket", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(*response->mutable_ticket(), service_.CreateTicket(call.caller, call.deadline));
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::RedeemTicket(grpc::ServerContext* context, const v1::RedeemTicketRequest* request,
                                    v1::RedeemTicketResponse* response) {
  return Serve(*context, "RedeemTicket", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(AccessToken token, service_.RedeemTicket(request->ticket(), call.deadline));
    *response->mutable_access_token() = std::move(token.token);
    *response->mutable_expires() = ToProto(token.expires);
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::ListUsers(grpc::ServerContext* context, const v1::ListUsersRequest*,
                                 v1::ListUsersResponse* response) {
  return Serve(*context, "ListUsers", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::vector<User> users, service_.ListUsers(call.caller, call.deadline));
    for (const User& user : users) Fill(user, *response->add_users());
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::CreateUser(grpc::ServerContext* context, const v1::CreateUserRequest* request,
                                  v1::CreateUserResponse* response) {
  return Serve(*context, "CreateUser", [&](const Call& call) -> absl::Status {
    User user;
    RM_ASSIGN_OR_RETURN(
        *response->mutable_one_time_password(),
        service_.CreateUser(call.caller, request->name(), RoleFrom(request->role()), &user, call.deadline));
    Fill(user, *response->mutable_user());
    return absl::OkStatus();
  });
}

grpc::Status GrpcAuth::ResetPassword(grpc::ServerContext* context, const v1::ResetPasswordRequest* request,
                                     v1::ResetPasswordResponse* response) {
  return Serve(*context, "ResetPassword", [&](const Call& call) -> absl::Status {
    RM_ASSIGN_OR_RETURN(*response->mutable_one_time_password(),
                        service_.ResetPassword(call.caller, request->name(), call.deadline));
    return absl::OkStatus();
  });
}

}  // namespace rivermeet::auth
