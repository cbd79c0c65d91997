#include "partials/partials_table.h"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <tuple>

namespace rivermeet::partials {
namespace {

using aggregation::v1::Partials;

constexpr int64_t kSecond = 1'000'000;

struct Row {
  int64_t start_us;
  std::vector<std::optional<std::string>> group;
  uint64_t events;
  MeasureState<double> cpu;
  MeasureState<int64_t> bytes;
  uint32_t partition;
};

const std::vector<MeasureSpec> kMeasures = {{"cpu", false}, {"bytes", true}};
const std::vector<std::string> kDimensions = {"host", "zone"};

template <typename T, typename Set>
void Fill(const MeasureState<T>& state, aggregation::v1::MeasurePartials& measure, Set set) {
  measure.add_count(state.count);
  measure.add_first_us(state.first_us);
  measure.add_last_us(state.last_us);
  measure.add_increase(state.increase);
  set(measure, state);
}

Partials Encode(const std::vector<Row>& rows) {
  Partials partials;
  std::vector<std::map<std::string, uint32_t>> ids(kDimensions.size());
  for (const std::string& name : kDimensions) partials.add_group_by()->set_name(name);
  for (const MeasureSpec& spec : kMeasures) {
    auto* measure = partials.add_measures();
    measure->set_name(spec.name);
    measure->set_is_int64(spec.is_int64);
  }
  for (const Row& row : rows) {
    partials.add_window_start_us(row.start_us);
    partials.add_event_count(row.events);
    partials.add_partition(row.partition);
    for (size_t d = 0; d < kDimensions.size(); ++d) {
      auto* column = partials.mutable_group_by(static_cast<int>(d));
      if (!row.group[d]) {
        column->add_value_index(0);
        continue;
      }
      const auto [found, is_new] = ids[d].try_emplace(*row.group[d], column->values_size() + 1);
      if (is_new) column->add_values(*row.group[d]);
      column->add_value_index(found->second);
    }
    Fill(row.cpu, *partials.mutable_measures(0), [](auto& m, const auto& s) {
      m.add_float64_sum(s.sum);
      m.add_float64_min(s.min);
      m.add_float64_max(s.max);
      m.add_float64_first(s.first);
      m.add_float64_last(s.last);
    });
    Fill(row.bytes, *partials.mutable_measures(1), [](auto& m, const auto& s) {
      m.add_int64_sum(s.sum);
      m.add_int64_min(s.min);
      m.add_int64_max(s.max);
      m.add_int64_first(s.first);
      m.add_int64_last(s.last);
    });
  }
  return partials;
}

// One value, as a state.
template <typename T>
MeasureState<T> One(T value, int64_t time_us, uint32_t partition) {
  return {.count = 1,
          .sum = value,
          .min = value,
          .max = value,
          .first = value,
          .last = value,
          .first_us = time_us,
          .last_us = time_us,
          .increase = 1,
          .first_partition = partition,
          .last_partition = partition};
}

using NaiveKey = std::tuple<std::string, std::string, int64_t>;
std::string Text(const std::optional<std::string>& value) { return value ? "=" + *value : "null"; }

std::vector<Row> RandomRows(std::mt19937_64& random, size_t count, int hosts, int windows) {
  std::vector<Row> rows;
  for (size_t i = 0; i < count; ++i) {
    const int host = static_cast<int>(random() % hosts);
    const int64_t start = static_cast<int64_t>(random() % windows) * kSecond;
    const auto partition = static_cast<uint32_t>(random() % 3);
    const int64_t time = start + static_cast<int64_t>(random() % 10);  // few distinct times: ties happen
    Row row{start,
            {host == 0 ? std::nullopt : std::optional("h" + std::to_string(host)), "z" + std::to_string(host % 2)},
            random() % 5 + 1,
            {},
            {},
            partition};
    if (random() % 4 != 0) row.cpu = One<double>(static_cast<double>(random() % 1000), time, partition);
    if (random() % 4 != 0) row.bytes = One<int64_t>(static_cast<int64_t>(random() % 1000) - 500, time, partition);
    rows.push_back(std::move(row));
  }
  return rows;
}

struct NaiveCell {
  uint64_t events = 0;
  std::vector<std::pair<double, std::pair<int64_t, uint32_t>>> cpu;  // value, (time, partition), in order of arrival
};

void CheckAgainst(const PartialsTable& table, const GroupTable& groups, const std::map<NaiveKey, NaiveCell>& naive) {
  REQUIRE(table.size() == naive.size());
  for (uint32_t cell = 0; cell < table.cell_limit(); ++cell) {
    if (!table.in_use(cell)) continue;
    const uint32_t group = table.group(cell);
    const auto text = [&](size_t d) {
      return groups.value_index(group, d) == 0 ? "null" : "=" + std::string(groups.value(group, d));
    };
    const auto found = naive.find({text(0), text(1), table.window(cell)});
    REQUIRE(found != naive.end());
    CHECK(table.Find(group, table.window(cell)) == cell);
    CHECK(table.event_count(cell) == found->second.events);
    const auto& values = found->second.cpu;
    const MeasureState<double>& state = table.float64_state(cell, 0);
    REQUIRE(state.count == values.size());
    if (values.empty()) continue;
    double sum = 0, min = values[0].first, max = values[0].first;
    auto first = values[0], last = values[0];
    for (const auto& value : values) {
      sum += value.first;
      min = std::min(min, value.first);
      max = std::max(max, value.first);
      if (value.second < first.second) first = value;
      if (value.second >= last.second) last = value;
    }
    CHECK(state.sum == sum);  // small integers: exact
    CHECK(state.min == min);
    CHECK(state.max == max);
    CHECK(state.first == first.first);
    CHECK(state.last == last.first);
    CHECK(state.increase == static_cast<double>(values.size()));
  }
}

}  // namespace

TEST_CASE("merging rows in any number of messages gives what adding them one by one gives", "[partials]") {
  const uint64_t seed = GENERATE(11u, 12u, 13u, 14u);
  const int hosts = GENERATE(3, 400);
  const int windows = GENERATE(5, 20'000);  // the last pair is too sparse for the dense index
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  GroupTable groups(kDimensions);
  PartialsTable table(kMeasures, static_cast<size_t>(windows));
  std::map<NaiveKey, NaiveCell> naive;
  for (int message = 0; message < 5; ++message) {
    const std::vector<Row> rows = RandomRows(random, 500, hosts, windows);
    const Partials encoded = Encode(rows);
    const auto view = PartialsView::Make(encoded, kMeasures, 0, kSecond, groups);
    REQUIRE(view.ok());
    for (size_t i = 0; i < view->rows(); ++i) {
      table.Merge(*view, i);
      NaiveCell& cell = naive[{Text(rows[i].group[0]), Text(rows[i].group[1]), rows[i].start_us / kSecond}];
      cell.events += rows[i].events;
      if (rows[i].cpu.count > 0) cell.cpu.push_back({rows[i].cpu.sum, {rows[i].cpu.last_us, rows[i].partition}});
    }
  }
  CheckAgainst(table, groups, naive);
}

TEST_CASE("a table forgets windows from the front, reuses their cells and goes on for ever", "[partials]") {
  const uint64_t seed = 21;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  GroupTable groups(kDimensions);
  PartialsTable table(kMeasures, 10);
  std::map<NaiveKey, NaiveCell> naive;
  size_t bytes_at_100 = 0;
  for (int64_t now = 0; now < 3'000; ++now) {
    std::vector<Row> rows = RandomRows(random, 8, 6, 1);
    for (Row& row : rows) row.start_us = (now + static_cast<int64_t>(random() % 3)) * kSecond;
    const Partials encoded = Encode(rows);
    const auto view = PartialsView::Make(encoded, kMeasures, 0, kSecond, groups);
    REQUIRE(view.ok());
    for (size_t i = 0; i < view->rows(); ++i) {
      table.Replace(*view, i);
      NaiveCell& cell = naive[{Text(rows[i].group[0]), Text(rows[i].group[1]), rows[i].start_us / kSecond}];
      cell = {.events = rows[i].events, .cpu = {}};
      if (rows[i].cpu.count > 0) cell.cpu.push_back({rows[i].cpu.sum, {rows[i].cpu.last_us, rows[i].partition}});
    }
    table.ForgetBefore(now - 9);
    std::erase_if(naive, [&](const auto& entry) { return std::get<2>(entry.first) < now - 9; });
    if (now == 100) bytes_at_100 = table.bytes();
  }
  CheckAgainst(table, groups, naive);
  CHECK(table.bytes() <= 2 * bytes_at_100);
}

TEST_CASE("int64 sums saturate and a NaN gives way to a number in min and max", "[partials]") {
  MeasureState<int64_t> big = One<int64_t>(std::numeric_limits<int64_t>::max(), 1, 0);
  big.Merge(One<int64_t>(5, 2, 0));
  CHECK(big.sum == std::numeric_limits<int64_t>::max());
  MeasureState<int64_t> small = One<int64_t>(std::numeric_limits<int64_t>::min(), 1, 0);
  small.Merge(One<int64_t>(-5, 2, 0));
  CHECK(small.sum == std::numeric_limits<int64_t>::min());
  MeasureState<double> gap = One(std::nan(""), 1, 0);
  gap.Merge(One(2.0, 2, 0));
  gap.Merge(One(std::nan(""), 3, 0));
  CHECK(gap.min == 2.0);
  CHECK(gap.max == 2.0);
}

TEST_CASE("rows of a finer step are merged into the window they lie in", "[partials]") {
  GroupTable groups(kDimensions);
  PartialsTable table(kMeasures, 2);
  const Partials encoded = Encode({{30 * kSecond, {"a", "b"}, 1, One(1.0, 1, 0), {}, 0},
                                   {89 * kSecond, {"a", "b"}, 2, One(2.0, 2, 0), {}, 0},
                                   {90 * kSecond, {"a", "b"}, 4, One(4.0, 3, 0), {}, 0}});
  const auto view = PartialsView::Make(encoded, kMeasures, 30 * kSecond, 60 * kSecond, groups);
  REQUIRE(view.ok());
  for (size_t i = 0; i < view->rows(); ++i) table.Merge(*view, i);
  REQUIRE(table.size() == 2);
  CHECK(table.event_count(table.Find(0, 0)) == 3);
  CHECK(table.event_count(table.Find(0, 1)) == 4);
}

TEST_CASE("a message that is not what was asked for is refused whole", "[partials]") {
  GroupTable groups(kDimensions);
  const Partials good = Encode({{0, {"a", "b"}, 1, One(1.0, 1, 0), {}, 0}});
  const auto make = [&](const Partials& partials) {
    return PartialsView::Make(partials, kMeasures, 0, kSecond, groups).status().code();
  };
  CHECK(make(good) == absl::StatusCode::kOk);
  Partials bad = good;
  bad.add_event_count(1);
  CHECK(make(bad) == absl::StatusCode::kInternal);
  bad = good;
  bad.mutable_group_by(0)->set_value_index(0, 7);
  CHECK(make(bad) == absl::StatusCode::kInternal);
  bad = good;
  bad.mutable_group_by(0)->set_name("other");
  CHECK(make(bad) == absl::StatusCode::kInternal);
  bad = good;
  bad.mutable_measures(0)->clear_float64_min();
  CHECK(make(bad) == absl::StatusCode::kInternal);
  bad = good;
  bad.mutable_measures(1)->set_is_int64(false);
  CHECK(make(bad) == absl::StatusCode::kInternal);
  CHECK(groups.size() == 1);
}

}  // namespace rivermeet::partials
