#include "client/batch_builder.h"

#include <catch2/catch.hpp>

namespace rivermeet::client {
namespace {

TEST_CASE("a batch holds each combination of dimensions once, as dictionaries", "[client]") {
  BatchBuilder builder("host.metrics");
  const uint32_t host = builder.AddSeries({{"host", "a"}});
  const uint32_t core = builder.AddSeries({{"host", "a"}, {"core", "0"}});
  CHECK(builder.AddSeries({{"host", "a"}}) == host);
  const size_t cpu = builder.AddFloat64("cpu_percent");
  for (const uint32_t series : {host, core, host}) {
    builder.BeginEvent(series, 1'000'000);
    builder.SetFloat64(cpu, 12.5);
  }
  const events::v1::EventBatch batch = builder.Build();
  CHECK(batch.stream() == "host.metrics");
  CHECK(batch.series().count() == 2);
  REQUIRE(batch.series().dimensions_size() == 2);
  CHECK(batch.series().dimensions(0).values_size() == 1);
  CHECK(batch.series().dimensions(1).value_index(0) == 0);
  CHECK(batch.series().dimensions(1).value_index(1) == 1);
  CHECK(std::vector<uint32_t>(batch.series_index().begin(), batch.series_index().end()) ==
        std::vector<uint32_t>{0, 1, 0});
  CHECK(batch.measures(0).nulls().empty());
}

TEST_CASE("measures that an event lacks are null, and all arrays are as long as the batch", "[client]") {
  BatchBuilder builder("s");
  const uint32_t series = builder.AddSeries({});
  const size_t a = builder.AddFloat64("a");
  builder.AddFloat64("never");
  for (int i = 0; i < 10; ++i) {
    builder.BeginEvent(series, 5'000'000 - i);
    if (i % 2 == 0) builder.SetFloat64(a, i);
    if (i == 9) builder.SetInt64(builder.AddInt64("b"), 7);
  }
  const events::v1::EventBatch batch = builder.Build();
  REQUIRE(batch.measures_size() == 2);
  CHECK(batch.measures(0).float64_values_size() == 10);
  CHECK(batch.measures(0).nulls() == std::string("\xaa\x02"));
  CHECK(batch.measures(1).int64_values_size() == 10);
  CHECK(batch.measures(1).int64_values(9) == 7);
  CHECK(batch.measures(1).nulls() == std::string("\xff\x01"));
  CHECK(batch.base_time_us() == 4'999'991);
  CHECK(batch.time_offset_us(0) == 9);
  CHECK(batch.time_offset_us(9) == 0);
}

TEST_CASE("a builder starts anew after Build()", "[client]") {
  BatchBuilder builder("s");
  builder.BeginEvent(builder.AddSeries({{"x", "1"}}), 1);
  CHECK(builder.Build().series_index_size() == 1);
  CHECK(builder.event_count() == 0);
  builder.BeginEvent(builder.AddSeries({{"x", "2"}}), 1);
  const auto second = builder.Build();
  CHECK(second.stream() == "s");
  CHECK(second.series().dimensions(0).values(0) == "2");
}

}  // namespace
}  // namespace rivermeet::client
