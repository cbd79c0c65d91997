// Query over aggregation: real log, real PostgreSQL, real segments, real gRPC. With RIVERMEET_TEST_LOG=kafka in the
// environment the log is a real Kafka broker's, else the built-in one.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "aggregation/aggregation_module.h"
#include "catalog/postgres_fixture.h"
#include "catalog/settings_store.h"
#include "catalog/stream_store.h"
#include "eventlog/kafka_event_log.h"
#include "eventlog/local_event_log.h"
#include "events/series_hash.h"
#include "objects/file_object_store.h"
#include "query/query_module.h"
#include "rivermeet/query/v1/query.grpc.pb.h"
#include "rpc/server.h"
#include "testing/kafka_broker.h"
#include "testing/temp_dir.h"
#include "visibility/visibility_token.h"
#include "windows/batch_builder.h"

namespace rivermeet {
namespace {

constexpr int64_t kSecond = 1'000'000;
// A whole minute, half an hour ago, in seconds.
const int64_t kStart = absl::ToUnixSeconds(absl::Now()) / 60 * 60 - 1'800;

absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

class AcmeToken final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view, absl::Time) override {
    authn::Principal principal;
    principal.tenant = "acme";
    principal.role = authn::Role::kViewer;
    return principal;
  }
};

// One for all tests of this program.
const std::string& Broker() {
  static const testing::TempDir folder;
  static const std::unique_ptr<testing::KafkaBroker> broker = testing::KafkaBroker::Start(folder.path()).value();
  return broker->address();
}

std::unique_ptr<eventlog::EventLog> OpenLog(const std::string& folder) {
  const char* const kind = std::getenv("RIVERMEET_TEST_LOG");
  if (kind == nullptr || std::string_view(kind) != "kafka") {
    eventlog::LocalEventLogOptions options;
    options.folder = folder;
    options.partitions = 2;
    return eventlog::LocalEventLog::Open(options).value();
  }
  static int topics = 0;
  eventlog::KafkaEventLogOptions options;
  options.brokers = Broker();
  options.topic = "events-" + std::to_string(++topics);
  options.partitions = 2;
  return eventlog::KafkaEventLog::Open(options).value();
}

// What outlives a process.
struct Machine {
  Machine() {
    objects = objects::FileObjectStore::Open({.folder = folder / "objects"}).value();
    log = OpenLog(folder / "log");
    RM_CHECK_OK(catalog.database().Execute(Soon(), "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')").status());
    catalog::Stream declared;
    declared.tenant = "acme";
    declared.name = "s";
    declared.partitions = 2;
    declared.fields = {{.name = "host"},
                       {.name = "cpu", .type = catalog::FieldType::kFloat64},
                       {.name = "bytes", .type = catalog::FieldType::kInt64, .kind = catalog::MeasureKind::kCounter}};
    stream = catalog::StreamStore(catalog.database()).Declare(declared, Soon()).value();
  }

  // Two events a second from `from` to `to`, one a partition: host p<stream partition>, cpu = 1, bytes grows by 10.
  // Returns a visibility token for them.
  std::string Feed(int64_t from, int64_t to) {
    ingest::v1::VisibilityToken content;
    content.set_stream("s");
    content.mutable_issued()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    for (uint32_t p = 0; p < 2; ++p) {
      std::vector<windows::TestEvent> events;
      for (int64_t second = from; second < to; ++second) {
        events.push_back(
            {(kStart + second) * kSecond, {{"host", "p" + std::to_string(p)}}, {{"cpu", 1}}, {{"bytes", 10 * second}}});
      }
      events::v1::RecordHeader header = windows::MakeHeader(++sequence, static_cast<uint32_t>(events.size()));
      header.set_stream_id(stream.id);
      header.set_stream_partition(p);
      const uint32_t partition = events::LogPartitionOf("acme", "s", p, 2);
      const auto offset = log->AppendAndWait(
          partition, {header.SerializeAsString(), windows::MakeBatch(events).SerializeAsString()}, Soon());
      RM_CHECK_OK(offset.status());
      auto* position = content.add_positions();
      position->set_partition(partition);
      position->set_offset(*offset);
    }
    const auto key = catalog::SettingsStore(catalog.database()).Get(visibility::kKeySetting, Soon());
    RM_CHECK_OK(key.status());
    return visibility::VisibilityTokens(*key).Issue("acme", content);
  }

  testing::TempDir folder;
  catalog::CatalogFixture catalog;
  std::unique_ptr<objects::FileObjectStore> objects;
  std::unique_ptr<eventlog::EventLog> log;
  catalog::Stream stream;
  uint64_t sequence = 0;
};

// A process with both services.
struct Process {
  explicit Process(Machine& machine, absl::Duration snapshot_interval = absl::Hours(1))
      : segments({machine.objects.get(), machine.folder / "objects"}) {
    config::v1::AggregationConfig config;
    config.set_owner_name("one");
    config.mutable_snapshot_interval()->set_seconds(absl::ToInt64Seconds(snapshot_interval));
    config.mutable_snapshot_interval()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(snapshot_interval % absl::Seconds(1))));
    config.mutable_hot_age()->set_seconds(0);
    aggregation::AggregationDependencies needs;
    needs.log = machine.log.get();
    needs.objects = machine.objects.get();
    needs.database = &machine.catalog.database();
    needs.authorizer = &authorizer;
    needs.registry = &registry;
    needs.scratch_folder = machine.folder / "scratch";
    aggregation = aggregation::AggregationModule::Open(config, needs, Soon()).value();
    query::QueryDependencies query_needs;
    query_needs.database = &machine.catalog.database();
    query_needs.segments = &segments;
    query_needs.authorizer = &authorizer;
    query_needs.registry = &registry;
    query_needs.channel = [this](const std::string&) { return server->InProcessChannel(); };
    query = query::QueryModule::Open({}, query_needs, Soon()).value();
    server = rpc::Server::Start({.listen = ""}, {&aggregation->service(), &query->service()}).value();
    RM_CHECK_OK(aggregation->Start("one", Soon()));
    stub = query::v1::QueryService::NewStub(server->InProcessChannel());
  }
  ~Process() {
    query->Stop(absl::Now() + absl::Seconds(5));
    aggregation->Stop(Soon());
    server->Stop(absl::Now() + absl::Seconds(1));
  }

  query::v1::QueryResponse Ask(const query::v1::TimeSeriesQuery& asked, const std::string& wait_for = "") {
    grpc::ClientContext context;
    rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(30));
    query::v1::QueryRequest request;
    *request.mutable_query() = asked;
    request.set_wait_for(wait_for);
    query::v1::QueryResponse response;
    const grpc::Status status = stub->Query(&context, request, &response);
    INFO(status.error_message());
    CHECK(status.ok());
    return response;
  }

  AcmeToken verifier;
  rpc::BearerVerifier bearers{{}, verifier};
  rpc::Authorizer authorizer{bearers};
  prometheus::Registry registry;
  segments::SegmentReader segments;
  std::unique_ptr<aggregation::AggregationModule> aggregation;
  std::unique_ptr<query::QueryModule> query;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<query::v1::QueryService::Stub> stub;
};

query::v1::TimeSeriesQuery By(int64_t step, int64_t seconds = 1'200) {
  query::v1::TimeSeriesQuery asked;
  asked.set_stream("s");
  asked.mutable_start()->set_seconds(kStart);
  asked.mutable_end()->set_seconds(kStart + seconds);
  asked.mutable_step()->set_seconds(step);
  asked.add_group_by("host");
  asked.add_aggregates()->set_function(query::v1::AGGREGATE_FUNCTION_COUNT);
  asked.add_aggregates()->set_measure("cpu");
  asked.mutable_aggregates(1)->set_function(query::v1::AGGREGATE_FUNCTION_SUM);
  asked.add_aggregates()->set_measure("bytes");
  asked.mutable_aggregates(2)->set_function(query::v1::AGGREGATE_FUNCTION_LAST);
  asked.add_aggregates()->set_measure("bytes");
  asked.mutable_aggregates(3)->set_function(query::v1::AGGREGATE_FUNCTION_RATE);
  return asked;
}

// Rows by host and second: count, sum of cpu, last of bytes, rate of bytes.
using Rows = std::map<std::pair<std::string, int64_t>, std::tuple<int64_t, double, int64_t, double>>;

void Take(const query::v1::Frame& frame, Rows& rows) {
  REQUIRE(frame.columns_size() == 6);
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    const std::string host = frame.columns(1).dictionary(static_cast<int>(frame.columns(1).index(row)) - 1);
    rows[{host, frame.columns(0).int64_values(row) / kSecond - kStart}] = {
        frame.columns(2).int64_values(row), frame.columns(3).float64_values(row), frame.columns(4).int64_values(row),
        frame.columns(5).float64_values(row)};
  }
}

Rows Expected(int64_t step, int64_t seconds) {
  Rows rows;
  for (const char* host : {"p0", "p1"}) {
    for (int64_t second = 0; second < seconds; ++second) {
      auto& [count, sum, last, rate] = rows[{host, (kStart + second) / step * step - kStart}];
      ++count;
      sum += 1;
      last = 10 * second;
      rate += second == 0 ? 0 : 10.0 / static_cast<double>(step);
    }
  }
  for (auto& [key, row] : rows) std::get<3>(row) = std::round(std::get<3>(row) * 1e6) / 1e6;
  return rows;
}

Rows Rounded(Rows rows) {
  for (auto& [key, row] : rows) std::get<3>(row) = std::round(std::get<3>(row) * 1e6) / 1e6;
  return rows;
}

Rows RowsOf(const query::v1::QueryResponse& response) {
  Rows rows;
  Take(response.frame(), rows);
  return Rounded(rows);
}

}  // namespace

TEST_CASE("what was written is read with its visibility token, from memory and, after a restart, from segments",
          "[integration]") {
  Machine machine;
  const int64_t seconds = 1'200;
  {
    Process process(machine);
    machine.Feed(0, 600);
    const std::string token = machine.Feed(600, seconds);
    CHECK(RowsOf(process.Ask(By(60), token)) == Expected(60, seconds));
  }
  Process process(machine);
  for (const int64_t step : {1, 10, 30, 60, 300, 600}) {
    INFO("step " << step);
    const auto response = process.Ask(By(step));
    CHECK(RowsOf(response) == Expected(step, seconds));
    CHECK(response.stats().segments() > 0);
    CHECK(response.stats().stored_rows() > 0);
    CHECK(response.stats().hot_rows() > 0);
  }
  query::v1::GetLedgerRequest ledger_request;
  ledger_request.set_stream("s");
  grpc::ClientContext context;
  rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(30));
  query::v1::GetLedgerResponse ledger;
  CHECK(process.stub->GetLedger(&context, ledger_request, &ledger).ok());
  CHECK(ledger.balanced());
  CHECK(ledger.total().folded() == 2 * static_cast<uint64_t>(seconds));
  query::v1::ListDimensionValuesRequest values_request;
  values_request.set_stream("s");
  values_request.set_dimension("host");
  grpc::ClientContext values_context;
  rpc::PrepareCall(values_context, {.bearer = "t"}, absl::Seconds(30));
  query::v1::ListDimensionValuesResponse values;
  CHECK(process.stub->ListDimensionValues(&values_context, values_request, &values).ok());
  CHECK(values.values_size() == 2);
}

TEST_CASE("a subscription sees every event while windows move to segments", "[integration]") {
  const int64_t step = GENERATE(1, 60, 420);
  INFO("step " << step);
  Machine machine;
  Process process(machine, absl::Milliseconds(50));
  query::v1::SubscribeRequest request;
  *request.mutable_query() = By(step);
  request.mutable_query()->clear_end();
  grpc::ClientContext context;
  rpc::PrepareCall(context, {.bearer = "t"}, absl::Seconds(60));
  const auto reader = process.stub->Subscribe(&context, request);
  std::thread feeder([&] {
    for (int64_t second = 0; second < 1'200; second += 20) machine.Feed(second, second + 20);
  });
  Rows rows;
  const Rows expected = Expected(step, 1'200);
  query::v1::SubscribeResponse response;
  uint64_t sequence = 0;
  while (Rounded(rows) != expected && reader->Read(&response)) {
    CHECK(response.sequence() == ++sequence);
    if (response.snapshot()) rows.clear();
    Take(response.frame(), rows);
  }
  feeder.join();
  CHECK(Rounded(rows) == expected);
  context.TryCancel();
  reader->Finish();
}

}  // namespace rivermeet
