#include "query/grpc_query.h"

#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "query/test_world.h"
#include "testing/eventually.h"

namespace rivermeet::query {
namespace {

constexpr int64_t kSecond = 1'000'000;
const int64_t kNow = absl::ToUnixSeconds(Clock::System().Now());

// "viewer" is a viewer of the tenant "acme".
class OneToken : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view bearer, absl::Time) override {
    if (bearer != "viewer") return absl::UnauthenticatedError("sign in");
    return authn::Principal{.subject = "ada",
                            .tenant = "acme",
                            .role = authn::Role::kViewer,
                            .session = "",
                            .expires = absl::InfiniteFuture()};
  }
  absl::Status Recheck(const authn::Principal&, absl::Time) override {
    return revoked ? absl::UnauthenticatedError("revoked") : absl::OkStatus();
  }
  std::atomic<bool> revoked = false;
};

// The whole service behind a real server.
struct Served : TestWorld {
  explicit Served(LiveQueryOptions live_options = {}, WorkerPoolOptions pool = {})
      : workers(pool, timers), live(live_options, owners, segments, background, timers, metrics, clock) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&grpc_query);
    server = builder.BuildAndStart();
    stub = v1::QueryService::NewStub(server->InProcessChannel({}));
  }
  ~Served() {
    live.Stop();
    workers.Stop();
    background.Stop();
    server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  }

  TimerQueue timers{clock};
  WorkerPool workers;
  WorkerPool background{{}, timers};
  LiveQueries live;
  OneToken verifier;
  rpc::BearerVerifier bearers{{.recheck = absl::Milliseconds(50)}, verifier};
  rpc::Authorizer authorizer{bearers};
  GrpcQuery grpc_query{service, live, authorizer, workers, metrics, clock};
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::QueryService::Stub> stub;
};

void Authorise(grpc::ClientContext& context, const char* bearer = "viewer") {
  context.AddMetadata("authorization", std::string("Bearer ") + bearer);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
}

v1::TimeSeriesQuery LiveQueryOf(int64_t step) {
  v1::TimeSeriesQuery query;
  query.set_stream("host.metrics");
  query.mutable_start()->set_seconds(kNow - 1'200);
  query.mutable_step()->set_seconds(step);
  query.add_group_by("host");
  query.add_aggregates()->set_function(v1::AGGREGATE_FUNCTION_COUNT);
  for (const auto function : {v1::AGGREGATE_FUNCTION_SUM, v1::AGGREGATE_FUNCTION_FIRST, v1::AGGREGATE_FUNCTION_LAST}) {
    auto* aggregate = query.add_aggregates();
    aggregate->set_measure("cpu");
    aggregate->set_function(function);
  }
  auto* rate = query.add_aggregates();
  rate->set_measure("bytes");
  rate->set_function(v1::AGGREGATE_FUNCTION_RATE);
  return query;
}

// A subscriber that does what a browser does: keeps rows by time and group, replaces them, forgets old ones.
class Subscriber {
 public:
  Subscriber(v1::QueryService::Stub& stub, const v1::TimeSeriesQuery& query) {
    Authorise(context_);
    v1::SubscribeRequest request;
    *request.mutable_query() = query;
    reader_ = stub.Subscribe(&context_, request);
  }
  ~Subscriber() {
    context_.TryCancel();
    if (!finished_) reader_->Finish();
  }

  // Reads one message; false at the end.
  bool Read() {
    v1::SubscribeResponse response;
    if (!reader_->Read(&response)) return false;
    CHECK(response.sequence() == ++messages_);
    CHECK(response.snapshot() == (messages_ == 1 || response.snapshot()));
    if (messages_ == 1) CHECK(response.snapshot());
    if (response.snapshot()) {
      rows_.clear();
      ++snapshots_;
    }
    for (const std::string& line : Lines(response.frame())) {
      const size_t second_bar = line.find('|', line.find('|') + 1);
      // By group, then time, as a query's answer is ordered; "null" is before every other group.
      const std::string group = line.substr(line.find('|') + 1, second_bar - line.find('|') - 1);
      rows_[{group == "null" ? "" : group, std::stoll(line)}] = line;
    }
    std::erase_if(rows_, [&](const auto& row) { return row.first.second < response.range_start_us(); });
    last_ = std::move(response);
    return true;
  }
  // Reads until the rows are these.
  bool ReadUntil(const std::vector<std::string>& lines) {
    while (Rows() != lines) {
      if (!Read()) return false;
    }
    return true;
  }
  std::vector<std::string> Rows() const {
    std::vector<std::string> lines;
    for (const auto& [key, line] : rows_) lines.push_back(line);
    return lines;
  }
  grpc::Status Finish() {
    v1::SubscribeResponse ignored;
    while (reader_->Read(&ignored)) {
    }
    finished_ = true;
    return reader_->Finish();
  }
  void Cancel() { context_.TryCancel(); }
  uint64_t messages() const { return messages_; }
  int snapshots() const { return snapshots_; }
  const v1::SubscribeResponse& last() const { return last_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
  std::map<std::pair<std::string, int64_t>, std::string> rows_;
  v1::SubscribeResponse last_;
  uint64_t messages_ = 0;
  int snapshots_ = 0;
  bool finished_ = false;
};

Plan LivePlan(const v1::TimeSeriesQuery& query) {
  auto plan =
      MakePlan(query, QueryKind::kSubscription, "acme", TestStream(4), Clock::System().Now(), {.log_partitions = 4});
  REQUIRE(plan.ok());
  return *plan;
}

// Events of the last ten minutes, from `from` (in seconds) on: what is stored is closed to events.
std::vector<TestEvent> Some(std::mt19937_64& random, size_t count, int64_t from = kNow - 600) {
  std::vector<TestEvent> events;
  for (size_t i = 0; i < count; ++i) events.push_back(RandomEvent(random, from * kSecond, kNow * kSecond, 8, 4));
  return events;
}

}  // namespace

TEST_CASE("a subscriber always comes to see what a query would, whatever moves to segments and owners", "[live]") {
  const uint64_t seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u);
  const int64_t step = GENERATE(1, 7, 60, 600);
  INFO("seed " << seed << " step " << step);
  std::mt19937_64 random(seed);
  Served served;
  served.Add(Some(random, 200));
  int64_t closed = kNow - 600;
  // Whole minutes, so that no window of a rollup is half stored; a longer step's can be.
  const auto store = [&](TestOwner& owner) {
    closed = std::max(closed, (kNow - 600 + static_cast<int64_t>(random() % 600)) / 60 * 60);
    owner.Store(closed * kSecond);
  };
  if (random() % 2 == 0) store(served.first);
  const v1::TimeSeriesQuery query = LiveQueryOf(step);
  const Plan plan = LivePlan(query);
  Subscriber subscriber(*served.stub, query);
  for (int round = 0; round < 8; ++round) {
    REQUIRE(subscriber.ReadUntil(ReferenceLines(plan, served.events.all())));
    TestOwner& owner = random() % 2 == 0 ? served.first : served.second;
    switch (random() % 3) {
      case 0:
        store(owner);
        break;
      case 1: {
        // The owner dies and comes back from snapshot and log.
        const std::vector<TestEvent> hot = owner.hot();
        owner.LoseLeases("killed");
        owner.TakeLeases(&owner == &served.first ? std::vector<uint32_t>{0, 1} : std::vector<uint32_t>{2, 3}, hot);
        break;
      }
      default:
        break;
    }
    served.Add(Some(random, 1 + random() % 50, closed));
  }
  REQUIRE(subscriber.ReadUntil(ReferenceLines(plan, served.events.all())));
  CHECK(subscriber.last().data_version().partitions_size() == 4);
  CHECK(subscriber.last().newest_append_time_us() > 0);
  CHECK(subscriber.last().step().seconds() == step);
}

TEST_CASE("partitions that move to another owner are watched there", "[live]") {
  std::mt19937_64 random(11);
  Served served;
  served.Add(Some(random, 50));
  const v1::TimeSeriesQuery query = LiveQueryOf(10);
  Subscriber subscriber(*served.stub, query);
  REQUIRE(subscriber.ReadUntil(ReferenceLines(LivePlan(query), served.events.all())));
  const std::vector<TestEvent> all = served.events.all();
  served.first.LoseLeases("handed over");
  served.second.LoseLeases("asked again");
  served.second.TakeLeases({0, 1, 2, 3}, all);
  served.directory.Set({"second", "second", "second", "second"});
  served.Add(Some(random, 20));
  REQUIRE(subscriber.ReadUntil(ReferenceLines(LivePlan(query), served.events.all())));
  CHECK(subscriber.snapshots() == 1);  // the reader noticed nothing
}

TEST_CASE("a reader that does not read gets the latest state, not a queue", "[live]") {
  std::mt19937_64 random(12);
  Served served({.interval = absl::Milliseconds(1)});
  v1::TimeSeriesQuery query = LiveQueryOf(60);
  Subscriber subscriber(*served.stub, query);
  REQUIRE(subscriber.Read());
  // Enough updates of every group to fill gRPC's own window many times over.
  const double sent_before = served.metrics.updates.Value();
  for (int i = 0; i < 3'000; ++i) {
    served.Add({{.time_us = kNow * kSecond,
                 .host = "h1",
                 .zone = std::string(1'000, 'z'),
                 .cpu = 1.0,
                 .bytes = {},
                 .partition = 0}});
  }
  REQUIRE(subscriber.ReadUntil(ReferenceLines(LivePlan(query), served.events.all())));
  CHECK(served.metrics.updates.Value() - sent_before <= 3'000);
  CHECK(served.metrics.updates.Value() == static_cast<double>(subscriber.messages()));
}

TEST_CASE("changes within the interval come in one message", "[live]") {
  Served served({.interval = absl::Milliseconds(200)});
  v1::TimeSeriesQuery query = LiveQueryOf(60);
  Subscriber subscriber(*served.stub, query);
  REQUIRE(subscriber.Read());
  for (int i = 0; i < 20; ++i) {
    served.Add({{.time_us = kNow * kSecond,
                 .host = "h" + std::to_string(i),
                 .zone = "z",
                 .cpu = 1.0,
                 .bytes = {},
                 .partition = static_cast<uint32_t>(i % 4)}});
  }
  REQUIRE(subscriber.ReadUntil(ReferenceLines(LivePlan(query), served.events.all())));
  CHECK(subscriber.messages() <= 5);
}

TEST_CASE("a cancelled subscription leaves nothing behind", "[live]") {
  Served served;
  {
    Subscriber subscriber(*served.stub, LiveQueryOf(60));
    REQUIRE(subscriber.Read());
    CHECK(served.metrics.subscriptions.Value() == 1);
  }
  REQUIRE(testing::Eventually([&] { return served.metrics.subscriptions.Value() == 0; }));
  CHECK(served.metrics.subscriptions.Value() == 0);
}

TEST_CASE("a subscription over the limit is refused, and one that needs too much memory ends, each naming it",
          "[live]") {
  Served served({.limits = {.max_bytes = 200'000, .max_rows = 1'000'000}, .max_subscriptions = 1});
  Subscriber one(*served.stub, LiveQueryOf(60));
  REQUIRE(one.Read());
  Subscriber two(*served.stub, LiveQueryOf(60));
  const grpc::Status refused = two.Finish();
  CHECK(refused.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK_THAT(refused.error_message(), Catch::Matchers::Contains("query.subscriptions"));
  std::mt19937_64 random(3);
  std::vector<TestEvent> many;
  for (int i = 0; i < 5'000; ++i) many.push_back(RandomEvent(random, (kNow - 120) * kSecond, kNow * kSecond, 5'000, 4));
  served.Add(many);
  const grpc::Status ended = one.Finish();
  CHECK(ended.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK_THAT(ended.error_message(), Catch::Matchers::Contains("query.subscription_bytes"));
}

TEST_CASE("a subscription ends when its caller's bearer is revoked", "[live]") {
  Served served;
  Subscriber subscriber(*served.stub, LiveQueryOf(60));
  REQUIRE(subscriber.Read());
  served.verifier.revoked = true;
  CHECK(subscriber.Finish().error_code() == grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("stopping ends subscriptions with UNAVAILABLE", "[live]") {
  Served served;
  Subscriber subscriber(*served.stub, LiveQueryOf(60));
  REQUIRE(subscriber.Read());
  served.live.Stop();
  CHECK(subscriber.Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("a subscription to partitions without an owner is unavailable once patience ends", "[live]") {
  Served served({.first_patience = absl::Milliseconds(50), .min_backoff = absl::Milliseconds(10)});
  served.directory.Set({"", "", "", ""});
  Subscriber subscriber(*served.stub, LiveQueryOf(60));
  CHECK(subscriber.Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("every call needs a token, a stream that exists and a right query", "[grpc]") {
  Served served;
  const auto subscribe = [&](v1::TimeSeriesQuery query, const char* bearer) {
    grpc::ClientContext context;
    Authorise(context, bearer);
    v1::SubscribeRequest request;
    *request.mutable_query() = std::move(query);
    const auto reader = served.stub->Subscribe(&context, request);
    v1::SubscribeResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish().error_code();
  };
  CHECK(subscribe(LiveQueryOf(1), "nobody") == grpc::StatusCode::UNAUTHENTICATED);
  v1::TimeSeriesQuery query = LiveQueryOf(1);
  query.set_stream("nothing");
  CHECK(subscribe(query, "viewer") == grpc::StatusCode::NOT_FOUND);
  query = LiveQueryOf(1);
  query.mutable_end()->set_seconds(kNow);
  CHECK(subscribe(query, "viewer") == grpc::StatusCode::INVALID_ARGUMENT);

  const auto ask = [&](const char* bearer) {
    grpc::ClientContext context;
    Authorise(context, bearer);
    v1::QueryRequest request;
    *request.mutable_query() = LiveQueryOf(60);
    v1::QueryResponse response;
    return served.stub->Query(&context, request, &response).error_code();
  };
  CHECK(ask("nobody") == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(ask("viewer") == grpc::StatusCode::OK);
  CHECK(served.first.bearer() == "viewer");
}

TEST_CASE("queries over the limit are refused at once or after their wait, and run again afterwards", "[grpc]") {
  Served served({}, {.what = "queries", .concurrency = 1, .queue = 1, .queue_wait = absl::Milliseconds(50)});
  ingest::v1::VisibilityToken content;
  content.set_stream("host.metrics");
  content.mutable_issued()->set_seconds(kNow);
  auto* position = content.add_positions();
  position->set_partition(0);
  position->set_offset(0);
  v1::QueryRequest waiting;
  *waiting.mutable_query() = LiveQueryOf(60);
  waiting.set_wait_for(served.tokens.Issue("acme", content));
  const auto ask = [&] {
    grpc::ClientContext context;
    Authorise(context);
    v1::QueryResponse response;
    return served.stub->Query(&context, waiting, &response);
  };
  std::vector<std::thread> askers;
  std::vector<grpc::Status> statuses(4);
  for (auto& status : statuses) askers.emplace_back([&] { status = ask(); });
  // One runs until its event is there; the others are refused.
  const auto refused = [&] {
    return served.registry.Collect().empty() ? 0.0 : [&] {
      double count = 0;
      for (const auto& family : served.registry.Collect()) {
        if (family.name != "rivermeet_query_calls_total") continue;
        for (const auto& metric : family.metric) {
          for (const auto& label : metric.label) {
            if (label.value == "RESOURCE_EXHAUSTED") count += metric.counter.value;
          }
        }
      }
      return count;
    }();
  };
  REQUIRE(testing::Eventually([&] { return refused() >= 3; }));
  served.Add({{.time_us = kNow * kSecond, .host = "a", .partition = 0}});
  for (std::thread& asker : askers) asker.join();
  CHECK(std::count_if(statuses.begin(), statuses.end(), [](const auto& s) { return s.ok(); }) == 1);
  for (const auto& status : statuses) {
    if (!status.ok()) CHECK_THAT(status.error_message(), Catch::Matchers::Contains("limit"));
  }
  CHECK(ask().ok());
}

}  // namespace rivermeet::query
