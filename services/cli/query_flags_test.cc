#include "cli/query_flags.h"

#include <catch2/catch.hpp>

namespace rivermeet::cli {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST_CASE("without flags the events of the last 15 minutes are counted", "[query]") {
  const auto query = BuildQuery({.stream = "s"}, kNow);
  REQUIRE(query.ok());
  CHECK(query->last().seconds() == 900);
  CHECK_FALSE(query->has_start());
  REQUIRE(query->aggregates_size() == 1);
  CHECK(query->aggregates(0).function() == query::v1::AGGREGATE_FUNCTION_COUNT);
  CHECK(query->aggregates(0).measure().empty());
}

TEST_CASE("each function is asked of each measure", "[query]") {
  const auto query = BuildQuery({.stream = "s", .measures = {"a", "b"}, .functions = {"min", "max"}}, kNow);
  REQUIRE(query->aggregates_size() == 4);
  CHECK(query->aggregates(1).measure() == "a");
  CHECK(query->aggregates(1).function() == query::v1::AGGREGATE_FUNCTION_MAX);
  CHECK(BuildQuery({.stream = "s", .measures = {"a"}}, kNow)->aggregates(0).function() ==
        query::v1::AGGREGATE_FUNCTION_MEAN);
}

TEST_CASE("a range is a start and an end, or so far back", "[query]") {
  const auto query = BuildQuery({.stream = "s", .start = "now-1h", .end = "now-30m", .step = "10s"}, kNow);
  REQUIRE(query.ok());
  CHECK(query->start().seconds() == 1'800'000'000 - 3600);
  CHECK(query->end().seconds() == 1'800'000'000 - 1800);
  CHECK(query->step().seconds() == 10);
  CHECK_FALSE(query->has_last());
}

TEST_CASE("a flag that makes no sense is named", "[query]") {
  const auto error = [](const QueryFlags& flags) {
    const auto query = BuildQuery(flags, kNow);
    CHECK(absl::IsInvalidArgument(query.status()));
    return std::string(query.status().message());
  };
  CHECK(error({.stream = "s", .last = "5"}).find("--last") != std::string::npos);
  CHECK(error({.stream = "s", .step = "x"}).find("--step") != std::string::npos);
  CHECK(error({.stream = "s", .start = "then"}).find("--start") != std::string::npos);
  CHECK(error({.stream = "s", .start = "now", .end = "now-1h"}).find("before") != std::string::npos);
  CHECK(error({.stream = "s", .last = "1h", .start = "now-1h"}).find("--last") != std::string::npos);
  CHECK(error({.stream = "s", .functions = {"mean"}}).find("--measure") != std::string::npos);
  CHECK(error({.stream = "s", .measures = {"a"}, .functions = {"average"}}).find("mean") != std::string::npos);
}

TEST_CASE("filters keep or leave out values, and an empty value stands for none", "[query]") {
  auto filter = ParseFilter("core=0,1");
  CHECK(filter->dimension() == "core");
  CHECK(filter->operator_() == query::v1::FILTER_OPERATOR_IN);
  CHECK(filter->values_size() == 2);
  filter = ParseFilter("core!=");
  CHECK(filter->dimension() == "core");
  CHECK(filter->operator_() == query::v1::FILTER_OPERATOR_NOT_IN);
  CHECK(filter->values(0).empty());
  CHECK(ParseFilter("path=/a=b")->values(0) == "/a=b");
  for (const char* text : {"", "core", "=0", "!=0", "!="}) {
    INFO(text);
    CHECK(absl::IsInvalidArgument(ParseFilter(text).status()));
  }
}

}  // namespace
}  // namespace rivermeet::cli
