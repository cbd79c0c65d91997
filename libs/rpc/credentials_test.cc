#include "rpc/credentials.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "rivermeet/ingest/v1/streams.grpc.pb.h"
#include "rpc/authorizer.h"
#include "rpc/bearer_verifier.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/status.h"
#include "testing/certificate_authority.h"

namespace rivermeet::rpc {
namespace {

using ingest::v1::StreamService;
using testing::CertificateAuthority;

class OneToken final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time) override {
    if (bearer != "good") return absl::UnauthenticatedError("not a good token");
    return authn::Principal{.subject = "ada", .tenant = "t1", .role = authn::Role::kViewer};
  }
};

class Streams final : public StreamService::Service {
 public:
  explicit Streams(const Authorizer& authorizer) : authorizer_(authorizer) {}
  grpc::Status ListStreams(grpc::ServerContext* context, const ingest::v1::ListStreamsRequest*,
                           ingest::v1::ListStreamsResponse*) override {
    return ToGrpc(authorizer_.Authorize(*context, "rivermeet.ingest.v1.StreamService.ListStreams").status());
  }

 private:
  const Authorizer& authorizer_;
};

config::v1::RpcConfig ConfigOf(const CertificateAuthority& authority) {
  config::v1::RpcConfig config;
  config.set_tls_certificate(authority.certificate());
  config.set_tls_key(authority.key());
  config.set_tls_authority(authority.authority());
  return config;
}

struct World {
  CertificateAuthority authority;
  OneToken verifier;
  BearerVerifier bearers{{}, verifier};
  Authorizer authorizer{bearers};
  Streams streams{authorizer};
  Credentials credentials = ReadCredentials(ConfigOf(authority)).value();
  std::unique_ptr<Server> server =
      Server::Start({.listen = "127.0.0.1:0", .credentials = credentials.server}, {&streams}).value();

  // Without retries: each failure is seen.
  std::shared_ptr<grpc::Channel> Channel(std::shared_ptr<grpc::ChannelCredentials> with,
                                         std::string_view host = "127.0.0.1") const {
    return MakeStreamingChannel(fmt::format("{}:{}", host, server->port()), std::move(with));
  }
};

absl::Status List(const std::shared_ptr<grpc::Channel>& channel, const std::string& token = "good") {
  grpc::ClientContext context;
  PrepareCall(context, {.bearer = token}, absl::Seconds(10));
  ingest::v1::ListStreamsResponse response;
  return FromGrpc(StreamService::NewStub(channel)->ListStreams(&context, {}, &response));
}

TEST_CASE("with TLS, a peer shows its certificate or its token, and a stranger's certificate is refused", "[rpc]") {
  World world;
  const auto client = ClientCredentials(world.authority.authority()).value();
  CHECK(List(world.Channel(world.credentials.channel)).ok());
  CHECK(List(world.Channel(world.credentials.channel, "localhost")).ok());
  CHECK(List(world.Channel(client)).ok());
  CHECK(absl::IsUnauthenticated(List(world.Channel(client), "bad")));
  CHECK(absl::IsUnavailable(List(world.Channel(grpc::InsecureChannelCredentials()))));
  // Neither believes the other.
  CertificateAuthority stranger;
  CHECK(absl::IsUnavailable(List(world.Channel(ClientCredentials(stranger.authority()).value()))));
  config::v1::RpcConfig forged = ConfigOf(stranger);
  forged.set_tls_authority(world.authority.authority());
  CHECK(absl::IsUnavailable(List(world.Channel(ReadCredentials(forged).value().channel))));
}

TEST_CASE("certificates and their authority are replaced under load, and no call fails", "[rpc]") {
  World world;
  CertificateAuthority next;
  const std::string both = world.authority.authority() + ".both";
  std::ofstream(both) << std::ifstream(world.authority.authority()).rdbuf() << std::ifstream(next.authority()).rdbuf();
  std::atomic<bool> over{false};
  std::atomic<int> called{0}, failed{0};
  std::vector<std::thread> callers;
  for (const bool keeps : {true, false, false}) {
    callers.emplace_back([&, keeps] {
      std::shared_ptr<grpc::Channel> channel;
      while (!over) {
        // Equal credentials would share a connection.
        if (!keeps || channel == nullptr) channel = world.Channel(ClientCredentials(both).value());
        failed += !List(channel).ok();
        ++called;
      }
    });
  }
  CHECK(absl::IsUnavailable(List(world.Channel(ClientCredentials(next.authority()).value()))));
  std::filesystem::rename(next.certificate(), world.authority.certificate());
  std::filesystem::rename(next.key(), world.authority.key());
  std::filesystem::copy_file(next.authority(), world.authority.authority() + ".new");
  std::filesystem::rename(world.authority.authority() + ".new", world.authority.authority());
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  absl::Status taken = absl::UnavailableError("not asked");
  while (!taken.ok() && absl::Now() < deadline) {
    taken = List(world.Channel(ClientCredentials(next.authority()).value()));
  }
  CHECK(taken.ok());
  // The other processes, whose files are the same.
  CHECK(List(world.Channel(world.credentials.channel)).ok());
  over = true;
  for (std::thread& caller : callers) caller.join();
  CHECK(failed == 0);
  CHECK(called > 20);
}

TEST_CASE("TLS files go together, and each is looked at", "[rpc]") {
  config::v1::RpcConfig config;
  CHECK(ReadCredentials(config).ok());
  config.set_tls_key("/nowhere");
  CHECK(absl::IsInvalidArgument(ReadCredentials(config).status()));
  config.set_tls_certificate("/nowhere");
  config.set_tls_authority("/nowhere");
  CHECK(absl::IsNotFound(ReadCredentials(config).status()));
  CHECK(absl::IsNotFound(ClientCredentials("/nowhere").status()));
  CHECK(absl::IsInvalidArgument(ClientCredentials("/etc/hostname").status()));
  CHECK(ClientCredentials("").ok());
}

}  // namespace
}  // namespace rivermeet::rpc
