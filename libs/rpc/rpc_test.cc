#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/generic/generic_stub.h"
#include "rivermeet/aggregation/v1/aggregation.grpc.pb.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rivermeet/ingest/v1/streams.grpc.pb.h"
#include "rivermeet/query/v1/query.grpc.pb.h"
#include "rpc/authorizer.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/status.h"
#include "testing/eventually.h"

namespace rivermeet::rpc {
namespace {

using ingest::v1::StreamService;

class OneToken final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time) override {
    if (bearer != "good") return absl::UnauthenticatedError("not a good token");
    return principal;
  }
  authn::Principal principal{.subject = "ada", .tenant = "t1", .role = authn::Role::kViewer};
};

class Streams final : public StreamService::Service {
 public:
  explicit Streams(const Authorizer& authorizer) : authorizer_(authorizer) {}

  grpc::Status ListStreams(grpc::ServerContext* context, const ingest::v1::ListStreamsRequest*,
                           ingest::v1::ListStreamsResponse* response) override {
    if (refusals > 0) {
      --refusals;
      return {grpc::StatusCode::UNAVAILABLE, "not now"};
    }
    const auto caller = authorizer_.Authorize(*context, "rivermeet.ingest.v1.StreamService.ListStreams");
    if (!caller.ok()) return ToGrpc(caller.status());
    response->add_streams()->set_name(caller->principal.tenant + caller->call.traceparent.substr(0, 35));
    deadline = caller->call.deadline;
    return grpc::Status::OK;
  }
  grpc::Status DeleteStream(grpc::ServerContext* context, const ingest::v1::DeleteStreamRequest*,
                            ingest::v1::DeleteStreamResponse*) override {
    return ToGrpc(authorizer_.Authorize(*context, "rivermeet.ingest.v1.StreamService.DeleteStream").status());
  }
  absl::Time deadline;
  std::atomic<int> refusals = 0;  // of the next calls

 private:
  const Authorizer& authorizer_;
};

struct Fixture {
  OneToken verifier;
  BearerVerifier bearers{{}, verifier};
  Authorizer authorizer{bearers};
  Streams streams{authorizer};
  std::unique_ptr<Server> server;

  explicit Fixture(std::string listen = "127.0.0.1:0") {
    server = Server::Start({.listen = std::move(listen)}, {&streams}).value();
  }
  std::shared_ptr<grpc::Channel> Tcp() const { return MakeChannel(fmt::format("127.0.0.1:{}", server->port())); }
};

absl::Status List(const std::shared_ptr<grpc::Channel>& channel, const CallInfo& info, std::string* name = nullptr) {
  grpc::ClientContext context;
  PrepareCall(context, info, absl::Seconds(5));
  ingest::v1::ListStreamsResponse response;
  const absl::Status status = FromGrpc(StreamService::NewStub(channel)->ListStreams(&context, {}, &response));
  if (name != nullptr && status.ok()) *name = response.streams(0).name();
  return status;
}

TEST_CASE("a call carries token, trace and deadline, over TCP and in process", "[rpc]") {
  Fixture fixture;
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  for (const auto& channel : {fixture.Tcp(), fixture.server->InProcessChannel()}) {
    std::string name;
    REQUIRE(List(channel, {.bearer = "good", .traceparent = trace}, &name).ok());
    CHECK(name == "t1" + trace.substr(0, 35));
    CHECK(fixture.streams.deadline < absl::Now() + absl::Seconds(6));
  }
}

TEST_CASE("no token, a bad token and a low role are refused", "[rpc]") {
  Fixture fixture;
  CHECK(absl::IsUnauthenticated(List(fixture.Tcp(), {})));
  CHECK(absl::IsUnauthenticated(List(fixture.Tcp(), {.bearer = "bad"})));
  grpc::ClientContext context;
  PrepareCall(context, {.bearer = "good"}, absl::Seconds(5));
  ingest::v1::DeleteStreamResponse response;
  CHECK(StreamService::NewStub(fixture.Tcp())->DeleteStream(&context, {}, &response).error_code() ==
        grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("a one-time password opens nothing else", "[rpc]") {
  Fixture fixture;
  fixture.verifier.principal.must_change_password = true;
  CHECK(absl::IsPermissionDenied(List(fixture.Tcp(), {.bearer = "good"})));
}

TEST_CASE("every RPC says who may call it", "[rpc]") {
  for (const google::protobuf::FileDescriptor* file :
       {ingest::v1::IngestRequest::descriptor()->file(), ingest::v1::ListStreamsRequest::descriptor()->file(),
        query::v1::QueryRequest::descriptor()->file(), auth::v1::LoginRequest::descriptor()->file(),
        aggregation::v1::PartialsQuery::descriptor()->file()}) {
    REQUIRE(file->service_count() == 1);
    const auto* service = file->service(0);
    for (int i = 0; i < service->method_count(); ++i) {
      INFO(service->method(i)->full_name());
      CHECK(AccessOf(*service->method(i)) != options::v1::ACCESS_UNSPECIFIED);
    }
  }
}

class Held final : public StreamService::Service {
 public:
  grpc::Status ListStreams(grpc::ServerContext*, const ingest::v1::ListStreamsRequest*,
                           ingest::v1::ListStreamsResponse*) override {
    released.wait(false);
    return grpc::Status::OK;
  }
  std::atomic<bool> released = false;
};

TEST_CASE("calls that hold a thread each are refused beyond the server's threads", "[rpc]") {
  Held held;
  const auto server = Server::Start({.max_threads = 4}, {&held}).value();
  const auto channel = server->InProcessChannel();
  std::atomic<int> refused = 0, served = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back([&] {
      const absl::Status status = List(channel, {});
      (status.ok() ? served : refused) += status.ok() || absl::IsResourceExhausted(status);
    });
  }
  REQUIRE(testing::Eventually([&] { return refused >= 16; }));
  held.released = true;
  held.released.notify_all();
  for (std::thread& caller : callers) caller.join();
  CHECK(served + refused == 20);
  CHECK(served > 0);
}

// What grpc.health.v1.Health.Check answers: an encoded HealthCheckResponse.
std::string Health(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  const grpc::Slice nothing;
  const grpc::ByteBuffer request(&nothing, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  REQUIRE(done.get_future().get().ok());
  grpc::Slice slice;
  REQUIRE(response.DumpToSingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

TEST_CASE("a server's health is good once it is said to be", "[rpc]") {
  Fixture fixture;
  const std::string good("\x08\x01");
  CHECK(Health(fixture.Tcp()) != good);
  fixture.server->SetServing(true);
  CHECK(Health(fixture.Tcp()) == good);
  fixture.server->SetServing(false);
  CHECK(Health(fixture.Tcp()) != good);
}

TEST_CASE("a taken address is said by name", "[rpc]") {
  Fixture fixture;
  const std::string taken = fmt::format("127.0.0.1:{}", fixture.server->port());
  const auto second = Server::Start({.listen = taken}, {});
  REQUIRE_FALSE(second.ok());
  CHECK(std::string(second.status().message()).find(taken) != std::string::npos);
}

TEST_CASE("a call to nobody ends within its deadline", "[rpc]") {
  const auto status = List(MakeChannel("127.0.0.1:1"), {.bearer = "good", .deadline = absl::Now() + absl::Seconds(1)});
  CHECK((absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)));
}

TEST_CASE("a call refused for now is tried again, but not on a channel for streams", "[rpc]") {
  Fixture fixture;
  const std::string address = fmt::format("127.0.0.1:{}", fixture.server->port());
  fixture.streams.refusals = 2;
  CHECK(List(MakeChannel(address), {.bearer = "good"}).ok());
  fixture.streams.refusals = 2;
  CHECK(absl::IsUnavailable(List(MakeStreamingChannel(address), {.bearer = "good"})));
  CHECK(fixture.streams.refusals == 1);
}

}  // namespace
}  // namespace rivermeet::rpc
