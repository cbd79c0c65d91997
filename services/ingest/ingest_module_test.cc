#include "ingest/ingest_module.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/postgres_fixture.h"
#include "eventlog/local_event_log.h"
#include "events/batch_builder.h"
#include "events/decoded_batch.h"
#include "ingest/admission.h"
#include "rivermeet/events/v1/event_batch.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/status.h"
#include "telemetry/metrics.h"
#include "testing/temp_dir.h"

namespace rivermeet::ingest {
namespace {

using absl::StatusCode;

// "<tenant>:<role>", or "expiring" for a token that has a moment to live.
class Tokens final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time) override {
    if (bearer == "expiring") {
      return authn::Principal{.subject = "u",
                              .tenant = tenant,
                              .role = authn::Role::kEditor,
                              .expires = absl::Now() + absl::Milliseconds(300)};
    }
    const size_t colon = bearer.find(':');
    if (colon == std::string_view::npos) return absl::UnauthenticatedError("not a token");
    const std::string_view role = bearer.substr(colon + 1);
    return authn::Principal{.subject = "u",
                            .tenant = std::string(bearer.substr(0, colon)),
                            .role = role == "viewer"  ? authn::Role::kViewer
                                    : role == "admin" ? authn::Role::kAdmin
                                                      : authn::Role::kEditor,
                            .expires = absl::InfiniteFuture()};
  }
  absl::Status Recheck(const authn::Principal& principal, absl::Time) override {
    const bool over = revoked || absl::Now() >= principal.expires;
    return over ? absl::UnauthenticatedError("the token is over") : absl::OkStatus();
  }
  std::string tenant;
  std::atomic<bool> revoked = false;
};

// The whole of ingest on a real log, a real catalog and real sockets.
class Ingest {
 public:
  explicit Ingest(config::v1::IngestConfig config = {}) {
    RM_CHECK_OK(catalog_.database().Run(Soon(), [&](catalog::Transaction& transaction) -> absl::Status {
      for (const char* name : {"acme", "other"}) {
        RM_ASSIGN_OR_RETURN(
            const catalog::Result made,
            transaction.Execute(
                fmt::format("INSERT INTO tenants (id, name) VALUES ('{}', '{}') ON CONFLICT DO NOTHING", name, name)));
      }
      return absl::OkStatus();
    }));
    log_ = eventlog::LocalEventLog::Open({.folder = folder_.path(), .partitions = 2}).value();
    module_ = IngestModule::Open(config,
                                 {.log = *log_,
                                  .database = catalog_.database(),
                                  .authorizer = authorizer_,
                                  .registry = registry_,
                                  .health = health_,
                                  .clock = Clock::System()},
                                 Soon())
                  .value();
    tokens_.tenant = "acme";
    server_ = rpc::Server::Start({.listen = "127.0.0.1:0"}, module_->Services()).value();
    module_->Start();
    channel_ = rpc::MakeStreamingChannel(fmt::format("127.0.0.1:{}", server_->port()));
    stub_ = v1::IngestService::NewStub(channel_);
    streams_ = v1::StreamService::NewStub(channel_);
  }
  ~Ingest() {
    server_->Stop(absl::Now() + absl::Seconds(5));
    module_->Stop();
    log_->Stop(absl::Now() + absl::Seconds(5));
  }

  static absl::Time Soon() { return absl::Now() + absl::Seconds(20); }
  static void Prepare(grpc::ClientContext& context, const std::string& bearer = "acme:editor") {
    rpc::PrepareCall(context, {.bearer = bearer}, absl::Seconds(20));
  }

  absl::StatusOr<v1::Receipt> Send(std::string batch, uint64_t producer = 0, uint64_t sequence = 0,
                                   const std::string& bearer = "acme:editor") {
    grpc::ClientContext context;
    Prepare(context, bearer);
    v1::IngestRequest request;
    request.set_batch(std::move(batch));
    request.set_producer_id(producer);
    request.set_sequence(sequence);
    v1::IngestResponse response;
    RM_RETURN_IF_ERROR(rpc::FromGrpc(stub_->Ingest(&context, request, &response)));
    return response.receipt();
  }
  absl::StatusOr<v1::Receipt> SendRaw(const std::string& type, const std::string& body) {
    grpc::ClientContext context;
    Prepare(context);
    v1::IngestRawRequest request;
    request.set_stream("raw");
    request.set_content_type(type);
    request.set_body(body);
    v1::IngestRawResponse response;
    RM_RETURN_IF_ERROR(rpc::FromGrpc(stub_->IngestRaw(&context, request, &response)));
    return response.receipt();
  }

  // Events in the log by (producer, sequence), each counted once.
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> Stored() {
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> events;
    for (uint32_t p = 0; p < log_->partitions(); ++p) {
      std::set<std::pair<uint64_t, uint64_t>> seen;
      auto reader = log_->OpenReader(p, 0).value();
      const eventlog::OffsetRange range = log_->Range(p, Soon()).value();
      for (eventlog::Offset next = 0; next < range.end;) {
        const std::vector<eventlog::LogRecord> records = reader->Read(1 << 20, Soon()).value();
        for (const eventlog::LogRecord& record : records) {
          next = record.offset + 1;
          events::v1::RecordHeader header;
          RM_CHECK(header.ParseFromString(record.header));
          const std::pair<uint64_t, uint64_t> number(header.producer_id(), header.sequence());
          if (seen.insert(number).second) events[number] += header.event_count();
        }
      }
    }
    return events;
  }
  uint64_t StoredEvents() {
    uint64_t events = 0;
    for (const auto& [number, count] : Stored()) events += count;
    return events;
  }

  static std::string Batch(int events, int hosts = 100, std::string_view stream = "s") {
    events::BatchBuilder builder{std::string(stream)};
    const int host = builder.DimensionColumn("host"), cpu = builder.Float64Column("cpu");
    const int64_t now_us = absl::ToUnixMicros(absl::Now());
    for (int i = 0; i < events; ++i) {
      const std::string name = fmt::format("h{}", i % hosts);
      builder.Begin(now_us);
      builder.SetDimension(host, name);
      builder.SetFloat64(cpu, i);
      builder.Commit();
    }
    return builder.Take();
  }

  const std::shared_ptr<grpc::Channel>& channel() { return channel_; }
  v1::IngestService::Stub& stub() { return *stub_; }
  v1::StreamService::Stub& streams() { return *streams_; }
  prometheus::Registry& registry() { return registry_; }
  telemetry::Health& health() { return health_; }
  eventlog::LocalEventLog& log() { return *log_; }
  Tokens& tokens() { return tokens_; }

 private:
  catalog::CatalogFixture catalog_;
  testing::TempDir folder_;
  Tokens tokens_;
  rpc::BearerVerifier bearers_{{.recheck = absl::Milliseconds(50)}, tokens_};
  rpc::Authorizer authorizer_{bearers_};
  prometheus::Registry registry_;
  telemetry::Health health_;
  std::unique_ptr<eventlog::LocalEventLog> log_;
  std::unique_ptr<IngestModule> module_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
  std::unique_ptr<v1::StreamService::Stub> streams_;
};

TEST_CASE("columns, rows and text sent over gRPC are durable when they are answered", "[ingest]") {
  Ingest ingest;
  CHECK(ingest.health().Ready());
  const auto columns = ingest.Send(Ingest::Batch(1'000));
  REQUIRE(columns.ok());
  CHECK(columns->accepted() == 1'000);
  CHECK(columns->positions_size() == 2);
  CHECK_FALSE(columns->visibility_token().empty());

  v1::IngestRowsRequest rows;
  rows.set_stream("rows");
  rows.add_float64_measures("cpu");
  for (int i = 0; i < 10; ++i) {
    rows.add_events()->set_time_us(absl::ToUnixMicros(absl::Now()));
    rows.mutable_events(i)->add_float64_measures(i);
  }
  grpc::ClientContext context;
  Ingest::Prepare(context);
  v1::IngestRowsResponse rows_response;
  REQUIRE(ingest.stub().IngestRows(&context, rows, &rows_response).ok());
  CHECK(rows_response.receipt().accepted() == 10);

  const std::string now = std::to_string(absl::ToUnixSeconds(absl::Now()));
  CHECK(ingest.SendRaw("application/json", "{\"time\":" + now + ",\"a\":1}")->accepted() == 1);
  CHECK(ingest.SendRaw("text/csv", "time,a\n" + now + ",2\n")->accepted() == 1);
  CHECK(ingest.StoredEvents() == 1'012);
  const std::string metrics = telemetry::RenderMetrics({&ingest.registry()});
  CHECK_THAT(metrics, Catch::Contains("rivermeet_ingest_accepted_events_total{form=\"columns\"} 1000"));
  CHECK_THAT(metrics, Catch::Contains("rivermeet_ingest_streams_created_total 3"));
  CHECK_THAT(metrics, Catch::Contains("rivermeet_ingest_inflight_bytes 0"));
  CHECK_THAT(metrics, Catch::Contains("rivermeet_ingest_append_seconds_count"));
}

TEST_CASE("a stream of batches is answered in order while many are under way, and a bad one ends nothing", "[ingest]") {
  Ingest ingest;
  grpc::ClientContext producer_context;
  Ingest::Prepare(producer_context);
  v1::OpenProducerResponse producer;
  REQUIRE(ingest.stub().OpenProducer(&producer_context, {}, &producer).ok());
  CHECK(producer.producer_id() != 0);

  constexpr uint64_t kBatches = 2'000;
  grpc::ClientContext context;
  Ingest::Prepare(context);
  const auto stream = ingest.stub().IngestStream(&context);
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kBatches; ++i) {
      v1::IngestStreamRequest request;
      request.mutable_request()->set_producer_id(producer.producer_id());
      request.mutable_request()->set_sequence(i);
      request.mutable_request()->set_batch(i % 100 == 0 ? "not a batch" : Ingest::Batch(50));
      if (!stream->Write(request)) break;
    }
    stream->WritesDone();
  });
  uint64_t expected = 0, accepted = 0, refused = 0;
  v1::IngestStreamResponse response;
  while (stream->Read(&response)) {
    REQUIRE(response.sequence() == ++expected);
    accepted += response.receipt().accepted();
    if (response.code() != 0) {
      ++refused;
      CHECK(response.code() == static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
    }
  }
  writer.join();
  CHECK(stream->Finish().ok());
  CHECK(expected == kBatches);
  CHECK(refused == kBatches / 100);
  CHECK(accepted == (kBatches - refused) * 50);
  CHECK(ingest.StoredEvents() == accepted);
}

TEST_CASE("rows come in streams too", "[ingest]") {
  Ingest ingest;
  grpc::ClientContext context;
  Ingest::Prepare(context);
  const auto stream = ingest.stub().IngestRowsStream(&context);
  for (int i = 1; i <= 100; ++i) {
    v1::IngestRowsStreamRequest request;
    request.mutable_request()->set_sequence(static_cast<uint64_t>(i));
    request.mutable_request()->set_stream("rows");
    request.mutable_request()->add_dimensions("host");
    request.mutable_request()->add_events()->set_time_us(absl::ToUnixMicros(absl::Now()));
    request.mutable_request()->mutable_events(0)->add_dimensions("a");
    REQUIRE(stream->Write(request));
  }
  stream->WritesDone();
  v1::IngestRowsStreamResponse response;
  uint64_t accepted = 0;
  while (stream->Read(&response)) accepted += response.receipt().accepted();
  CHECK(stream->Finish().ok());
  CHECK(accepted == 100);
  CHECK(ingest.StoredEvents() == 100);
}

TEST_CASE("a message that can't be read is answered in its place, and the stream goes on", "[ingest]") {
  Ingest ingest;
  v1::IngestRowsStreamRequest good;
  good.mutable_request()->set_sequence(1);
  good.mutable_request()->set_stream("rows");
  good.mutable_request()->add_dimensions("host");
  for (int i = 0; i < 2; ++i) {
    good.mutable_request()->add_events()->set_time_us(absl::ToUnixMicros(absl::Now()));
    good.mutable_request()->mutable_events(i)->add_dimensions("text");
  }
  std::string half = good.SerializeAsString();
  half.replace(half.find("text"), 4, "\xff\xff\xff\xff");
  grpc::GenericStub stub(ingest.channel());
  grpc::ClientContext context;
  Ingest::Prepare(context);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, "/rivermeet.ingest.v1.IngestService/IngestRowsStream", &queue);
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  REQUIRE(wait());
  std::vector<v1::IngestRowsStreamResponse> answers;
  for (const std::string& bytes : {std::string("\xff\xff"), half, good.SerializeAsString()}) {
    const grpc::Slice slice(bytes);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    REQUIRE(wait());
    grpc::ByteBuffer buffer;
    call->Read(&buffer, nullptr);
    REQUIRE(wait());
    REQUIRE(
        grpc::SerializationTraits<v1::IngestRowsStreamResponse>::Deserialize(&buffer, &answers.emplace_back()).ok());
  }
  call->WritesDone(nullptr);
  REQUIRE(wait());
  grpc::Status status;
  call->Finish(&status, nullptr);
  REQUIRE(wait());
  CHECK(status.ok());
  CHECK(answers[0].code() == static_cast<int>(grpc::StatusCode::INVALID_ARGUMENT));
  CHECK(answers[1].receipt().accepted() == 1);
  CHECK(answers[1].receipt().errors(0).code() == "invalid_utf8");
  CHECK(answers[2].receipt().accepted() == 2);
  CHECK(ingest.StoredEvents() == 3);
}

TEST_CASE("a sender that goes away in the middle leaves no trace but its durable batches", "[ingest]") {
  Ingest ingest;
  for (int round = 0; round < 20; ++round) {
    grpc::ClientContext context;
    Ingest::Prepare(context);
    const auto stream = ingest.stub().IngestStream(&context);
    v1::IngestStreamRequest request;
    request.mutable_request()->set_batch(Ingest::Batch(1'000));
    for (int i = 0; i < 10; ++i) {
      if (!stream->Write(request)) break;
    }
    context.TryCancel();
    v1::IngestStreamResponse response;
    while (stream->Read(&response)) {
    }
    stream->Finish();
  }
  // All under way has ended once the budget is free; the metrics say so.
  const absl::Time until = Ingest::Soon();
  while (telemetry::RenderMetrics({&ingest.registry()}).find("rivermeet_ingest_inflight_bytes 0") ==
         std::string::npos) {
    REQUIRE(absl::Now() < until);
    absl::SleepFor(absl::Milliseconds(1));
  }
  CHECK(ingest.Send(Ingest::Batch(1))->accepted() == 1);
}

TEST_CASE("without a token, with a viewer's and with an expired one nothing is taken", "[ingest]") {
  Ingest ingest;
  CHECK(ingest.Send(Ingest::Batch(1), 0, 0, "bad").status().code() == StatusCode::kUnauthenticated);
  CHECK(ingest.Send(Ingest::Batch(1), 0, 0, "acme:viewer").status().code() == StatusCode::kPermissionDenied);
  CHECK(ingest.StoredEvents() == 0);

  grpc::ClientContext context;
  Ingest::Prepare(context, "expiring");
  const auto stream = ingest.stub().IngestStream(&context);
  v1::IngestStreamRequest request;
  request.mutable_request()->set_batch(Ingest::Batch(1));
  uint64_t answered = 0;
  const absl::Time until = Ingest::Soon();
  v1::IngestStreamResponse response;
  while (absl::Now() < until && stream->Write(request) && stream->Read(&response)) ++answered;
  CHECK(stream->Finish().error_code() == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(answered >= 1);
  CHECK(ingest.StoredEvents() == answered);
}

TEST_CASE("a stream ends when its sender's bearer is revoked, though nothing is sent", "[ingest]") {
  Ingest ingest;
  grpc::ClientContext context;
  Ingest::Prepare(context);
  const auto stream = ingest.stub().IngestStream(&context);
  v1::IngestStreamRequest request;
  request.mutable_request()->set_batch(Ingest::Batch(1));
  v1::IngestStreamResponse response;
  REQUIRE((stream->Write(request) && stream->Read(&response)));
  ingest.tokens().revoked = true;
  CHECK_FALSE(stream->Read(&response));
  CHECK(stream->Finish().error_code() == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(ingest.StoredEvents() == 1);
}

TEST_CASE("a quota's refusal tells a client when to come back", "[ingest]") {
  config::v1::IngestConfig config;
  config.set_events_per_second(100);
  Ingest ingest(config);
  REQUIRE(ingest.Send(Ingest::Batch(16'384)).ok());
  grpc::ClientContext context;
  Ingest::Prepare(context);
  v1::IngestRequest request;
  request.set_batch(Ingest::Batch(1'000));
  v1::IngestResponse response;
  CHECK(ingest.stub().Ingest(&context, request, &response).error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto pushback = trailers.find("grpc-retry-pushback-ms");
  REQUIRE(pushback != trailers.end());
  int64_t milliseconds = 0;
  REQUIRE(ParseNumber(std::string_view(pushback->second.data(), pushback->second.size()), milliseconds));
  CHECK(milliseconds > 1'000);
}

TEST_CASE("with the log stopped the answer is UNAVAILABLE", "[ingest]") {
  Ingest ingest;
  REQUIRE(ingest.Send(Ingest::Batch(1)).ok());
  ingest.log().Stop(absl::Now() + absl::Seconds(5));
  CHECK(ingest.Send(Ingest::Batch(1)).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("streams are declared, listed, changed and deleted over gRPC, each tenant its own", "[ingest]") {
  Ingest ingest;
  v1::PutStreamRequest put;
  put.mutable_stream()->set_name("host.metrics");
  put.mutable_stream()->add_fields()->set_name("cpu");
  put.mutable_stream()->mutable_fields(0)->set_type(events::v1::FIELD_TYPE_FLOAT64);
  put.mutable_stream()->mutable_retention()->set_seconds(3'600);
  v1::PutStreamResponse made;
  {
    grpc::ClientContext context;
    Ingest::Prepare(context);
    const grpc::Status status = ingest.streams().PutStream(&context, put, &made);
    INFO(status.error_message());
    REQUIRE(status.ok());
  }
  CHECK(made.stream().version() == 1);
  CHECK(made.stream().id() != 0);
  CHECK(made.stream().partitions() == 2);
  CHECK(made.stream().retention().seconds() == 3'600);
  CHECK(made.stream().created().seconds() > 0);
  // The stream is known at once: no event of another type gets in.
  const auto get = [&](const std::string& bearer) {
    grpc::ClientContext context;
    Ingest::Prepare(context, bearer);
    v1::GetStreamRequest request;
    request.set_name("host.metrics");
    v1::GetStreamResponse response;
    return ingest.streams().GetStream(&context, request, &response).error_code();
  };
  CHECK(get("acme:viewer") == grpc::StatusCode::OK);
  CHECK(get("other:viewer") == grpc::StatusCode::NOT_FOUND);
  const auto remove = [&](const std::string& bearer) {
    grpc::ClientContext context;
    Ingest::Prepare(context, bearer);
    v1::DeleteStreamRequest request;
    request.set_name("host.metrics");
    v1::DeleteStreamResponse response;
    return ingest.streams().DeleteStream(&context, request, &response).error_code();
  };
  CHECK(remove("acme:editor") == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(remove("other:admin") == grpc::StatusCode::NOT_FOUND);
  CHECK(remove("acme:admin") == grpc::StatusCode::OK);
  CHECK(get("acme:viewer") == grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext context;
  Ingest::Prepare(context);
  v1::ListStreamsResponse listed;
  REQUIRE(ingest.streams().ListStreams(&context, {}, &listed).ok());
  CHECK(listed.streams_size() == 0);
}

TEST_CASE("settings out of their range refuse to start, by name", "[ingest]") {
  catalog::CatalogFixture catalog;
  testing::TempDir folder;
  const auto log = eventlog::LocalEventLog::Open({.folder = folder.path(), .partitions = 1}).value();
  Tokens tokens;
  rpc::BearerVerifier bearers({}, tokens);
  const rpc::Authorizer authorizer(bearers);
  const auto open = [&](const config::v1::IngestConfig& config) {
    prometheus::Registry registry;
    telemetry::Health health;
    return std::string(MessageOf(IngestModule::Open(config,
                                                    {.log = *log,
                                                     .database = catalog.database(),
                                                     .authorizer = authorizer,
                                                     .registry = registry,
                                                     .health = health,
                                                     .clock = Clock::System()},
                                                    Ingest::Soon())
                                     .status()));
  };
  config::v1::IngestConfig config;
  CHECK(open(config).empty());
  config.set_max_inflight_bytes(1);
  CHECK_THAT(open(config), Catch::Contains("ingest.max_inflight_bytes"));
  config.clear_max_inflight_bytes();
  config.set_max_fields(10'001);
  CHECK_THAT(open(config), Catch::Contains("ingest.max_fields"));
}

}  // namespace
}  // namespace rivermeet::ingest
