#include "events/series_hash.h"

#include <catch2/catch.hpp>
#include <string>

#include "events/batch_builder.h"

namespace rivermeet::events {
namespace {

using Dimensions = std::vector<std::pair<std::string, std::string>>;

uint64_t HashOf(const Dimensions& dimensions) {
  BatchBuilder builder("s");
  std::vector<int> columns;
  for (const auto& [name, value] : dimensions) columns.push_back(builder.DimensionColumn(name));
  builder.Begin(1);
  for (size_t i = 0; i < columns.size(); ++i) builder.SetDimension(columns[i], dimensions[i].second);
  builder.Commit();
  return HashSeries(builder.View()).at(0);
}

TEST_CASE("the series hash gives the published vectors", "[events]") {
  // From docs/formats/event-batch.md, computed by tests/conformance/event_batch_reader.py.
  CHECK(HashOf({}) == 0);
  CHECK(HashOf({{"host", "a"}}) == 0x57ea39783afdcd00);
  CHECK(HashOf({{"host", "a"}, {"region", "eu-west"}}) == 0xd540c198d86ffdad);
  CHECK(HashOf({{"host", ""}, {"region", "eu-west"}}) == 0xa01a9dd5f8d56caa);
  CHECK(HashOf({{"Host", "a"}, {"_x", "\xc3\xbc"}, {"host", std::string(100, 'b')}}) == 0xd332792b9e1b5278);
}

TEST_CASE("the order in which a batch names its dimensions doesn't move a series", "[events]") {
  CHECK(HashOf({{"region", "eu-west"}, {"host", "a"}}) == HashOf({{"host", "a"}, {"region", "eu-west"}}));
}

TEST_CASE("a dimension without value doesn't move a series", "[events]") {
  BatchBuilder builder("s");
  const int host = builder.DimensionColumn("host"), zone = builder.DimensionColumn("zone");
  builder.Begin(1);
  builder.SetDimension(host, "a");
  builder.Commit();
  builder.Begin(2);
  builder.SetDimension(zone, "z");
  builder.SetDimension(host, "a");
  builder.Commit();
  const std::vector<uint64_t> hashes = HashSeries(builder.View());
  CHECK(hashes.at(0) == 0x57ea39783afdcd00);
  CHECK(hashes.at(1) != hashes.at(0));
}

TEST_CASE("a stream's partitions lie side by side in the log", "[events]") {
  CHECK(LogPartitionOf("t1", "host.metrics", 0, 2) == 0);
  CHECK(LogPartitionOf("t1", "host.metrics", 1, 2) == 1);
  CHECK(LogPartitionOf("acme", "a", 3, 5) == 4);
  CHECK(LogPartitionOf("acme", "a", 4, 5) == 0);
}

}  // namespace
}  // namespace rivermeet::events
