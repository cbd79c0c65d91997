#include "aggregation/aggregation_service.h"

#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <random>

#include "aggregation/grpc_aggregation.h"
#include "aggregation/test_world.h"
#include "rpc/server.h"

namespace rivermeet::aggregation {
namespace {

// Two owned partitions over a real log.
struct World {
  testing::TempDir folder;
  prometheus::Registry registry;
  AggregationMetrics metrics{registry};
  std::unique_ptr<eventlog::LocalEventLog> log = OpenLog(folder.path(), 2);
  AggregationService service;
  std::vector<std::shared_ptr<PartitionOwner>> owners;

  explicit World(size_t answer_bytes = size_t{128} << 20) : service(metrics, answer_bytes) {
    for (uint32_t partition = 0; partition < 2; ++partition) {
      PartitionOwnerOptions options;
      options.partition = partition;
      options.epoch = 7;
      options.log = log.get();
      owners.push_back(std::make_shared<PartitionOwner>(
          options, std::make_unique<windows::PartitionState>(windows::FoldOptions()), std::vector<catalog::Segment>(),
          metrics.Of(partition), [this] { service.OnChange(); }));
      service.Add(owners.back());
      owners.back()->Start();
    }
  }
  ~World() {
    for (auto& owner : owners) owner->Stop();
  }
  absl::Status Wait(uint32_t partition, int64_t offset) {
    v1::WaitForOffsetsRequest request;
    auto& position = *request.add_positions();
    position.set_partition(partition);
    position.set_through_offset(offset);
    Mutex mutex;
    CondVar changed;
    bool done = false;
    absl::Status outcome;
    auto wait = service.WaitForOffsets(request, [&](const absl::Status& status) {
      MutexLock lock(mutex);
      outcome = status;
      done = true;
      changed.NotifyAll();
    });
    MutexLock lock(mutex);
    while (!done && changed.WaitFor(mutex, absl::Seconds(20))) {
    }
    return done ? outcome : absl::DeadlineExceededError("not folded in 20 s");
  }
  v1::ReadPartialsResponse Read(const v1::PartialsQuery& query, std::string_view tenant = "acme") {
    v1::ReadPartialsRequest request;
    *request.mutable_query() = query;
    auto responses = ReadAll(service, tenant, request);
    RM_CHECK_OK(responses.status());
    RM_CHECK(responses->size() == 1);
    return std::move(responses->front());
  }
};

TEST_CASE("what was appended is read as soon as its offset is waited for", "[aggregation]") {
  World world;
  Append(*world.log, 0, 1, {{kStart, {{"host", "a"}}, {{"x", 1.5}}, {}}});
  const auto offset = Append(*world.log, 0, 2, {{kStart + 1, {{"host", "b"}}, {{"x", 2}}, {{"n", 4}}}});
  CHECK(world.Wait(0, offset).ok());
  v1::PartialsQuery query = Query({0, 1});
  query.add_measures("n");
  query.add_measures("never_seen");
  query.add_measure_is_int64(false);
  query.add_measure_is_int64(true);
  query.add_measure_is_int64(true);
  const auto response = world.Read(query);
  REQUIRE(response.partials().window_start_us_size() == 1);
  CHECK(response.partials().event_count(0) == 2);
  CHECK(response.partials().measures(0).float64_sum(0) == 3.5);
  CHECK(response.partials().measures(1).int64_sum(0) == 4);
  CHECK(response.partials().measures(2).count(0) == 0);
  CHECK(response.partials().measures(2).int64_sum_size() == 1);
  REQUIRE(response.data_version().partitions_size() == 2);
  CHECK(response.data_version().partitions(0).through_offset() == offset);
  CHECK(response.data_version().partitions(0).epoch() == 7);
  CHECK(response.data_version().partitions(1).through_offset() == -1);
}

TEST_CASE("another tenant's stream looks like one without events", "[aggregation]") {
  World world;
  CHECK(world.Wait(0, Append(*world.log, 0, 1, {{kStart, {{"h", "secret"}}, {{"x", 1}}, {}}})).ok());
  CHECK(world.Read(Query({0}), "acme").partials().window_start_us_size() == 1);
  CHECK(world.Read(Query({0}), "other").partials().window_start_us_size() == 0);
  v1::ReadDimensionValuesRequest values;
  values.set_stream_id(1);
  values.add_partitions(0);
  values.set_dimension("h");
  CHECK(world.service.ReadDimensionValues("acme", values)->values_size() == 1);
  CHECK(world.service.ReadDimensionValues("other", values)->values_size() == 0);
  v1::ReadLedgerRequest ledger;
  ledger.set_stream_id(1);
  ledger.add_partitions(0);
  CHECK(world.service.ReadLedger("acme", ledger)->entries(0).folded() == 1);
  CHECK(world.service.ReadLedger("other", ledger)->entries(0).received() == 0);
}

TEST_CASE("a partition that is not here, or whose lease has run out, is refused", "[aggregation]") {
  World world;
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({5});
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kFailedPrecondition);
  *request.mutable_query() = Query({0});
  world.owners[0]->set_serves_until(absl::ZeroDuration());
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a record that can't be parsed stops nobody", "[aggregation]") {
  World world;
  RM_CHECK_OK(world.log->AppendAndWait(0, {"\xff\xff", "junk"}, Soon()).status());
  RM_CHECK_OK(
      world.log->AppendAndWait(0, {windows::MakeHeader(1, 3).SerializeAsString(), "\xff junk"}, Soon()).status());
  const auto offset = Append(*world.log, 0, 2, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(world.Wait(0, offset).ok());
  v1::ReadLedgerRequest ledger;
  ledger.set_stream_id(1);
  ledger.add_partitions(0);
  const auto entry = world.service.ReadLedger("acme", ledger)->entries(0);
  CHECK(entry.folded() == 1);
  CHECK(entry.rejected() == 3);
}

TEST_CASE("whoever waits for several partitions leaves none behind when one can't come", "[aggregation]") {
  World world;
  v1::WaitForOffsetsRequest request;
  for (const uint32_t partition : {0u, 1u}) {
    auto& position = *request.add_positions();
    position.set_partition(partition);
    position.set_through_offset(1'000);
  }
  std::promise<absl::Status> ended;
  const auto wait = world.service.WaitForOffsets(request, [&](const absl::Status& status) { ended.set_value(status); });
  CHECK(world.owners[1]->waiters() == 1);
  world.owners[0]->Stop();
  CHECK(ended.get_future().get().code() == absl::StatusCode::kUnavailable);
  CHECK(world.owners[1]->waiters() == 0);
}

TEST_CASE("a query that can't be is refused with what is wrong", "[aggregation]") {
  World world;
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({0});
  request.mutable_query()->set_step_us(1'500'000);
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kInvalidArgument);
  request.mutable_query()->set_step_us(kSecond);
  request.mutable_query()->set_resolution_us(7);
  CHECK(ReadAll(world.service, "acme", request).status().code() == absl::StatusCode::kInvalidArgument);
}

// Keeps what a watch tells, put over each other.
struct Follower final : WatchSubscriber {
  bool Ready() override {
    MutexLock lock(mutex);
    return ready;
  }
  void OnResponse(std::shared_ptr<const v1::WatchPartialsResponse> response) override {
    MutexLock lock(mutex);
    if (response->snapshot()) rows.clear();
    snapshots += response->snapshot();
    ++responses;
    for (int r = 0; r < response->partials().window_start_us_size(); ++r) {
      rows[{response->partials().window_start_us(r), response->partials().partition(r)}] =
          response->partials().event_count(r);
    }
    for (const auto& version : response->data_version().partitions()) {
      through[version.partition()] = version.through_offset();
    }
    changed.NotifyAll();
  }
  void OnClosed(const absl::Status& status) override {
    MutexLock lock(mutex);
    closed = status;
    changed.NotifyAll();
  }
  template <typename Condition>
  bool Await(Condition condition) {
    const absl::Time until = Soon();
    MutexLock lock(mutex);
    while (!condition()) {
      if (absl::Now() > until) return false;
      changed.WaitFor(mutex, absl::Seconds(1));
    }
    return true;
  }

  Mutex mutex;
  CondVar changed;
  bool ready = true;
  std::map<std::pair<int64_t, uint32_t>, uint64_t> rows;
  std::map<uint32_t, int64_t> through;
  int snapshots = 0;
  int responses = 0;
  absl::Status closed;
};

TEST_CASE("a watch begins with all there is and then tells what changed", "[aggregation]") {
  World world;
  Append(*world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}, {kStart + kSecond, {}, {{"x", 1}}, {}}});
  CHECK(world.Wait(0, 0).ok());
  auto follower = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0, 1});
  request.mutable_query()->set_end_us(0);
  CHECK(world.service.WatchPartials("acme", request, follower).ok());
  CHECK(follower->Await([&] { return follower->rows.size() == 2; }));
  const auto offset = Append(*world.log, 1, 2, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(follower->Await([&] { return follower->rows.size() == 3 && follower->through[1] == offset; }));
  CHECK(follower->snapshots == 1);
  world.service.Remove(1);
  CHECK(follower->Await([&] { return follower->closed.code() == absl::StatusCode::kFailedPrecondition; }));
}

TEST_CASE("nobody watches an owner that serves no more", "[aggregation]") {
  World world;
  auto follower = std::make_shared<Follower>();
  auto late = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0});
  CHECK(world.service.WatchPartials("acme", request, follower).ok());
  CHECK(follower->Await([&] { return follower->snapshots == 1; }));
  SECTION("when its lease has run out") {
    world.owners[0]->set_serves_until(absl::ZeroDuration());
    world.service.hub().Wake();
  }
  SECTION("when it has stopped") {
    world.owners[0]->Stop();
    world.service.Remove(0);
  }
  CHECK(follower->Await([&] { return follower->closed.code() == absl::StatusCode::kFailedPrecondition; }));
  // Whoever found it before it was taken away.
  const absl::Status watching = world.service.hub().Subscribe("acme", request, {world.owners[0]}, late);
  CHECK(watching.code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("whoever watches a service that goes away is told", "[aggregation]") {
  auto follower = std::make_shared<Follower>();
  {
    World world;
    v1::WatchPartialsRequest request;
    *request.mutable_query() = Query({0});
    CHECK(world.service.WatchPartials("acme", request, follower).ok());
    CHECK(follower->Await([&] { return follower->snapshots == 1; }));
  }
  CHECK(follower->closed.code() == absl::StatusCode::kUnavailable);
}

// 60,000 rows of about 100 bytes in partition 0.
v1::ReadPartialsRequest FillWithRows(World& world) {
  int64_t last = 0;
  for (int64_t second = 0; second < 20; ++second) {
    std::vector<windows::TestEvent> events;
    for (int host = 0; host < 3'000; ++host) {
      events.push_back({kStart + second * kSecond, {{"host", std::to_string(host)}}, {{"x", 1}}, {}});
    }
    last = Append(*world.log, 0, static_cast<uint64_t>(second + 1), events);
  }
  RM_CHECK_OK(world.Wait(0, last));
  v1::ReadPartialsRequest request;
  *request.mutable_query() = Query({0});
  request.mutable_query()->add_group_by("host");
  return request;
}

TEST_CASE("a large answer comes in messages as they are made", "[aggregation]") {
  World world;
  const v1::ReadPartialsRequest request = FillWithRows(world);
  const auto responses = ReadAll(world.service, "acme", request);
  REQUIRE(responses.ok());
  REQUIRE(responses->size() == 2);
  CHECK(responses->at(0).data_version().partitions_size() == 1);
  CHECK(responses->at(0).partials().event_count_size() + responses->at(1).partials().event_count_size() == 60'000);
  CHECK(responses->at(0).ByteSizeLong() < size_t{5} << 20);
  int sent = 0;
  const absl::Status ended = world.service.ReadPartials("acme", request, [&](const v1::ReadPartialsResponse&) {
    ++sent;
    return absl::CancelledError("the reader is gone");
  });
  CHECK(ended.code() == absl::StatusCode::kCancelled);
  CHECK(sent == 1);
}

TEST_CASE("an answer over the limit is refused with what to narrow, whether it is read or watched", "[aggregation]") {
  World world(size_t{5} << 20);
  v1::ReadPartialsRequest request = FillWithRows(world);
  const absl::Status refused = ReadAll(world.service, "acme", request).status();
  CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(refused.message()).find("5 MiB of rows: ask for a shorter range") != std::string::npos);
  auto follower = std::make_shared<Follower>();
  v1::WatchPartialsRequest watch;
  *watch.mutable_query() = request.query();
  CHECK(world.service.WatchPartials("acme", watch, follower).ok());
  CHECK(follower->Await([&] { return follower->closed.code() == absl::StatusCode::kInvalidArgument; }));
  CHECK(follower->responses == 0);
  request.mutable_query()->clear_group_by();
  CHECK(ReadAll(world.service, "acme", request)->at(0).partials().event_count_size() == 20);
}

TEST_CASE("one who could not take changes gets a snapshot, the others go on", "[aggregation]") {
  World world;
  auto slow = std::make_shared<Follower>();
  auto quick = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0});
  CHECK(world.service.WatchPartials("acme", request, slow).ok());
  CHECK(world.service.WatchPartials("acme", request, quick).ok());
  CHECK(slow->Await([&] { return slow->snapshots == 1; }));
  CHECK(quick->Await([&] { return quick->snapshots == 1; }));
  {
    MutexLock lock(slow->mutex);
    slow->ready = false;
  }
  Append(*world.log, 0, 1, {{kStart, {}, {{"x", 1}}, {}}});
  CHECK(quick->Await([&] { return quick->rows.size() == 1; }));
  {
    MutexLock lock(slow->mutex);
    CHECK(slow->rows.empty());
    slow->ready = true;
  }
  world.service.hub().Wake();
  CHECK(slow->Await([&] { return slow->snapshots == 2 && slow->rows.size() == 1; }));
  CHECK(quick->snapshots == 1);
}

TEST_CASE("a watch of a busy stream ends where a read does", "[aggregation]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  World world;
  auto follower = std::make_shared<Follower>();
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0, 1}, 10 * kSecond);
  request.mutable_interval()->set_nanos(5'000'000);
  CHECK(world.service.WatchPartials("acme", request, follower).ok());
  int64_t last[2] = {-1, -1};
  for (uint64_t batch = 1; batch <= 300; ++batch) {
    std::vector<windows::TestEvent> events;
    for (int e = 0; e < 5; ++e) {
      events.push_back({kStart + static_cast<int64_t>(batch) * kSecond / 3 -
                            static_cast<int64_t>(random() % 3) * kSecond + 3 * kSecond,
                        {{"host", std::to_string(random() % 9)}},
                        {{"x", 1}},
                        {}});
    }
    const uint32_t partition = random() % 2;
    last[partition] = Append(*world.log, partition, batch, events);
  }
  CHECK(follower->Await([&] { return follower->through[0] >= last[0] && follower->through[1] >= last[1]; }));
  const auto response = world.Read(request.query());
  std::map<std::pair<int64_t, uint32_t>, uint64_t> rows;
  for (int r = 0; r < response.partials().window_start_us_size(); ++r) {
    rows[{response.partials().window_start_us(r), response.partials().partition(r)}] =
        response.partials().event_count(r);
  }
  MutexLock lock(follower->mutex);
  CHECK(follower->rows == rows);
  CHECK(follower->responses > 2);
}

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
  World world{};
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
  grpc::ClientContext context;
  Served::Prepare(context, "acme");
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0});
  auto reader = served.stub->WatchPartials(&context, request);
  v1::WatchPartialsResponse response;
  REQUIRE(reader->Read(&response));
  CHECK(response.snapshot());
  CHECK(response.partials().event_count(0) == 1);
  Append(*served.world.log, 0, 2, {{kStart, {}, {{"x", 1}}, {}}});
  REQUIRE(reader->Read(&response));
  CHECK_FALSE(response.snapshot());
  CHECK(response.partials().event_count(0) == 2);
  context.TryCancel();
  while (reader->Read(&response)) {
  }
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
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
  grpc::ClientContext context;
  Served::Prepare(context, "acme");
  v1::WatchPartialsRequest request;
  *request.mutable_query() = Query({0});
  auto reader = served.stub->WatchPartials(&context, request);
  v1::WatchPartialsResponse response;
  REQUIRE(reader->Read(&response));
  served.verifier.revoked = true;
  while (reader->Read(&response)) {
  }
  CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAUTHENTICATED);
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
