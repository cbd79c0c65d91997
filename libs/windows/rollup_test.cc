#include "windows/rollup.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "windows/batch_builder.h"

namespace rivermeet::windows {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'040 * kSecond;  // a whole minute

struct Fixture {
  PartitionState state{FoldOptions()};
  int64_t offset = 0;
  void Add(const std::vector<TestEvent>& events) {
    const auto batch = MakeBatch(events);
    state.Fold(MakeHeader(offset + 1, static_cast<uint32_t>(events.size())), &batch, offset, kStart + 3600 * kSecond);
    ++offset;
  }
  StreamView View() { return state.Find(1)->View(); }
};

struct Row {
  uint64_t events;
  std::vector<MeasureTotal> totals;
};
using Rows = std::map<std::pair<int64_t, std::vector<std::string>>, Row>;

Rows Collect(const StreamView& view, const RollupQuery& query) {
  Grouping grouping(query);
  grouping.Extend(view.series);
  Rows rows;
  Rollup(view, query, grouping, [&](const RollupRow& row) {
    const bool fresh = rows.try_emplace({row.window_start_us, grouping.TextsOf(row.group)},
                                        Row{row.events, {row.measures, row.measures + query.measures.size()}})
                           .second;
    CHECK(fresh);
  });
  return rows;
}

RollupQuery Query(int64_t step_us) {
  RollupQuery query;
  query.start_us = kStart;
  query.end_us = kStart + 600 * kSecond;
  query.step_us = step_us;
  query.measures = {"x"};
  return query;
}

TEST_CASE("windows group and filter by dimensions, an absent value included", "[rollup]") {
  Fixture f;
  f.Add({{kStart, {{"host", "a"}, {"core", "0"}}, {{"x", 1}}, {}},
         {kStart + 1, {{"host", "a"}, {"core", "1"}}, {{"x", 2}}, {}},
         {kStart + 2, {{"host", "b"}}, {{"x", 4}}, {}}});
  RollupQuery query = Query(kSecond);
  query.group_by = {"host"};
  Rows rows = Collect(f.View(), query);
  CHECK(rows.at({kStart, {"a"}}).totals[0].float64_sum == 3);
  CHECK(rows.at({kStart, {"b"}}).totals[0].float64_sum == 4);
  query.group_by = {"core", "nothing"};
  rows = Collect(f.View(), query);
  CHECK(rows.at({kStart, {"", ""}}).events == 1);
  query.group_by = {};
  query.filters = {{"core", false, {"", "1"}}};
  CHECK(Collect(f.View(), query).at({kStart, {}}).totals[0].float64_sum == 6);
  query.filters = {{"core", true, {"", "1"}}};
  CHECK(Collect(f.View(), query).at({kStart, {}}).totals[0].float64_sum == 1);
  query.filters = {{"nothing", false, {"v"}}};
  CHECK(Collect(f.View(), query).empty());
}

TEST_CASE("increases of consecutive windows add up to the increase of the whole, resets understood", "[rollup]") {
  Fixture f;
  const std::vector<double> values = {10, 12, 15, 3, 4, 4, 9};
  for (size_t i = 0; i < values.size(); ++i) {
    f.Add({{kStart + static_cast<int64_t>(i) * 5 * kSecond, {}, {{"x", values[i]}}, {}}});
  }
  for (const int64_t step : {kSecond, 10 * kSecond, 60 * kSecond}) {
    double sum = 0;
    for (const auto& [key, row] : Collect(f.View(), Query(step))) sum += row.totals[0].increase;
    CHECK(sum == 2 + 3 + 3 + 1 + 0 + 5);
  }
}

TEST_CASE("a counter that was silent for longer than the lookback starts from its own first value", "[rollup]") {
  Fixture f;
  f.Add({{kStart, {}, {{"x", 10}}, {}}});
  f.Add({{kStart + 301 * kSecond, {}, {{"x", 1000}}, {}}, {kStart + 302 * kSecond, {}, {{"x", 1003}}, {}}});
  CHECK(Collect(f.View(), Query(600 * kSecond)).begin()->second.totals[0].increase == 3);
}

TEST_CASE("first and last of a group break ties by the order of the log", "[rollup]") {
  Fixture f;
  f.Add({{kStart + 5, {{"h", "b"}}, {{"x", 1}}, {}}, {kStart + 5, {{"h", "a"}}, {{"x", 2}}, {}}});
  f.Add({{kStart + 5, {{"h", "b"}}, {{"x", 3}}, {}}});
  const MeasureTotal total = Collect(f.View(), Query(kSecond)).begin()->second.totals[0];
  CHECK(total.first.f64 == 1);
  CHECK(total.last.f64 == 3);
}

TEST_CASE("a watch's rows, put over each other, are what a read gives", "[rollup]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const int64_t step : {kSecond, 10 * kSecond, 60 * kSecond}) {
    Fixture f;
    RollupQuery query = Query(step);
    query.group_by = {"host"};
    RollupWatch watch(query);
    std::map<std::pair<int64_t, std::vector<std::string>>, std::pair<uint64_t, double>> seen;
    size_t rows_given = 0;
    for (int round = 0; round < 200; ++round) {
      std::vector<TestEvent> events;
      for (uint64_t e = 0; e < 1 + random() % 5; ++e) {
        const int64_t back = static_cast<int64_t>(random() % (random() % 4 == 0 ? 40 : 3)) * kSecond;
        events.push_back({kStart + round * kSecond / 2 + 40 * kSecond - back,
                          {{"host", std::to_string(random() % 6)}},
                          {{"x", static_cast<double>(random() % 100)}},
                          {}});
      }
      f.Add(events);
      if (random() % 3 == 0) continue;
      watch.Update(f.View(), [&](const RollupRow& row) {
        seen[{row.window_start_us, watch.grouping().TextsOf(row.group)}] = {row.events, row.measures[0].increase};
        ++rows_given;
      });
      std::map<std::pair<int64_t, std::vector<std::string>>, std::pair<uint64_t, double>> expected;
      for (const auto& [key, row] : Collect(f.View(), query)) expected[key] = {row.events, row.totals[0].increase};
      REQUIRE(seen == expected);
    }
    CHECK(rows_given < 200 * 30);
  }
}

TEST_CASE("a watch gives nothing when nothing changed and everything after a reset", "[rollup]") {
  Fixture f;
  f.Add({{kStart, {}, {{"x", 1}}, {}}});
  RollupWatch watch(Query(kSecond));
  int rows = 0;
  const auto count = [&](const RollupRow&) { ++rows; };
  watch.Update(f.View(), count);
  CHECK(rows == 1);
  watch.Update(f.View(), count);
  CHECK(rows == 1);
  watch.Reset();
  watch.Update(f.View(), count);
  CHECK(rows == 2);
}

TEST_CASE("what was stored carries each counter's last value on", "[rollup]") {
  Fixture f;
  for (int i = 0; i < 500; ++i) f.Add({{kStart + i * kSecond, {}, {}, {{"x", i * 3}}}});
  StreamState& stream = *f.state.Find(1);
  const StreamView before = f.View();
  const int64_t until = stream.StorableUntil(0);
  double stored = 0;
  SeriesRollup rollup(before, 60 * kSecond, until);
  while (rollup.Next([&](const RollupRow& row) {
    CHECK(row.window_start_us % (60 * kSecond) == 0);
    stored += row.measures[0].increase;
  })) {
  }
  const auto carry = rollup.TakeCarry();
  stream.DropStored(until, carry);
  RollupQuery query = Query(kSecond);
  double hot = 0;
  for (const auto& [key, row] : Collect(f.View(), query)) hot += row.totals[0].increase;
  CHECK(stored + hot == 499 * 3);
  CHECK(stored > 0);
  CHECK(hot > 0);
}

}  // namespace
}  // namespace rivermeet::windows
