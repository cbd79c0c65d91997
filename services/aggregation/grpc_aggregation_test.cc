#include "aggregation/grpc_aggregation.h"

#include <catch2/catch.hpp>
#include <future>

#include "aggregation/test_world.h"
#include "rpc/server.h"

namespace rivermeet::aggregation {
namespace {

class TenantToken final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time) override {
    if (bearer != "acme" && bearer != "other") return absl::UnauthenticatedError("not a good token");
    authn::Principal principal;
    principal.subject = "ada";
    principal.tenant = bearer;
    principal.role = authn::Role::kViewer;
    return principal;
  }
  absl::Status Recheck(const authn::Principal&, absl::Time) override {
    return revoked ? absl::UnauthenticatedError("revoked") : absl::OkStatus();
  }
  std::atomic<bool> revoked = false;
};

struct Served {
  size_t unsent_limit = size_t{256} << 20;
  TwoPartitions world{};
  ReaderPool pool{1, 16};
  TenantToken verifier{};
  rpc::BearerVerifier bearers{{.recheck = absl::Milliseconds(50)}, verifier};
  rpc::Authorizer authorizer{bearers};
  GrpcAggregation grpc{world.service, pool, authorizer, unsent_limit};
  std::unique_ptr<rpc::Server> server = rpc::Server::Start({.listen = ""}, {&grpc}).value();
  std::unique_ptr<v1::AggregationService::Stub> stub = v1::AggregationService::NewStub(server->InProcessChannel());

  ~Served() { server->Stop(absl::Now() + absl::Seconds(1)); }
  static void Prepare(grpc::ClientContext& context, const std::string& bearer,
                      absl::Duration timeout = absl::Seconds(20)) {
    rpc::CallInfo info;
    info.bearer = bearer;
    rpc::PrepareCall(context, info, timeout);
  }
};

// A watch of acme's for Query({0}).
struct Watch {
  grpc::ClientContext context{};
  v1::WatchPartialsResponse response{};
  std::unique_ptr<grpc::ClientReader<v1::WatchPartialsResponse>> reader{};

  explicit Watch(Served& served) {
    Served::Prepare(context, "acme");
    v1::WatchPartialsRequest request;
    *request.mutable_query() = Query({0});
    reader = served.stub->WatchPartials(&context, request);
  }
  bool Read() { return reader->Read(&response); }
  grpc::StatusCode ReadToTheEnd() {
    while (Read()) {
    }
    return reader->Finish().error_code();
  }
};

TEST_CASE("reads and watches work over gRPC, with the tenant from the token alone", "[aggregation]") {
  Served served;
  CHECK(served.world.Wait(0, Append(*served.world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}})).ok());
  for (const std::string bearer : {"acme", "other", "nobody"}) {
    grpc::ClientContext context;
    Served::Prepare(context, bearer);
    v1::ReadPartialsRequest request;
    *request.mutable_query() = Query({0});
    auto reader = served.stub->ReadPartials(&context, request);
    v1::ReadPartialsResponse response;
    int rows = 0;
    while (reader->Read(&response)) rows += response.partials().window_start_us_size();
    const grpc::Status status = reader->Finish();
    CHECK(rows == (bearer == "acme" ? 1 : 0));
    CHECK(status.error_code() == (bearer == "nobody" ? grpc::StatusCode::UNAUTHENTICATED : grpc::StatusCode::OK));
  }
  Watch watch(served);
  REQUIRE(watch.Read());
  CHECK(watch.response.snapshot());
  CHECK(watch.response.partials().event_count(0) == 1);
  Append(*served.world.log, 0, 2, {{kStart, {}, {{"x", 1}}, {}}});
  REQUIRE(watch.Read());
  CHECK_FALSE(watch.response.snapshot());
  CHECK(watch.response.partials().event_count(0) == 2);
  watch.context.TryCancel();
  CHECK(watch.ReadToTheEnd() == grpc::StatusCode::CANCELLED);
}

TEST_CASE("answers that nobody takes are not kept without end", "[aggregation]") {
  Served served{.unsent_limit = 1};
  const v1::ReadPartialsRequest request = FillWithRows(served.world);
  grpc::ClientContext context;
  Served::Prepare(context, "acme");
  auto reader = served.stub->ReadPartials(&context, request);
  reader->WaitForInitialMetadata();
  // The pool's one thread has added it all up once it comes to this.
  std::promise<void> added_up;
  RM_CHECK_OK(served.pool.Run([&] { added_up.set_value(); }));
  added_up.get_future().wait();
  v1::ReadPartialsResponse response;
  int responses = 0;
  while (reader->Read(&response)) ++responses;
  CHECK(responses == 1);
  CHECK(reader->Finish().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_CASE("a watch over gRPC ends when its caller's bearer is revoked", "[aggregation]") {
  Served served;
  CHECK(served.world.Wait(0, Append(*served.world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}})).ok());
  Watch watch(served);
  REQUIRE(watch.Read());
  served.verifier.revoked = true;
  CHECK(watch.ReadToTheEnd() == grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("a wait over gRPC ends with the fold or with its deadline", "[aggregation]") {
  Served served;
  v1::WaitForOffsetsRequest request;
  request.add_positions()->set_partition(0);
  request.mutable_positions(0)->set_through_offset(0);
  v1::WaitForOffsetsResponse response;
  grpc::ClientContext late;
  Served::Prepare(late, "acme", absl::Milliseconds(100));
  CHECK(served.stub->WaitForOffsets(&late, request, &response).error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  Append(*served.world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}});
  grpc::ClientContext context;
  Served::Prepare(context, "acme");
  CHECK(served.stub->WaitForOffsets(&context, request, &response).ok());

  grpc::ClientContext ledger_context;
  Served::Prepare(ledger_context, "acme");
  v1::ReadLedgerRequest ledger;
  ledger.set_stream_id(1);
  ledger.add_partitions(0);
  ledger.add_partitions(1);
  v1::ReadLedgerResponse entries;
  Append(*served.world.log, 0, 2, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(served.stub->ReadLedger(&ledger_context, ledger, &entries).ok());
  REQUIRE(entries.entries_size() == 2);
  CHECK(entries.entries(0).folded() == 2);
}

}  // namespace
}  // namespace rivermeet::aggregation
