#include "gateway/live_table.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

namespace rivermeet::gateway {
namespace {

struct Row {
  int64_t time;
  std::string host;
  double value;
  bool null = false;
};

query::v1::SubscribeResponse Response(bool snapshot, uint64_t sequence, const std::vector<Row>& rows,
                                      int64_t start = 0) {
  query::v1::SubscribeResponse response;
  response.set_snapshot(snapshot);
  response.set_sequence(sequence);
  response.set_range_start_us(start);
  auto& frame = *response.mutable_frame();
  frame.set_row_count(rows.size());
  auto& time = *frame.add_columns();
  time.set_name("time");
  time.set_type(query::v1::COLUMN_TYPE_TIME);
  auto& host = *frame.add_columns();
  host.set_name("host");
  host.set_type(query::v1::COLUMN_TYPE_STRING);
  auto& value = *frame.add_columns();
  value.set_name("mean_cpu");
  value.set_type(query::v1::COLUMN_TYPE_FLOAT64);
  std::string nulls((rows.size() + 7) / 8, '\0');
  for (size_t i = 0; i < rows.size(); ++i) {
    time.add_int64_values(rows[i].time);
    if (!rows[i].host.empty()) host.add_dictionary(rows[i].host);
    host.add_index(rows[i].host.empty() ? 0 : static_cast<uint32_t>(host.dictionary_size()));
    value.add_float64_values(rows[i].value);
    if (rows[i].null) nulls[i / 8] = static_cast<char>(nulls[i / 8] | 1 << (i % 8));
  }
  value.set_nulls(nulls);
  return response;
}

// "host@time=value" by the order of rows.
std::vector<std::string> Rows(const query::v1::SubscribeResponse& response) {
  std::vector<std::string> rows;
  const auto& frame = response.frame();
  for (int i = 0; i < static_cast<int>(frame.row_count()); ++i) {
    const uint32_t index = frame.columns(1).index(i);
    const auto& nulls = frame.columns(2).nulls();
    const bool null = !nulls.empty() && (nulls[static_cast<size_t>(i) / 8] >> (i % 8) & 1) != 0;
    rows.push_back(fmt::format("{}@{}={}", index == 0 ? "" : frame.columns(1).dictionary(static_cast<int>(index) - 1),
                               frame.columns(0).int64_values(i),
                               null ? "null" : fmt::format("{}", frame.columns(2).float64_values(i))));
  }
  return rows;
}

TEST_CASE("what has left the range is forgotten though nobody asks for the whole", "[gateway]") {
  LiveTable table;
  REQUIRE(table.Apply(Response(true, 1, {{0, "a", 1}})).ok());
  size_t most = 0;
  for (int64_t i = 1; i <= 2'000; ++i) {
    std::vector<Row> rows;
    for (int host = 0; host < 50; ++host) rows.push_back({i, fmt::format("host-{}", host), 1.0});
    REQUIRE(table.Apply(Response(false, static_cast<uint64_t>(i) + 1, rows, i - 10)).ok());
    most = std::max(most, table.rows());
  }
  // The range has 550 rows; changes wait until they outgrow what they change.
  CHECK(most < 20'000);
  CHECK(table.Whole().value().frame().row_count() == 550);
}

TEST_CASE("changes replace and add cells, in the order of groups and times", "[gateway]") {
  LiveTable table;
  REQUIRE(table.Apply(Response(true, 1, {{10, "b", 1}, {20, "b", 2}, {10, "a", 3}})).ok());
  REQUIRE(table.Apply(Response(false, 2, {{20, "b", 5}, {30, "", 6}})).ok());
  REQUIRE(table.Apply(Response(false, 3, {{20, "a", 0, true}})).ok());
  const auto whole = table.Whole().value();
  CHECK(whole.snapshot());
  CHECK(whole.sequence() == 3);
  CHECK(Rows(whole) == std::vector<std::string>{"@30=6", "a@10=3", "a@20=null", "b@10=1", "b@20=5"});
}

TEST_CASE("what has left the range is forgotten", "[gateway]") {
  LiveTable table;
  REQUIRE(table.Apply(Response(true, 1, {{10, "a", 1}, {20, "a", 2}})).ok());
  REQUIRE(table.Apply(Response(false, 2, {{30, "a", 3}}, 20)).ok());
  CHECK(Rows(table.Whole().value()) == std::vector<std::string>{"a@20=2", "a@30=3"});
  CHECK(table.rows() == 2);
  REQUIRE(table.Apply(Response(false, 3, {{30, "a", 4}}, 30)).ok());
  CHECK(Rows(table.Whole().value()) == std::vector<std::string>{"a@30=4"});
}

TEST_CASE("a change that does not fit asks for a new start", "[gateway]") {
  LiveTable table;
  CHECK_FALSE(table.Apply(Response(false, 1, {{10, "a", 1}})).ok());
  REQUIRE(table.Apply(Response(true, 1, {{10, "a", 1}})).ok());
  auto other = Response(false, 2, {{10, "a", 1}});
  other.mutable_frame()->mutable_columns(2)->set_name("max_cpu");
  const bool noticed = !table.Apply(other).ok() || !table.Whole().ok();
  CHECK(noticed);
  REQUIRE(table.Apply(Response(true, 1, {{10, "a", 1}})).ok());
  auto ragged = Response(false, 2, {{10, "a", 1}});
  ragged.mutable_frame()->set_row_count(2);
  CHECK((!table.Apply(ragged).ok() || !table.Whole().ok()));
}

TEST_CASE("any series of changes gives what a map of cells gives", "[gateway]") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  LiveTable table;
  std::map<std::pair<std::string, int64_t>, double> model;
  int64_t start = 0;
  for (uint64_t i = 1; i <= 300; ++i) {
    std::vector<Row> rows;
    std::map<std::pair<std::string, int64_t>, double> seen;
    const bool snapshot = i == 1 || random() % 50 == 0;
    if (snapshot) model.clear();
    start += static_cast<int64_t>(random() % 3);
    for (unsigned j = random() % 20; j > 0; --j) {
      const Row row{start + static_cast<int64_t>(random() % 30), std::string(1, static_cast<char>('a' + random() % 4)),
                    static_cast<double>(random() % 1000)};
      model[{row.host, row.time}] = row.value;
      rows.push_back(row);
    }
    REQUIRE(table.Apply(Response(snapshot, i, rows, start)).ok());
    if (random() % 4 != 0) continue;
    std::vector<std::string> expected;
    for (const auto& [key, value] : model) {
      if (key.second >= start) expected.push_back(fmt::format("{}@{}={}", key.first, key.second, value));
    }
    REQUIRE(Rows(table.Whole().value()) == expected);
  }
}

}  // namespace
}  // namespace rivermeet::gateway
