#include "events/series_hash.h"

#include <algorithm>
#include <string>

#include "xxhash.h"

namespace rivermeet::events {

uint64_t HashDimensionName(std::string_view name) { return XXH64(name.data(), name.size(), 0); }

uint64_t HashDimensionValue(uint64_t name_hash, std::string_view value) {
  return XXH64(value.data(), value.size(), name_hash);
}

std::vector<uint64_t> HashSeries(const BatchView& batch) {
  std::vector<const DimensionView*> by_name;
  for (const DimensionView& dimension : batch.dimensions) by_name.push_back(&dimension);
  std::sort(by_name.begin(), by_name.end(),
            [](const DimensionView* a, const DimensionView* b) { return a->name < b->name; });
  std::vector<SeriesHash> hashes(batch.series_count);
  std::vector<uint64_t> elements;
  for (const DimensionView* dimension : by_name) {
    const uint64_t name_hash = HashDimensionName(dimension->name);
    elements.clear();
    for (const std::string_view value : dimension->values) elements.push_back(HashDimensionValue(name_hash, value));
    for (uint32_t s = 0; s < batch.series_count; ++s) {
      const uint32_t v = dimension->value_index[s];
      if (v != 0) hashes[s].Add(elements[v - 1]);
    }
  }
  std::vector<uint64_t> finished(batch.series_count);
  for (uint32_t s = 0; s < batch.series_count; ++s) finished[s] = hashes[s].Finish();
  return finished;
}

uint32_t LogPartitionOf(std::string_view tenant, std::string_view stream, uint32_t stream_partition,
                        uint32_t log_partitions) {
  std::string key(tenant);
  key += '\0';
  key += stream;
  // In 64 bits before the modulus: the sum wraps, as the formats page says.
  return static_cast<uint32_t>((XXH64(key.data(), key.size(), 0) + stream_partition) % log_partitions);
}

}  // namespace rivermeet::events
