#include "client/grpc_channel.h"

#include <catch2/catch.hpp>

#include "base/status.h"
#include "base/strings.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rpc/call.h"
#include "rpc/credentials.h"
#include "rpc/server.h"
#include "testing/certificate_authority.h"

namespace rivermeet::client {
namespace {

// Answers UNIMPLEMENTED to whoever reaches it.
struct Unimplemented {
  explicit Unimplemented(std::shared_ptr<grpc::ServerCredentials> credentials)
      : server(rpc::Server::Start({.listen = "127.0.0.1:0", .credentials = credentials}, {&service}).value()) {}
  std::string address() const { return fmt::format("127.0.0.1:{}", server->port()); }
  ingest::v1::IngestService::Service service;
  std::unique_ptr<rpc::Server> server;
};

grpc::StatusCode Call(const Connection& connection) {
  grpc::ClientContext context;
  rpc::PrepareCall(context, {.bearer = "rm_a_b"}, absl::Seconds(10));
  ingest::v1::OpenProducerResponse response;
  return ingest::v1::IngestService::NewStub(OpenChannel(connection).value())
      ->OpenProducer(&context, {}, &response)
      .error_code();
}

TEST_CASE("a client with a key reaches a server with TLS, and knows it from a stranger", "[client]") {
  testing::CertificateAuthority authority;
  config::v1::RpcConfig config;
  config.set_tls_certificate(authority.certificate());
  config.set_tls_key(authority.key());
  config.set_tls_authority(authority.authority());
  const Unimplemented server(rpc::ReadCredentials(config)->server);
  Connection connection;
  connection.grpc_address = "https://" + server.address();
  connection.authority_file = authority.authority();
  CHECK(Call(connection) == grpc::StatusCode::UNIMPLEMENTED);
  testing::CertificateAuthority stranger;
  connection.authority_file = stranger.authority();
  CHECK(Call(connection) == grpc::StatusCode::UNAVAILABLE);
  connection.authority_file.clear();
  CHECK(Call(connection) == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("to this machine no TLS is spoken, to another one it is unless it is told otherwise", "[client]") {
  const Unimplemented server(grpc::InsecureServerCredentials());
  Connection connection;
  connection.authority_file = "/nowhere";  // only TLS needs it
  connection.grpc_address = server.address();
  CHECK(Call(connection) == grpc::StatusCode::UNIMPLEMENTED);
  connection.grpc_address = "10.1.2.3:7401";
  CHECK(absl::IsNotFound(OpenChannel(connection).status()));
  connection.plain_http = true;
  CHECK(OpenChannel(connection).ok());
  connection.grpc_address = "https://10.1.2.3:7401";
  CHECK(absl::IsNotFound(OpenChannel(connection).status()));
}

}  // namespace
}  // namespace rivermeet::client
