#include "rpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <fstream>
#include <iterator>

#include "absl/time/clock.h"
#include "base/certificate.h"
#include "base/config.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::rpc {
namespace {

constexpr char kServiceConfig[] = R"({
  "methodConfig": [{
    "name": [{}],
    "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"]}
  }],
  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
})";

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(fmt::format("can't read {}", path));
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

std::shared_ptr<grpc::Channel> Make(const std::string& address, const TlsMaterial& tls,
                                    const grpc::ChannelArguments& arguments) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (tls.enabled()) {
    credentials = grpc::SslCredentials(
        {.pem_root_certs = tls.authority, .pem_private_key = tls.key, .pem_cert_chain = tls.certificate});
  }
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsMaterial(const config::v1::RpcConfig& config) {
  const int named = !config.tls_certificate().empty() + !config.tls_key().empty() + !config.tls_authority().empty();
  if (named == 0) return TlsMaterial{};
  if (named != 3) {
    return absl::InvalidArgumentError("rpc.tls_certificate, rpc.tls_key and rpc.tls_authority go together");
  }
  TlsMaterial tls;
  RM_ASSIGN_OR_RETURN(tls.certificate, ReadText(config.tls_certificate()));
  RM_RETURN_IF_ERROR(CheckCertificate(tls.certificate, config.tls_certificate(), absl::Now()));
  RM_ASSIGN_OR_RETURN(tls.key, ReadSecretFile(config.tls_key()));
  RM_ASSIGN_OR_RETURN(tls.authority, ReadText(config.tls_authority()));
  RM_RETURN_IF_ERROR(CheckCertificate(tls.authority, config.tls_authority(), absl::Now()));
  return tls;
}

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  // A minute, as gRPC's guide asks: servers send GOAWAY to clients that ping more often.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  return arguments;
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const TlsMaterial& tls) {
  grpc::ChannelArguments arguments = ChannelArguments();
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 1);
  return Make(address, tls, arguments);
}

std::shared_ptr<grpc::Channel> MakeStreamingChannel(const std::string& address, const TlsMaterial& tls) {
  grpc::ChannelArguments arguments = ChannelArguments();
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return Make(address, tls, arguments);
}

}  // namespace rivermeet::rpc
