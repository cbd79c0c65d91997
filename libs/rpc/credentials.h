// TLS between processes, and from clients with an API key.
#ifndef RIVERMEET_RPC_CREDENTIALS_H_
#define RIVERMEET_RPC_CREDENTIALS_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rivermeet/config/v1/shared.pb.h"

namespace rivermeet::rpc {

// What the channels and the server of a process show and ask for.
struct Credentials {
  std::shared_ptr<grpc::ChannelCredentials> channel = grpc::InsecureChannelCredentials();
  std::shared_ptr<grpc::ServerCredentials> server = grpc::InsecureServerCredentials();
};

// TLS with the files that `config` names, plain ones when it names none. The files are looked at once a second; new
// connections are made with what they hold then. Channels show the certificate and check the server's and its name. The
// server refuses a certificate that the authority has not signed; a peer without one is told from others by its token
// alone (docs/adr/0075).
//
// Errors:
//   INVALID_ARGUMENT     Some but not all three are named; or one is no certificate, or expired.
//   NOT_FOUND            A file is missing.
//   FAILED_PRECONDITION  The key can be read by others.
absl::StatusOr<Credentials> ReadCredentials(const config::v1::RpcConfig& config);

// For a client with an API key: shows no certificate, checks the server's and its name. `authority_file` is a PEM file
// of the authorities that may have signed it; empty: those that the system trusts.
//
// Errors:
//   NOT_FOUND         No such file.
//   INVALID_ARGUMENT  It is no certificate, or has expired.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ClientCredentials(const std::string& authority_file);

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_CREDENTIALS_H_
