#include "windows/partition_state.h"

#include <catch2/catch.hpp>

#include "windows/batch_builder.h"
#include "windows/rollup.h"

namespace rivermeet::windows {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

struct Fixture {
  PartitionState state;
  explicit Fixture(uint32_t max_series = FoldOptions().max_series) : state(FoldOptions{.max_series = max_series}) {}
  int64_t offset = 0;
  FoldOutcome Add(const std::vector<TestEvent>& events, uint64_t sequence,
                  int64_t append_us = kStart + 3600 * kSecond) {
    const auto batch = MakeBatch(events);
    return state.Fold(MakeHeader(sequence, static_cast<uint32_t>(events.size())), &batch, offset++, append_us);
  }
  const Ledger& ledger() { return state.Find(1)->ledger(); }
};

TEST_CASE("a repeated batch is not folded again and the ledger says so", "[windows]") {
  Fixture f;
  const std::vector<TestEvent> events = {{kStart, {{"host", "a"}}, {{"cpu", 1.5}}, {}}};
  CHECK(f.Add(events, 1) == FoldOutcome::kFolded);
  CHECK(f.Add(events, 1) == FoldOutcome::kDeduplicated);
  CHECK(f.Add(events, 2000) == FoldOutcome::kFolded);
  CHECK(f.Add(events, 2) == FoldOutcome::kStale);
  CHECK(f.ledger() == Ledger{4, 0, 2, 1, 1, 0});
  CHECK(f.ledger().balanced());
}

TEST_CASE("an event behind watermark and lateness is too late, one at the edge is not", "[windows]") {
  Fixture f;
  f.Add({{kStart + 100 * kSecond, {}, {{"x", 1}}, {}}}, 1);
  // The watermark is 98 s, so that windows which end at 38 s or before are closed.
  CHECK(f.state.Find(1)->watermark_us() == kStart + 98 * kSecond);
  f.Add({{kStart + 38 * kSecond - 1, {}, {{"x", 1}}, {}}, {kStart + 38 * kSecond, {}, {{"x", 1}}, {}}}, 2);
  CHECK(f.ledger().too_late == 1);
  CHECK(f.ledger().folded == 2);
}

TEST_CASE("events of series beyond the limit are counted and not folded, those of known ones are", "[windows]") {
  Fixture f(3);
  const auto event = [](const std::string& host, const std::string& core) {
    return TestEvent{kStart, {{"host", host}, {"core", core}}, {{"x", 1}}, {}};
  };
  CHECK(f.Add({event("a", "0"), event("b", "0")}, 1) == FoldOutcome::kFolded);
  // One of them is the third, in the order of the batch's rows; the others are too many.
  CHECK(f.Add({event("a", "0"), event("c", "0"), event("d", "0"), event("e", "1")}, 2) == FoldOutcome::kFolded);
  CHECK(f.ledger() == Ledger{6, 0, 4, 0, 0, 0, 2});
  const size_t full = f.state.Find(1)->series().bytes();
  uint64_t sequence = 2;
  for (int host = 0; host < 500; ++host) {
    // Neither new texts nor new combinations of known ones.
    f.Add({event("new" + std::to_string(host), "0"), event("b", std::to_string(host + 2)), event("b", "0")},
          ++sequence);
  }
  CHECK(f.ledger() == Ledger{1506, 0, 504, 0, 0, 0, 1002});
  CHECK(f.ledger().balanced());
  CHECK(f.state.Find(1)->series().count() == 3);
  CHECK(f.state.Find(1)->series().bytes() == full);
  // A dimension that nobody had; without it, an event is of a series that is known.
  f.Add({TestEvent{kStart, {{"host", "a"}, {"core", "0"}, {"rack", "r"}}, {{"x", 1}}, {}}, event("a", "0")},
        ++sequence);
  CHECK(f.ledger().over_series_limit == 1003);
  CHECK(f.ledger().folded == 505);
  // What is too late is that first.
  f.Add({TestEvent{kStart + 3000 * kSecond, {{"host", "a"}, {"core", "0"}}, {{"x", 1}}, {}}}, ++sequence);
  f.Add({event("yet another", "0")}, ++sequence);
  CHECK(f.ledger().too_late == 1);
  CHECK(f.ledger().balanced());
}

TEST_CASE("texts that no series uses fill no memory either", "[windows]") {
  Fixture f(100);
  for (uint64_t sequence = 1; sequence <= 50; ++sequence) {
    auto batch = MakeBatch({{kStart, {{"host", "a"}}, {{"x", 1}}, {}}});
    for (int text = 0; text < 50; ++text) {
      batch.mutable_series()->mutable_dimensions(0)->add_values(std::to_string(sequence * 1000 + text));
    }
    f.state.Fold(MakeHeader(sequence, 1), &batch, f.offset++, kStart);
  }
  CHECK(f.ledger().folded == 50);
  CHECK(f.state.Find(1)->series().view().dimensions[0].values.size() == 100);
}

TEST_CASE("an event from the future does not carry the watermark past the log's own time", "[windows]") {
  Fixture f;
  f.Add({{kStart + 200 * kSecond, {}, {{"x", 1}}, {}}}, 1, kStart);
  CHECK(f.state.Find(1)->watermark_us() == kStart - 2 * kSecond);
}

TEST_CASE("the lateness in the record's header counts", "[windows]") {
  Fixture f;
  auto batch = MakeBatch({{kStart + 100 * kSecond, {}, {{"x", 1}}, {}}});
  auto header = MakeHeader(1, 1);
  header.set_allowed_lateness_us(0);
  f.state.Fold(header, &batch, f.offset++, kStart + 1000 * kSecond);
  CHECK(f.state.Find(1)->closed_until_us() == kStart + 98 * kSecond);
}

TEST_CASE("a payload that contradicts its header is counted as rejected, not folded", "[windows]") {
  Fixture f;
  auto batch = MakeBatch({{kStart, {}, {{"x", 1}}, {}}});
  CHECK(f.state.Fold(MakeHeader(1, 2), &batch, 0, kStart) == FoldOutcome::kMalformed);
  CHECK(f.state.Fold(MakeHeader(2, 3), nullptr, 1, kStart) == FoldOutcome::kMalformed);
  batch.set_series_index(0, 9);
  CHECK(f.state.Fold(MakeHeader(3, 1), &batch, 2, kStart) == FoldOutcome::kMalformed);
  CHECK(f.ledger() == Ledger{0, 6, 0, 0, 0, 0});
}

TEST_CASE("a payload whose times are beyond any calendar is counted as rejected", "[windows]") {
  Fixture f;
  auto batch = MakeBatch({{kStart, {}, {{"x", 1}}, {}}});
  uint64_t sequence = 0;
  for (const int64_t base : {INT64_MIN, INT64_MIN + 1, -(int64_t{1} << 61), int64_t{1} << 61, INT64_MAX}) {
    batch.set_base_time_us(base);
    CHECK(f.state.Fold(MakeHeader(++sequence, 1), &batch, f.offset++, kStart) == FoldOutcome::kMalformed);
  }
  CHECK(f.ledger() == Ledger{0, 5, 0, 0, 0, 0});
}

TEST_CASE("a record of rejected events alone changes the ledger alone", "[windows]") {
  Fixture f;
  auto header = MakeHeader(1, 0);
  header.set_rejected_count(7);
  CHECK(f.state.Fold(header, nullptr, 0, kStart) == FoldOutcome::kRejectedOnly);
  CHECK(f.ledger().received() == 7);
  CHECK(f.state.Find(1)->pane_count() == 0);
}

TEST_CASE("a view stays as it is while the fold goes on", "[windows]") {
  Fixture f;
  f.Add({{kStart, {{"host", "a"}}, {{"x", 1}}, {}}}, 1);
  const StreamView view = f.state.Find(1)->View();
  f.Add({{kStart, {{"host", "a"}}, {{"x", 2}}, {}}, {kStart, {{"host", "b"}}, {{"x", 2}, {"y", 3}}, {}}}, 2);
  REQUIRE(view.panes.size() == 1);
  const CellHeader* const cell = view.panes[0]->Find(0);
  REQUIRE(cell != nullptr);
  CHECK(cell->events == 1);
  CHECK(Page::MeasuresOf(*cell)[0].sum.f64 == 1);
  CHECK(view.series.count == 1);
  const StreamView now = f.state.Find(1)->View();
  CHECK(now.panes[0]->Find(0)->events == 2);
  CHECK(Page::MeasuresOf(*now.panes[0]->Find(1))[1].sum.f64 == 3);
}

TEST_CASE("a dimension that comes later does not change who the earlier series are", "[windows]") {
  Fixture f;
  f.Add({{kStart, {{"host", "a"}}, {{"x", 1}}, {}}}, 1);
  f.Add({{kStart, {{"host", "a"}, {"core", "0"}}, {{"x", 1}}, {}}}, 2);
  f.Add({{kStart, {{"host", "a"}}, {{"x", 1}}, {}}, {kStart, {{"host", "a"}, {"core", ""}}, {{"x", 1}}, {}}}, 3);
  const StreamView view = f.state.Find(1)->View();
  CHECK(view.series.count == 2);
  CHECK(view.panes[0]->Find(0)->events == 3);
}

TEST_CASE("an int64 sum is exact beyond 64 bits and saturates only when it is given away", "[windows]") {
  Fixture f;
  std::vector<TestEvent> events;
  for (int i = 0; i < 5; ++i) events.push_back({kStart, {}, {}, {{"n", INT64_MAX}}});
  for (int i = 0; i < 5; ++i) events.push_back({kStart, {}, {}, {{"n", -INT64_MAX + 1}}});
  f.Add(events, 1);
  const StreamView view = f.state.Find(1)->View();
  CHECK(static_cast<int64_t>(Page::MeasuresOf(*view.panes[0]->Find(0))[0].Int64Sum()) == 5);
  CHECK(Saturate(__int128{INT64_MAX} + 1) == INT64_MAX);
  CHECK(Saturate(__int128{INT64_MIN} - 1) == INT64_MIN);
}

TEST_CASE("panes leave memory only as whole minutes that are closed and old enough", "[windows]") {
  Fixture f;
  f.Add({{kStart, {}, {{"x", 1}}, {}}, {kStart + 1000 * kSecond, {}, {{"x", 1}}, {}}}, 1);
  StreamState& stream = *f.state.Find(1);
  const int64_t until = stream.StorableUntil(300 * kSecond);
  CHECK(until % kLongestRollupUs == 0);
  CHECK(until <= kStart + (1000 - 62 - 300) * kSecond);
  CHECK(until > kStart + (1000 - 62 - 300 - 60) * kSecond);
  stream.DropStored(until, nullptr);
  CHECK(stream.pane_count() == 1);
  CHECK(stream.StorableUntil(300 * kSecond) == kNoTime);
}

}  // namespace
}  // namespace rivermeet::windows
