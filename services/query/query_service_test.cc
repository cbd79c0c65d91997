#include "query/query_service.h"

#include <catch2/catch.hpp>
#include <thread>

#include "query/test_world.h"

namespace rivermeet::query {
namespace {

constexpr int64_t kSecond = 1'000'000;
// When the tests began, in seconds; queries end here, so that their answers don't depend on the time.
const int64_t kNow = absl::ToUnixSeconds(Clock::System().Now());

struct World : TestWorld {
  using TestWorld::TestWorld;

  absl::StatusOr<v1::QueryResponse> Ask(const v1::TimeSeriesQuery& query, std::string wait_for = "",
                                        absl::Duration within = absl::Seconds(20)) {
    v1::QueryRequest request;
    *request.mutable_query() = query;
    request.set_wait_for(std::move(wait_for));
    return service.Query(request, CallFor("acme", within));
  }
  std::string Token(int64_t offset, std::string stream = "host.metrics") const {
    ingest::v1::VisibilityToken content;
    content.set_stream(std::move(stream));
    content.mutable_issued()->set_seconds(kNow);
    auto* position = content.add_positions();
    position->set_partition(3);
    position->set_offset(offset);
    return tokens.Issue("acme", content);
  }
};

v1::TimeSeriesQuery AllFunctions() {
  v1::TimeSeriesQuery query;
  query.set_stream("host.metrics");
  query.mutable_end()->set_seconds(kNow);
  query.mutable_last()->set_seconds(300);
  query.mutable_step()->set_seconds(10);
  query.set_group_limit(10'000);
  query.add_aggregates()->set_function(v1::AGGREGATE_FUNCTION_COUNT);
  for (const char* measure : {"cpu", "bytes"}) {
    for (const auto function : {v1::AGGREGATE_FUNCTION_COUNT, v1::AGGREGATE_FUNCTION_SUM, v1::AGGREGATE_FUNCTION_MIN,
                                v1::AGGREGATE_FUNCTION_MAX, v1::AGGREGATE_FUNCTION_MEAN, v1::AGGREGATE_FUNCTION_FIRST,
                                v1::AGGREGATE_FUNCTION_LAST, v1::AGGREGATE_FUNCTION_RATE}) {
      if (function == v1::AGGREGATE_FUNCTION_RATE && measure == std::string_view("cpu")) continue;
      auto* aggregate = query.add_aggregates();
      aggregate->set_measure(measure);
      aggregate->set_function(function);
    }
  }
  return query;
}

std::vector<TestEvent> RandomEvents(std::mt19937_64& random, size_t count, int hosts) {
  std::vector<TestEvent> events;
  for (size_t i = 0; i < count; ++i) {
    events.push_back(RandomEvent(random, (kNow - 400) * kSecond, kNow * kSecond, hosts, 4));
  }
  return events;
}

Plan PlanOf(const World& world, const v1::TimeSeriesQuery& query) {
  auto plan = MakePlan(query, QueryKind::kOnce, "acme", TestStream(4), world.clock.Now(), {.log_partitions = 4});
  REQUIRE(plan.ok());
  return *plan;
}

}  // namespace

TEST_CASE("an answer is what the events add up to, hot and stored, for every function and grouping", "[query]") {
  const uint64_t seed = GENERATE(1u, 2u, 3u);
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  World world;
  world.Add(RandomEvents(random, 3'000, 40));
  world.first.Store((kNow - 211) * kSecond);
  world.second.Store((kNow - 93) * kSecond);
  world.first.Store((kNow - 100) * kSecond);
  const std::vector<std::vector<std::string>> groupings = {{}, {"host"}, {"zone", "host"}, {"zone"}};
  for (const std::vector<std::string>& group_by : groupings) {
    v1::TimeSeriesQuery query = AllFunctions();
    for (const std::string& dimension : group_by) query.add_group_by(dimension);
    query.mutable_step()->set_seconds(std::vector<int>{1, 10, 60, 300}[random() % 4]);
    if (random() % 2 == 0) {
      auto* filter = query.add_filters();
      filter->set_dimension("host");
      filter->set_operator_(random() % 2 == 0 ? v1::FILTER_OPERATOR_IN : v1::FILTER_OPERATOR_NOT_IN);
      for (const char* value : {"h1", "h2", "h3", "", "h30"}) filter->add_values(value);
    }
    const auto response = world.Ask(query);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    CHECK(Lines(response->frame()) == ReferenceLines(PlanOf(world, query), world.events.all()));
    CHECK(response->stats().segments() >= 4);
    CHECK(response->stats().hot_rows() > 0);
    CHECK(response->stats().stored_rows() > 0);
    REQUIRE(response->stats().data_version().partitions_size() == 4);
    for (int i = 0; i < 4; ++i)
      CHECK(response->stats().data_version().partitions(i).partition() == static_cast<uint32_t>(i));
  }
  CHECK(world.first.bearer() == "secret");
}

TEST_CASE("a stream without events has an answer without rows", "[query]") {
  World world;
  const auto response = world.Ask(AllFunctions());
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->frame().row_count() == 0);
  CHECK(response->frame().columns_size() == 17);
}

TEST_CASE("the group limit keeps the groups with the largest last value and counts the others", "[query]") {
  World world;
  std::vector<TestEvent> events;
  for (int i = 1; i <= 9; ++i) {
    for (int at = 0; at < 2; ++at) {
      // The last values are in the order of the hosts, the ones before in the reverse order.
      events.push_back({.time_us = (kNow - 100 + 50 * at) * kSecond,
                        .host = "h" + std::to_string(i),
                        .zone = "n",
                        .cpu = at == 1 ? i : -i,
                        .bytes = {},
                        .partition = static_cast<uint32_t>(i % 4)});
    }
  }
  world.Add(events);
  v1::TimeSeriesQuery query = AllFunctions();
  query.clear_aggregates();
  auto* aggregate = query.add_aggregates();
  aggregate->set_measure("cpu");
  aggregate->set_function(v1::AGGREGATE_FUNCTION_MAX);
  query.add_group_by("host");
  query.set_group_limit(2);
  const auto response = world.Ask(query);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->stats().groups_left_out() == 7);
  const int64_t early = (kNow - 100) / 10 * 10 * kSecond, late = (kNow - 50) / 10 * 10 * kSecond;
  CHECK(Lines(response->frame()) ==
        std::vector<std::string>{fmt::format("{}|h8|-8", early), fmt::format("{}|h8|8", late),
                                 fmt::format("{}|h9|-9", early), fmt::format("{}|h9|9", late)});
}

TEST_CASE("a visibility token makes a query wait for what it names", "[query]") {
  World world;
  CHECK(world.Ask(AllFunctions(), world.Token(0), absl::Milliseconds(30)).status().code() ==
        absl::StatusCode::kDeadlineExceeded);
  std::thread writer([&] {
    world.Add({{.time_us = (kNow - 5) * kSecond, .host = "a", .zone = "z", .cpu = 1.0, .bytes = {}, .partition = 3}});
  });
  const auto response = world.Ask(AllFunctions(), world.Token(0));
  writer.join();
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->frame().row_count() == 1);
}

TEST_CASE("a visibility token of another tenant, another stream or none of ours is refused", "[query]") {
  World world;
  v1::QueryRequest request;
  *request.mutable_query() = AllFunctions();
  request.set_wait_for(world.Token(0));
  CHECK(world.service.Query(request, world.CallFor("other")).status().code() == absl::StatusCode::kPermissionDenied);
  CHECK(world.Ask(AllFunctions(), "rubbish").status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(world.Ask(AllFunctions(), world.Token(0, "other")).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("an unknown stream is not found, by every call", "[query]") {
  World world;
  v1::TimeSeriesQuery query = AllFunctions();
  query.set_stream("nothing");
  CHECK(world.Ask(query).status().code() == absl::StatusCode::kNotFound);
  v1::GetLedgerRequest ledger;
  ledger.set_stream("nothing");
  CHECK(world.service.GetLedger(ledger, world.CallFor("acme")).status().code() == absl::StatusCode::kNotFound);
  query.clear_stream();
  CHECK(world.Ask(query).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a query finds the new owner when the old one has lost its leases", "[query]") {
  World world;
  world.Add({{.time_us = (kNow - 5) * kSecond, .host = "a", .zone = "z", .cpu = 1.0, .bytes = {}, .partition = 0},
             {.time_us = (kNow - 5) * kSecond, .host = "a", .zone = "z", .cpu = 1.0, .bytes = {}, .partition = 3}});
  std::vector<TestEvent> all = world.events.all();
  world.first.LoseLeases("handed over");
  std::thread takeover([&] {
    while (world.first.reads() < 2) std::this_thread::yield();  // the query has been refused
    world.second.TakeLeases({0, 1, 2, 3}, all);
    world.directory.Set({"second", "second", "second", "second"});
  });
  const auto response = world.Ask(AllFunctions());
  takeover.join();
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(Lines(response->frame()) == ReferenceLines(PlanOf(world, AllFunctions()), all));
  CHECK(response->stats().data_version().partitions(0).epoch() == 2);
}

TEST_CASE("partitions without an owner are unavailable once patience ends", "[query]") {
  World world({.planner = {},
               .timeout = absl::Seconds(30),
               .memory_bytes = 1 << 20,
               .owner_patience = absl::Milliseconds(100)});
  SECTION("when nobody has a lease") { world.directory.Set({"first", "first", "", ""}); }
  SECTION("when the one that had it does not answer any more, and no other does yet") {
    world.first.LoseLeases("past its lease");
  }
  const auto response = world.Ask(AllFunctions());
  CHECK(response.status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("a query over its memory or row limit fails alone and says which limit", "[query]") {
  std::mt19937_64 random(5);
  World world(
      {.planner = {.log_partitions = 4, .max_rows = 100}, .timeout = absl::Seconds(30), .memory_bytes = 60'000});
  world.Add(RandomEvents(random, 500, 400));
  v1::TimeSeriesQuery query = AllFunctions();
  query.add_group_by("host");
  const auto memory = world.Ask(query);
  CHECK(memory.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(MessageOf(memory.status())), Catch::Matchers::Contains("query.memory_bytes"));
  query.mutable_last()->set_seconds(30);
  query.mutable_step()->set_seconds(1);
  query.clear_aggregates();
  query.add_aggregates()->set_function(v1::AGGREGATE_FUNCTION_COUNT);
  World roomy({.planner = {.log_partitions = 4, .max_rows = 31}, .timeout = absl::Seconds(30)});
  std::vector<TestEvent> recent;
  for (int i = 0; i < 50; ++i) recent.push_back({.time_us = (kNow - 1) * kSecond, .host = std::to_string(i)});
  roomy.Add(recent);
  const auto rows = roomy.Ask(query);
  CHECK(rows.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(MessageOf(rows.status())), Catch::Matchers::Contains("query.max_rows"));
}

TEST_CASE("a cancelled query ends at once, while it waits for offsets and while it waits for owners", "[query]") {
  World world;
  const bool without_owner = GENERATE(false, true);
  if (without_owner) world.directory.Set({"", "", "", ""});
  Cancellation cancellation;
  Call call = world.CallFor("acme");
  call.cancellation = &cancellation;
  v1::QueryRequest request;
  *request.mutable_query() = AllFunctions();
  request.set_wait_for(world.Token(10));
  std::thread canceller([&] { cancellation.Cancel(); });
  CHECK(world.service.Query(request, call).status().code() == absl::StatusCode::kCancelled);
  canceller.join();
}

TEST_CASE("a segment that was replaced while it was read makes the query ask again", "[query]") {
  World world;
  world.Add({{.time_us = (kNow - 100) * kSecond, .host = "a", .zone = "z", .cpu = 1.0, .bytes = {}, .partition = 0}});
  world.first.Store(kNow * kSecond);
  const std::vector<TestEvent> events = world.events.all();
  world.segments.Remove("segment-0-1-1");
  std::thread compaction([&] {
    while (world.first.reads() < 2) std::this_thread::yield();
    world.segments.Put("segment-0-1-1", events);
  });
  const auto response = world.Ask(AllFunctions());
  compaction.join();
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->frame().row_count() == 1);
}

TEST_CASE("dimension values come from all owners, sorted, each once, cut at the limit", "[query]") {
  std::mt19937_64 random(8);
  World world;
  world.Add(RandomEvents(random, 500, 20));
  v1::ListDimensionValuesRequest request;
  request.set_stream("host.metrics");
  request.set_dimension("host");
  auto response = world.service.ListDimensionValues(request, world.CallFor("acme"));
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->values_size() == 19);
  CHECK(std::is_sorted(response->values().begin(), response->values().end()));
  CHECK_FALSE(response->truncated());
  request.set_limit(5);
  response = world.service.ListDimensionValues(request, world.CallFor("acme"));
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->values_size() == 5);
  CHECK(response->truncated());
  request.set_dimension("cpu");
  CHECK(world.service.ListDimensionValues(request, world.CallFor("acme")).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a ledger is summed over the owners and says whether it is balanced", "[query]") {
  World world;
  world.Add({{.time_us = kNow * kSecond, .host = "a", .partition = 0},
             {.time_us = kNow * kSecond, .host = "a", .partition = 3}});
  v1::GetLedgerRequest request;
  request.set_stream("host.metrics");
  const auto response = world.service.GetLedger(request, world.CallFor("acme"));
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  CHECK(response->balanced());
  CHECK(response->partitions_size() == 4);
  CHECK(response->total().received() == 2 + 4 * 4);
  CHECK(response->total().folded() == 2);
  CHECK(response->total().too_late() == 8);
  CHECK(response->total().over_series_limit() == 4);
}

}  // namespace rivermeet::query
