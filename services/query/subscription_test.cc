#include "query/subscription.h"

#include <catch2/catch.hpp>
#include <random>

#include "query/planner.h"
#include "query/test_events.h"

namespace rivermeet::query {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kNow = 1'790'000'000;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(kNow + seconds); }

Plan LastSeconds(int64_t seconds, uint32_t group_limit = 0) {
  v1::TimeSeriesQuery query;
  query.set_stream("host.metrics");
  query.mutable_last()->set_seconds(seconds);
  query.mutable_step()->set_seconds(1);
  query.add_group_by("host");
  query.set_group_limit(group_limit);
  auto* aggregate = query.add_aggregates();
  aggregate->set_measure("cpu");
  aggregate->set_function(v1::AGGREGATE_FUNCTION_SUM);
  auto plan = MakePlan(query, QueryKind::kSubscription, "acme", TestStream(1), At(0), {.log_partitions = 1});
  REQUIRE(plan.ok());
  return *plan;
}

TestEvent Event(int64_t second, std::string host, double cpu) {
  return {.time_us = (kNow + second) * kSecond, .host = std::move(host), .zone = "z", .cpu = cpu, .bytes = {}};
}

aggregation::v1::WatchPartialsResponse Update(const Plan& plan, bool snapshot, const std::vector<TestEvent>& events) {
  aggregation::v1::WatchPartialsResponse update;
  update.set_snapshot(snapshot);
  *update.mutable_partials() = RollUp(events, plan.ToPartialsQuery({0}));
  return update;
}

std::vector<std::string> Take(Subscription& subscription, int64_t now, bool* snapshot = nullptr) {
  auto changes = subscription.TakeChanges(At(now));
  REQUIRE(changes.ok());
  if (!*changes) return {"nothing"};
  if (snapshot != nullptr) *snapshot = (*changes)->snapshot();
  std::vector<std::string> lines = Lines((*changes)->frame());
  for (std::string& line : lines)
    line = std::to_string(std::stoll(line) / kSecond - kNow) + line.substr(line.find('|'));
  return lines;
}

using L = std::vector<std::string>;

}  // namespace

TEST_CASE("only cells that changed are sent after the snapshot, and nothing when none did", "[subscription]") {
  const Plan plan = LastSeconds(10);
  Subscription subscription(plan, {});
  CHECK_FALSE(subscription.ready());
  subscription.AddLeg(1, {0});
  REQUIRE(subscription.Apply(1, Update(plan, true, {Event(-2, "a", 1), Event(-1, "b", 2)})).ok());
  CHECK(Take(subscription, 0) == L{"-2|a|1", "-1|b|2"});
  CHECK(Take(subscription, 0) == L{"nothing"});
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(-1, "b", 5)})).ok());
  bool snapshot = true;
  CHECK(Take(subscription, 0, &snapshot) == L{"-1|b|5"});
  CHECK_FALSE(snapshot);
}

TEST_CASE("a range that moves forgets, in state and in what waits to be sent", "[subscription]") {
  const Plan plan = LastSeconds(5);
  Subscription subscription(plan, {});
  subscription.AddLeg(1, {0});
  REQUIRE(subscription.Apply(1, Update(plan, true, {})).ok());
  CHECK(Take(subscription, 0).empty());
  size_t bytes = 0;
  for (int64_t now = 1; now < 2'000; ++now) {
    REQUIRE(subscription.Apply(1, Update(plan, false, {Event(now, "a", static_cast<double>(now))})).ok());
    CHECK(Take(subscription, now) == L{fmt::format("{}|a|{}", now, now)});
    if (now == 50) bytes = subscription.bytes();
  }
  CHECK(subscription.bytes() <= 2 * bytes);
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(2'000, "a", 1)})).ok());
  CHECK(Take(subscription, 2'010) == L{"nothing"});
  // Rows from before the range are not taken in.
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(1'000, "a", 1)})).ok());
  CHECK_FALSE(subscription.has_changes());
}

TEST_CASE("groups that leave the range make room for others, and come back", "[subscription]") {
  const Plan plan = LastSeconds(5, 1);
  Subscription subscription(plan, {});
  subscription.AddLeg(1, {0});
  REQUIRE(subscription.Apply(1, Update(plan, true, {Event(0, "a", 9), Event(0, "b", 1)})).ok());
  CHECK(Take(subscription, 0) == L{"0|a|9"});
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(1, "b", 2)})).ok());
  CHECK(Take(subscription, 1) == L{"nothing"});
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(10, "c", 3)})).ok());
  CHECK(Take(subscription, 10) == L{"10|c|3"});
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(20, "a", 4)})).ok());
  CHECK(Take(subscription, 20) == L{"20|a|4"});
}

TEST_CASE("over the limit the groups are chosen anew now and then, by a fresh snapshot", "[subscription]") {
  const Plan plan = LastSeconds(100, 1);
  Subscription subscription(plan, {});
  subscription.AddLeg(1, {0});
  REQUIRE(subscription.Apply(1, Update(plan, true, {Event(0, "a", 9), Event(0, "b", 1)})).ok());
  CHECK(Take(subscription, 0) == L{"0|a|9"});
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(1, "b", 20)})).ok());
  bool snapshot = false;
  CHECK(Take(subscription, 1) == L{"nothing"});
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(6, "b", 21)})).ok());
  CHECK(Take(subscription, 6, &snapshot) == L{"0|b|1", "1|b|20", "6|b|21"});
  CHECK(snapshot);
}

TEST_CASE("a fresh snapshot of an owner sends only what it changed, and a snapshot when rows are gone",
          "[subscription]") {
  const Plan plan = LastSeconds(100);
  Subscription subscription(plan, {});
  subscription.AddLeg(1, {0});
  REQUIRE(subscription.Apply(1, Update(plan, true, {Event(0, "a", 1), Event(1, "b", 2)})).ok());
  CHECK(Take(subscription, 1).size() == 2);
  subscription.RemoveLeg(1);
  subscription.AddLeg(2, {0});
  bool snapshot = true;
  REQUIRE(subscription.Apply(2, Update(plan, true, {Event(0, "a", 1), Event(1, "b", 3)})).ok());
  CHECK(Take(subscription, 1, &snapshot) == L{"1|b|3"});
  CHECK_FALSE(snapshot);
  REQUIRE(subscription.Apply(2, Update(plan, true, {Event(1, "b", 3)})).ok());
  CHECK(Take(subscription, 1, &snapshot) == L{"1|b|3"});
  CHECK(snapshot);
}

TEST_CASE("a snapshot in parts is shown when its last part and its segments are there", "[subscription]") {
  const Plan plan = LastSeconds(100);
  Subscription subscription(plan, {});
  subscription.AddLeg(1, {0});
  auto part = Update(plan, true, {Event(0, "a", 1)});
  part.set_continued(true);
  part.add_segments()->set_object("old");
  REQUIRE(subscription.Apply(1, part).ok());
  CHECK_FALSE(subscription.ready());
  const auto read = subscription.Apply(1, Update(plan, true, {Event(1, "a", 2)}));
  REQUIRE(read.ok());
  REQUIRE(read->has_value());
  CHECK((*read)->segments.size() == 1);
  CHECK_FALSE(subscription.ready());
  // Changes go on while segments are read.
  REQUIRE(subscription.Apply(1, Update(plan, false, {Event(1, "a", 5)})).ok());
  const auto stored = RollUp({Event(-1, "a", 7)}, plan.ToPartialsQuery({0}));
  REQUIRE(subscription.AddStored(1, (*read)->generation, stored).ok());
  REQUIRE(subscription.AddStored(1, (*read)->generation - 1, stored).ok());  // of an older snapshot: ignored
  REQUIRE(subscription.FinishStored(1, (*read)->generation).ok());
  CHECK(Take(subscription, 1) == L{"-1|a|7", "0|a|1", "1|a|5"});
  // The same segment again is not read again.
  auto again = Update(plan, true, {Event(1, "a", 5)});
  again.add_segments()->set_object("old");
  again.add_segments()->set_object("new");
  const auto second = subscription.Apply(1, again);
  REQUIRE(second.ok());
  REQUIRE(second->has_value());
  REQUIRE((*second)->segments.size() == 1);
  CHECK((*second)->segments[0].object() == "new");
  REQUIRE(subscription.AddStored(1, (*second)->generation, RollUp({Event(0, "a", 1)}, plan.ToPartialsQuery({0}))).ok());
  REQUIRE(subscription.FinishStored(1, (*second)->generation).ok());
  CHECK(Take(subscription, 1) == L{"nothing"});
  // Compacted into one: all is read anew.
  auto compacted = Update(plan, true, {Event(1, "a", 5)});
  compacted.add_segments()->set_object("both");
  const auto third = subscription.Apply(1, compacted);
  REQUIRE(third.ok());
  REQUIRE(third->has_value());
  REQUIRE(
      subscription
          .AddStored(1, (*third)->generation, RollUp({Event(-1, "a", 7), Event(0, "a", 1)}, plan.ToPartialsQuery({0})))
          .ok());
  REQUIRE(subscription.FinishStored(1, (*third)->generation).ok());
  CHECK(Take(subscription, 1) == L{"nothing"});
}

TEST_CASE("a subscription whose groups come and go for ever says that it is worn out", "[subscription]") {
  const Plan plan = LastSeconds(5);
  Subscription subscription(plan, {}, 41);
  subscription.AddLeg(1, {0});
  REQUIRE(subscription.Apply(1, Update(plan, true, {})).ok());
  int64_t now = 0;
  for (; now < 200 && !subscription.worn_out(); ++now) {
    std::vector<TestEvent> events;
    for (int i = 0; i < 100; ++i) events.push_back(Event(now, fmt::format("pid-{}-{}", now, i), 1));
    REQUIRE(subscription.Apply(1, Update(plan, false, events)).ok());
    CHECK(Take(subscription, now).size() == 100);
  }
  CHECK(subscription.worn_out());
  CHECK(now > 90);
  CHECK(subscription.sequence() == 41 + static_cast<uint64_t>(now));
}

TEST_CASE("rows of a partition that the owner was not asked for are refused", "[subscription]") {
  const Plan plan = LastSeconds(10);
  Subscription subscription(plan, {});
  subscription.AddLeg(1, {0});
  CHECK(subscription.Apply(1, Update(plan, false, {})).status().code() == absl::StatusCode::kInternal);
  auto update = Update(plan, true, {Event(0, "a", 1)});
  update.mutable_partials()->set_partition(0, 3);
  CHECK(subscription.Apply(1, update).status().code() == absl::StatusCode::kInternal);
}

}  // namespace rivermeet::query
