#include "query/planner.h"

#include <catch2/catch.hpp>

#include "query/test_events.h"

namespace rivermeet::query {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kNow = 1'790'000'123;  // seconds
const absl::Time kNowTime = absl::FromUnixSeconds(kNow);

v1::TimeSeriesQuery Good() {
  v1::TimeSeriesQuery query;
  query.set_stream("host.metrics");
  query.mutable_last()->set_seconds(900);
  auto* aggregate = query.add_aggregates();
  aggregate->set_measure("cpu");
  aggregate->set_function(v1::AGGREGATE_FUNCTION_MEAN);
  return query;
}

absl::StatusOr<Plan> Make(const v1::TimeSeriesQuery& query, QueryKind kind = QueryKind::kOnce,
                          PlannerLimits limits = {}) {
  return MakePlan(query, kind, "acme", TestStream(), kNowTime, limits);
}

std::string Error(const v1::TimeSeriesQuery& query, QueryKind kind = QueryKind::kOnce, PlannerLimits limits = {}) {
  const auto plan = Make(query, kind, limits);
  REQUIRE(plan.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(MessageOf(plan.status()));
}

template <typename Change>
v1::TimeSeriesQuery With(Change change) {
  v1::TimeSeriesQuery query = Good();
  change(query);
  return query;
}

void SetRange(v1::TimeSeriesQuery& query, int64_t start, int64_t end, int64_t step) {
  query.clear_last();
  query.mutable_start()->set_seconds(start);
  query.mutable_end()->set_seconds(end);
  if (step != 0) query.mutable_step()->set_seconds(step);
}

}  // namespace

TEST_CASE("a step is read from the largest rollup that fills it", "[planner]") {
  const auto [step, resolution] = GENERATE(table<int64_t, int64_t>(
      {{1, 1}, {7, 1}, {10, 10}, {30, 10}, {60, 60}, {90, 10}, {300, 60}, {3'600, 60}, {3'601, 1}}));
  const auto plan = Make(With([step = step](auto& q) {
    q.mutable_step()->set_seconds(step);
    q.mutable_last()->set_seconds(20'000);
  }));
  REQUIRE(plan.ok());
  CHECK(plan->step_us == step * kSecond);
  CHECK(plan->resolution_us == resolution * kSecond);
  CHECK(plan->origin_us % plan->step_us == 0);
  CHECK(plan->origin_us <= (kNow - 20'000) * kSecond);
  CHECK(plan->origin_us > (kNow - 20'000 - step) * kSecond);
  CHECK(plan->end_us >= kNow * kSecond);
  CHECK((plan->end_us - plan->origin_us) / plan->step_us == static_cast<int64_t>(plan->windows));
}

TEST_CASE("an absent step gives at most 1,000 rows a group", "[planner]") {
  const auto [last, step] = GENERATE(table<int64_t, int64_t>({{900, 1},
                                                              {1'000, 1},
                                                              {1'001, 10},
                                                              {10'000, 10},
                                                              {10'001, 60},
                                                              {60'000, 60},
                                                              {86'400, 300},
                                                              {30 * 86'400, 3'600}}));
  const auto plan = Make(With([last = last](auto& q) { q.mutable_last()->set_seconds(last); }));
  REQUIRE(plan.ok());
  CHECK(plan->step_us == step * kSecond);
}

TEST_CASE("the whole range in one row begins where it was asked to", "[planner]") {
  const auto plan = Make(With([](auto& q) { SetRange(q, kNow - 900, kNow, 900); }));
  REQUIRE(plan.ok());
  CHECK(plan->windows == 1);
  CHECK(plan->origin_us == (kNow - 900) * kSecond);
  CHECK(plan->end_us == kNow * kSecond);
  CHECK(plan->step_us % plan->read_step_us == 0);
  CHECK(plan->origin_us % plan->read_step_us == 0);
  CHECK(plan->read_step_us % plan->resolution_us == 0);

  const auto month = Make(With([](auto& q) { SetRange(q, kNow - 30 * 86'400, kNow, 30 * 86'400); }));
  REQUIRE(month.ok());
  CHECK(month->windows == 1);
  CHECK(month->step_us / month->read_step_us <= 1'002);
  CHECK(month->resolution_us == 60 * kSecond);
}

TEST_CASE("a range before 1970 is cut down, not towards zero", "[planner]") {
  const auto plan = Make(With([](auto& q) { SetRange(q, -95, -5, 10); }));
  REQUIRE(plan.ok());
  CHECK(plan->origin_us == -100 * kSecond);
  CHECK(plan->end_us == 0);
  CHECK(plan->windows == 10);
}

TEST_CASE("columns have their names, types and units", "[planner]") {
  const auto plan = Make(With([](auto& q) {
    q.clear_aggregates();
    q.add_aggregates()->set_function(v1::AGGREGATE_FUNCTION_COUNT);
    for (const auto function : {v1::AGGREGATE_FUNCTION_MEAN, v1::AGGREGATE_FUNCTION_MAX, v1::AGGREGATE_FUNCTION_RATE,
                                v1::AGGREGATE_FUNCTION_COUNT}) {
      auto* aggregate = q.add_aggregates();
      aggregate->set_measure("bytes");
      aggregate->set_function(function);
    }
    q.mutable_aggregates(4)->set_name("n");
  }));
  REQUIRE(plan.ok());
  REQUIRE(plan->columns.size() == 5);
  CHECK(plan->columns[0].name == "count");
  CHECK_FALSE(plan->columns[0].measure);
  CHECK(plan->columns[1].name == "mean_bytes");
  CHECK_FALSE(plan->columns[1].is_int64);
  CHECK(plan->columns[2].name == "max_bytes");
  CHECK(plan->columns[2].is_int64);
  CHECK(plan->columns[2].unit == "bytes");
  CHECK(plan->columns[3].unit == "bytes/s");
  CHECK(plan->columns[4].name == "n");
  CHECK(plan->measures.size() == 1);
}

TEST_CASE("every wrong query names its field and says what would be right", "[planner]") {
  using Catch::Matchers::Contains;
  using Catch::Matchers::StartsWith;
  CHECK_THAT(Error(With([](auto& q) { q.mutable_aggregates(0)->set_measure("cpuu"); })),
             StartsWith("query.aggregates[0].measure:") && Contains("bytes, cpu"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_aggregates(0)->set_measure("host"); })),
             StartsWith("query.aggregates[0].measure:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_aggregates(0)->clear_measure(); })),
             StartsWith("query.aggregates[0].measure:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_aggregates(0)->clear_function(); })),
             StartsWith("query.aggregates[0].function:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_aggregates(0)->set_function(v1::AGGREGATE_FUNCTION_RATE); })),
             StartsWith("query.aggregates[0].function:") && Contains("gauge"));
  CHECK_THAT(Error(With([](auto& q) { *q.add_aggregates() = q.aggregates(0); })),
             StartsWith("query.aggregates[1].name:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_aggregates(0)->set_name("time"); })),
             StartsWith("query.aggregates[0].name:"));
  CHECK_THAT(Error(With([](auto& q) { q.clear_aggregates(); })), StartsWith("query.aggregates:"));
  CHECK_THAT(Error(With([](auto& q) { q.add_group_by("cpu"); })),
             StartsWith("query.group_by[0]:") && Contains("host, zone"));
  CHECK_THAT(Error(With([](auto& q) {
               q.add_group_by("host");
               q.add_group_by("host");
             })),
             StartsWith("query.group_by[1]:"));
  CHECK_THAT(Error(With([](auto& q) { q.add_filters()->set_dimension("rack"); })),
             StartsWith("query.filters[0].dimension:") && Contains("host, zone"));
  CHECK_THAT(Error(With([](auto& q) { q.add_filters()->set_dimension("host"); })),
             StartsWith("query.filters[0].values:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_step()->set_nanos(500'000'000); })), StartsWith("query.step:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_step()->set_seconds(-1); })), StartsWith("query.step:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_start()->set_seconds(1); })), StartsWith("query.start:"));
  CHECK_THAT(Error(With([](auto& q) { q.clear_last(); })), StartsWith("query.start:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_last()->set_seconds(0); })), StartsWith("query.last:"));
  // On a whole second it would be a range of no length, which something would be divided by.
  CHECK_THAT(Error(With([](auto& q) { q.mutable_last()->clear_seconds(), q.mutable_last()->set_nanos(999); })),
             StartsWith("query.last:"));
  CHECK_THAT(Error(With([](auto& q) { SetRange(q, 100, 100, 1); })), StartsWith("query.start:"));
  CHECK_THAT(Error(With([](auto& q) { SetRange(q, int64_t{1} << 60, 100, 1); })), StartsWith("query.start:"));
  CHECK_THAT(Error(With([](auto& q) {
                     q.mutable_last()->set_seconds(3'000);
                     q.mutable_step()->set_seconds(1);
                   }),
                   QueryKind::kOnce, {.log_partitions = 2, .max_rows = 1'000}),
             StartsWith("query.step:") && Contains("1000"));
  CHECK_THAT(Error(With([](auto& q) { q.set_group_limit(kMaxGroupLimit + 1); })), StartsWith("query.group_limit:"));
  CHECK_THAT(Error(With([](auto& q) { q.mutable_end()->set_seconds(kNow); }), QueryKind::kSubscription),
             StartsWith("query.end:"));
}

TEST_CASE("a stream's partitions lie side by side in the log", "[planner]") {
  const std::vector<uint32_t> partitions = PartitionsOf("acme", TestStream(3), 16);
  REQUIRE(partitions.size() == 3);
  CHECK(PartitionsOf("acme", TestStream(3), 2).size() == 2);
  CHECK(PartitionsOf("acme", TestStream(1), 1) == std::vector<uint32_t>{0});
}

TEST_CASE("a subscription's range moves by whole steps", "[planner]") {
  const auto plan = Make(With([](auto& q) { q.mutable_step()->set_seconds(10); }), QueryKind::kSubscription);
  REQUIRE(plan.ok());
  CHECK(plan->end_us == 0);
  CHECK(plan->FirstWindow(kNow * kSecond) == 0);
  CHECK(plan->FirstWindow((kNow + 100) * kSecond) == 10);
  CHECK(plan->FirstWindow((kNow - 100) * kSecond) == 0);
}

}  // namespace rivermeet::query
