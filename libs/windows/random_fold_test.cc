// The fold against a reference that keeps every event and adds up from scratch.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "windows/batch_builder.h"
#include "windows/rollup.h"

namespace rivermeet::windows {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'040 * kSecond;

struct Reference {
  struct Kept {
    TestEvent event;
    int64_t order;
  };
  std::vector<Kept> kept;
  Ledger ledger;
  std::map<uint64_t, std::set<uint64_t>> seen;
  std::map<uint64_t, uint64_t> highest;
  int64_t watermark_us = kNoTime;

  void Add(uint64_t producer, uint64_t sequence, const std::vector<TestEvent>& events, int64_t append_us) {
    ledger.appended += events.size();
    if (highest[producer] >= sequence + 1024) {
      ledger.stale += events.size();
      return;
    }
    if (!seen[producer].insert(sequence).second) {
      ledger.deduplicated += events.size();
      return;
    }
    highest[producer] = std::max(highest[producer], sequence);
    int64_t largest = kNoTime;
    for (const TestEvent& event : events) {
      const int64_t end = (event.time_us / kSecond + 1) * kSecond;
      if (watermark_us != kNoTime && end + 60 * kSecond <= watermark_us) {
        ++ledger.too_late;
      } else {
        ++ledger.folded;
        kept.push_back({event, static_cast<int64_t>(kept.size())});
      }
      largest = std::max(largest, event.time_us);
    }
    if (!events.empty()) watermark_us = std::max(watermark_us, std::min(largest, append_us) - 2 * kSecond);
  }
};

struct Expected {
  uint64_t events = 0;
  uint64_t count = 0;
  double sum = 0;
  double min = INFINITY;
  double max = -INFINITY;
  double first = 0;
  double last = 0;
};

std::vector<TestEvent> RandomEvents(std::mt19937_64& random, int64_t now_us) {
  std::vector<TestEvent> events;
  for (uint64_t e = 0; e < random() % 60; ++e) {
    const int64_t back_ms = static_cast<int64_t>(random() % (random() % 10 == 0 ? 90'000 : 3'000));
    TestEvent event{now_us - back_ms * 1'000, {}, {}, {}};
    event.dimensions["host"] = "h" + std::to_string(random() % 5);
    if (random() % 4 != 0) event.dimensions["core"] = std::to_string(random() % 3);
    if (random() % 5 != 0) event.float64["x"] = static_cast<double>(random() % 1024) / 4 - 50;
    if (random() % 2 == 0) event.int64["n"] = static_cast<int64_t>(random() % 1000);
    events.push_back(event);
  }
  return events;
}

void CheckAgainst(const Reference& reference, const StreamView& view, int64_t step_us) {
  std::map<std::pair<int64_t, std::string>, Expected> expected;
  std::map<std::pair<int64_t, std::string>, std::pair<std::pair<int64_t, int64_t>, std::pair<int64_t, int64_t>>> ends;
  for (const auto& [event, order] : reference.kept) {
    const int64_t window = event.time_us / step_us * step_us;
    const std::pair<int64_t, std::string> key{window, event.dimensions.at("host")};
    Expected& row = expected[key];
    ++row.events;
    const auto x = event.float64.find("x");
    if (x == event.float64.end()) continue;
    const std::pair<int64_t, int64_t> at{event.time_us, order};
    auto& [first_at, last_at] = ends[key];
    if (row.count == 0 || at < first_at) first_at = at, row.first = x->second;
    if (row.count == 0 || at > last_at) last_at = at, row.last = x->second;
    ++row.count;
    row.sum += x->second;
    row.min = std::min(row.min, x->second);
    row.max = std::max(row.max, x->second);
  }
  RollupQuery query;
  query.step_us = step_us;
  query.measures = {"x"};
  query.group_by = {"host"};
  Grouping grouping(query);
  grouping.Extend(view.series);
  size_t rows = 0;
  Rollup(view, query, grouping, [&](const RollupRow& row) {
    ++rows;
    const auto found = expected.find({row.window_start_us, grouping.TextsOf(row.group)[0]});
    REQUIRE(found != expected.end());
    const Expected& want = found->second;
    const MeasureTotal& got = row.measures[0];
    REQUIRE(row.events == want.events);
    REQUIRE(got.count == want.count);
    if (want.count == 0) return;
    REQUIRE(got.float64_sum == want.sum);  // quarters: exact in any order
    REQUIRE(got.min.f64 == want.min);
    REQUIRE(got.max.f64 == want.max);
    REQUIRE(got.first.f64 == want.first);
    REQUIRE(got.last.f64 == want.last);
  });
  REQUIRE(rows == expected.size());
}

TEST_CASE("the fold gives what adding up all accepted events gives, for any log", "[windows]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int run = 0; run < 10; ++run) {
    PartitionState state{FoldOptions()};
    Reference reference;
    std::vector<std::tuple<uint64_t, uint64_t, std::vector<TestEvent>>> sent;
    int64_t now_us = kStart;
    std::map<uint64_t, uint64_t> sequence;
    int64_t offset = 0;
    std::vector<StreamView> held;
    for (int record = 0; record < 250; ++record) {
      now_us += static_cast<int64_t>(random() % 2'000'000);
      if (sent.empty() || random() % 6 != 0) {
        const uint64_t producer = 1 + random() % 3;
        uint64_t& last = sequence[producer];
        last += random() % 40 == 0 ? 900 : 1;
        sent.emplace_back(producer, last, RandomEvents(random, now_us));
      }
      // The newest, or any earlier one again.
      const auto& [producer, number, events] = random() % 6 == 0 ? sent[random() % sent.size()] : sent.back();
      const auto batch = MakeBatch(events);
      offset += 1 + static_cast<int64_t>(random() % 2);
      state.Fold(MakeHeader(number, static_cast<uint32_t>(events.size()), producer), &batch, offset, now_us);
      reference.Add(producer, number, events, now_us);
      REQUIRE(state.Find(1)->ledger() == reference.ledger);
      REQUIRE(state.Find(1)->ledger().balanced());
      // Readers that hold panes for a while force the fold to copy.
      if (random() % 8 == 0) held.push_back(state.Find(1)->View());
      if (held.size() > 3) held.erase(held.begin());
    }
    CHECK(reference.ledger.deduplicated > 0);
    CHECK(reference.ledger.too_late > 0);
    for (const int64_t step : {kSecond, 10 * kSecond, 60 * kSecond}) {
      CheckAgainst(reference, state.Find(1)->View(), step);
    }
  }
}

}  // namespace
}  // namespace rivermeet::windows
