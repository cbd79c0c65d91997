#include "cli/frame_text.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "cli/text_table.h"

namespace rivermeet::cli {
namespace {

query::v1::Frame Frame() {
  query::v1::Frame frame;
  frame.set_row_count(3);
  auto& time = *frame.add_columns();
  time.set_name("time");
  time.set_type(query::v1::COLUMN_TYPE_TIME);
  for (const int64_t us : {1'800'000'000'000'000, 1'800'000'010'000'000, 1'800'000'020'500'000})
    time.add_int64_values(us);
  auto& core = *frame.add_columns();
  core.set_name("core");
  core.set_type(query::v1::COLUMN_TYPE_STRING);
  core.add_dictionary("a,\"b\"");
  for (const uint32_t index : {1, 0, 1}) core.add_index(index);
  auto& mean = *frame.add_columns();
  mean.set_name("mean_cpu");
  mean.set_unit("percent");
  mean.set_type(query::v1::COLUMN_TYPE_FLOAT64);
  for (const double value : {12.5, 0.0, std::numeric_limits<double>::quiet_NaN()}) mean.add_float64_values(value);
  mean.set_nulls("\x02");
  auto& count = *frame.add_columns();
  count.set_name("count");
  count.set_type(query::v1::COLUMN_TYPE_INT64);
  for (const int64_t value : {1, -2, 3}) count.add_int64_values(value);
  return frame;
}

TEST_CASE("a frame becomes a table with units and dashes for null", "[frame]") {
  CHECK(FrameText(Frame(), OutputFormat::kTable) ==
        "time                    core   mean_cpu (percent)  count\n"
        "2027-01-15T08:00:00Z    a,\"b\"              12.500      1\n"
        "2027-01-15T08:00:10Z    -                       -     -2\n"
        "2027-01-15T08:00:20.5Z  a,\"b\"                 nan      3\n");
}

TEST_CASE("a frame becomes CSV with quotes where they are needed", "[frame]") {
  CHECK(FrameText(Frame(), OutputFormat::kCsv) ==
        "time,core,mean_cpu,count\r\n2027-01-15T08:00:00Z,\"a,\"\"b\"\"\",12.5,1\r\n"
        "2027-01-15T08:00:10Z,,,-2\r\n2027-01-15T08:00:20.5Z,\"a,\"\"b\"\"\",nan,3\r\n");
}

TEST_CASE("a frame becomes JSON, where null and what is no number are null", "[frame]") {
  CHECK(FrameText(Frame(), OutputFormat::kJson) ==
        R"([{"time":"2027-01-15T08:00:00Z","core":"a,\"b\"","mean_cpu":12.5,"count":1},)"
        "\n "
        R"({"time":"2027-01-15T08:00:10Z","core":null,"mean_cpu":null,"count":-2},)"
        "\n "
        R"({"time":"2027-01-15T08:00:20.5Z","core":"a,\"b\"","mean_cpu":null,"count":3}])"
        "\n");
}

TEST_CASE("a frame whose columns are short or point nowhere is refused", "[frame]") {
  CHECK(CheckFrame(Frame()).ok());
  query::v1::Frame frame = Frame();
  frame.set_row_count(4);
  CHECK_FALSE(CheckFrame(frame).ok());
  frame = Frame();
  frame.mutable_columns(1)->set_index(0, 2);
  CHECK_FALSE(CheckFrame(frame).ok());
  frame = Frame();
  frame.mutable_columns(0)->clear_type();
  CHECK_FALSE(CheckFrame(frame).ok());
}

TEST_CASE("what a stream holds can't drive the terminal", "[frame]") {
  CHECK(ForTerminal("a\x1b[2Jb\n\x7f\xc2\x9bz") == "a?[2Jb???z");
  CHECK(ForTerminal("Zürich") == "Zürich");
  CHECK(DisplayWidth("Zürich") == 6);
}

TEST_CASE("numbers for people have at most six digits", "[frame]") {
  CHECK(BriefNumber(0) == "0");
  CHECK(BriefNumber(12.3456789) == "12.346");
  CHECK(BriefNumber(123456.789) == "123457");
  CHECK(BriefNumber(0.012345678) == "0.012346");
  CHECK(BriefNumber(-3.5) == "-3.500");
  CHECK(BriefNumber(1e20) == "1.00000e+20");
}

}  // namespace
}  // namespace rivermeet::cli
