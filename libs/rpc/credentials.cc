#include "rpc/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <fstream>
#include <iterator>

#include "absl/time/clock.h"
#include "base/certificate.h"
#include "base/config.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::rpc {
namespace {

constexpr unsigned kLookEverySeconds = 1;

absl::StatusOr<std::string> ReadCertificate(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(fmt::format("can't read {}", path));
  std::string pem((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  RM_RETURN_IF_ERROR(CheckCertificate(pem, path, absl::Now()));
  return pem;
}

}  // namespace

absl::StatusOr<Credentials> ReadCredentials(const config::v1::RpcConfig& config) {
  const int named = !config.tls_certificate().empty() + !config.tls_key().empty() + !config.tls_authority().empty();
  if (named == 0) return Credentials{};
  if (named != 3) {
    return absl::InvalidArgumentError("rpc.tls_certificate, rpc.tls_key and rpc.tls_authority go together");
  }
  RM_RETURN_IF_ERROR(ReadCertificate(config.tls_certificate()).status());
  RM_RETURN_IF_ERROR(ReadSecretFile(config.tls_key()).status());
  RM_RETURN_IF_ERROR(ReadCertificate(config.tls_authority()).status());
  const auto files = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      config.tls_key(), config.tls_certificate(), config.tls_authority(), kLookEverySeconds);
  grpc::experimental::TlsChannelCredentialsOptions channel;
  channel.set_certificate_provider(files);
  grpc::experimental::TlsServerCredentialsOptions server(files);
  server.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  for (grpc::experimental::TlsCredentialsOptions* options :
       {static_cast<grpc::experimental::TlsCredentialsOptions*>(&channel),
        static_cast<grpc::experimental::TlsCredentialsOptions*>(&server)}) {
    options->watch_root_certs();
    options->watch_identity_key_cert_pairs();
  }
  return Credentials{.channel = grpc::experimental::TlsCredentials(channel),
                     .server = grpc::experimental::TlsServerCredentials(server)};
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials(const std::string& authority_file) {
  grpc::SslCredentialsOptions options;
  if (!authority_file.empty()) {
    RM_ASSIGN_OR_RETURN(options.pem_root_certs, ReadCertificate(authority_file));
  }
  return grpc::SslCredentials(options);
}

}  // namespace rivermeet::rpc
