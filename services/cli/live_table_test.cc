#include "cli/live_table.h"

#include <catch2/catch.hpp>

namespace rivermeet::cli {
namespace {

struct Cell {
  int64_t second;
  std::string core;
  double value;
};

query::v1::SubscribeResponse Update(bool snapshot, const std::vector<Cell>& cells) {
  query::v1::SubscribeResponse update;
  update.set_snapshot(snapshot);
  auto& frame = *update.mutable_frame();
  frame.set_row_count(cells.size());
  auto& time = *frame.add_columns();
  time.set_name("time");
  time.set_type(query::v1::COLUMN_TYPE_TIME);
  auto& core = *frame.add_columns();
  core.set_name("core");
  core.set_type(query::v1::COLUMN_TYPE_STRING);
  auto& mean = *frame.add_columns();
  mean.set_name("mean_cpu");
  mean.set_type(query::v1::COLUMN_TYPE_FLOAT64);
  for (const Cell& cell : cells) {
    time.add_int64_values(cell.second * 1'000'000);
    core.add_dictionary(cell.core);
    core.add_index(static_cast<uint32_t>(core.dictionary_size()));
    mean.add_float64_values(cell.value);
  }
  return update;
}

TEST_CASE("a snapshot replaces everything, other updates replace cells", "[live]") {
  LiveTable table;
  REQUIRE(table.Apply(Update(true, {{1, "0", 5}, {2, "0", 9}, {2, "1", 1}})).ok());
  REQUIRE(table.Apply(Update(false, {{2, "0", 7}})).ok());
  CHECK(table.groups() == 2);
  CHECK(table.Draw(10, 80) == "core  mean_cpu\n0        7.000  ▁█\n1        1.000  ▁\n");
  REQUIRE(table.Apply(Update(true, {{3, "9", 2}})).ok());
  CHECK(table.Draw(10, 80) == "core  mean_cpu\n9        2.000  ▁\n");
}

TEST_CASE("rows and columns are cut to the terminal", "[live]") {
  LiveTable table;
  REQUIRE(table.Apply(Update(true, {{1, "a", 3}, {1, "b", 2}, {1, "c", 1}})).ok());
  CHECK(table.Draw(1, 8) == "core  me\na       \nand 2 more\n");
}

TEST_CASE("memory is bounded in windows and groups", "[live]") {
  LiveTable table;
  for (int64_t second = 0; second < 500; ++second) REQUIRE(table.Apply(Update(second == 0, {{second, "0", 1}})).ok());
  CHECK(table.Draw(10, 1000).size() < 400);
  for (int core = 0; core < 3000; ++core) REQUIRE(table.Apply(Update(false, {{1, std::to_string(core), 1}})).ok());
  CHECK(table.groups() == LiveTable::kMaxGroups);
}

TEST_CASE("a damaged update is refused and takes nothing with it", "[live]") {
  LiveTable table;
  REQUIRE(table.Apply(Update(true, {{1, "0", 5}})).ok());
  query::v1::SubscribeResponse update = Update(false, {{2, "0", 5}});
  update.mutable_frame()->set_row_count(2);
  CHECK_FALSE(table.Apply(update).ok());
  update = Update(false, {{2, "0", 5}});
  update.mutable_frame()->mutable_columns()->DeleteSubrange(0, 1);
  CHECK_FALSE(table.Apply(update).ok());
  CHECK(table.groups() == 1);
  CHECK(LiveTable().Draw(10, 80) == "(no events yet)\n");
}

TEST_CASE("an update is one line, whatever it holds", "[live]") {
  CHECK(LiveTable::Line(Update(false, {{1, "0", 12.5}, {1, "a\nb", 3}, {2, "0", 4}})) ==
        "1970-01-01T00:00:01Z  core=0 mean_cpu=12.5  core=a?b mean_cpu=3  1970-01-01T00:00:02Z  core=0 mean_cpu=4");
}

TEST_CASE("bars go from the smallest to the largest value", "[live]") {
  CHECK(Bars({0.0, 50.0, std::nullopt, 100.0}) == "▁▅ █");
  CHECK(Bars({3.0, 3.0}) == "▁▁");
  CHECK(Bars({}).empty());
}

}  // namespace
}  // namespace rivermeet::cli
