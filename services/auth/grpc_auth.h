// rivermeet.auth.v1.AuthService over AuthService: messages to domain types and back, nothing else.
#ifndef RIVERMEET_AUTH_GRPC_AUTH_H_
#define RIVERMEET_AUTH_GRPC_AUTH_H_

#include "auth/auth_metrics.h"
#include "auth/auth_service.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/authorizer.h"

namespace rivermeet::auth {

class GrpcAuth final : public v1::AuthService::Service {
 public:
  // All of them outlive this.
  GrpcAuth(AuthService& service, const rpc::Authorizer& authorizer, AuthMetrics& metrics, const Clock& clock)
      : service_(service), authorizer_(authorizer), metrics_(metrics), clock_(clock) {}

  grpc::Status Login(grpc::ServerContext* context, const v1::LoginRequest* request,
                     v1::LoginResponse* response) override;
  grpc::Status ChangePassword(grpc::ServerContext* context, const v1::ChangePasswordRequest* request,
                              v1::ChangePasswordResponse* response) override;
  grpc::Status Refresh(grpc::ServerContext* context, const v1::RefreshRequest* request,
                       v1::RefreshResponse* response) override;
  grpc::Status Logout(grpc::ServerContext* context, const v1::LogoutRequest* request,
                      v1::LogoutResponse* response) override;
  grpc::Status GetJwks(grpc::ServerContext* context, const v1::GetJwksRequest* request,
                       v1::GetJwksResponse* response) override;
  grpc::Status WhoAmI(grpc::ServerContext* context, const v1::WhoAmIRequest* request,
                      v1::WhoAmIResponse* response) override;
  grpc::Status CreateApiKey(grpc::ServerContext* context, const v1::CreateApiKeyRequest* request,
                            v1::CreateApiKeyResponse* response) override;
  grpc::Status ListApiKeys(grpc::ServerContext* context, const v1::ListApiKeysRequest* request,
                           v1::ListApiKeysResponse* response) override;
  grpc::Status RevokeApiKey(grpc::ServerContext* context, const v1::RevokeApiKeyRequest* request,
                            v1::RevokeApiKeyResponse* response) override;
  grpc::Status ExchangeApiKey(grpc::ServerContext* context, const v1::ExchangeApiKeyRequest* request,
                              v1::ExchangeApiKeyResponse* response) override;
  grpc::Status CreateTicket(grpc::ServerContext* context, const v1::CreateTicketRequest* request,
                            v1::CreateTicketResponse* response) override;
  grpc::Status RedeemTicket(grpc::ServerContext* context, const v1::RedeemTicketRequest* request,
                            v1::RedeemTicketResponse* response) override;
  grpc::Status ListUsers(grpc::ServerContext* context, const v1::ListUsersRequest* request,
                         v1::ListUsersResponse* response) override;
  grpc::Status CreateUser(grpc::ServerContext* context, const v1::CreateUserRequest* request,
                          v1::CreateUserResponse* response) override;
  grpc::Status ResetPassword(grpc::ServerContext* context, const v1::ResetPasswordRequest* request,
                             v1::ResetPasswordResponse* response) override;

 private:
  // Who calls, from where and until when.
  struct Call {
    authn::Principal caller;
    std::string address;
    absl::Time deadline;
  };
  // Checks the caller, runs `rule` (Call -> absl::Status), counts the call.
  template <typename Rule>
  grpc::Status Serve(const grpc::ServerContext& context, std::string_view method, const Rule& rule);

  AuthService& service_;
  const rpc::Authorizer& authorizer_;
  AuthMetrics& metrics_;
  const Clock& clock_;
};

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_GRPC_AUTH_H_
