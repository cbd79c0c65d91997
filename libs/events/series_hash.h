// THE partition hash: how every client and server, in any language, decides which partition a series belongs to.
//
// For each dimension that has a value: e = XXH64(value, seed = XXH64(name, seed = 0)).
//   h = 0; for the dimensions that have a value, in byte order of their names:
//     h = rotl64(h, 27) * 0x9E3779B97F4A7C15 + e   (mod 2^64)
//   h = h xor (h >> 32)
// The stream partition is h mod the stream's partition count. A dimension without a value doesn't count, so adding
// one to the schema moves no series. Vectors: docs/formats/event-batch.md. It can't change once there are events.
#ifndef RIVERMEET_EVENTS_SERIES_HASH_H_
#define RIVERMEET_EVENTS_SERIES_HASH_H_

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "events/batch_view.h"

namespace rivermeet::events {

// XXH64 of a dimension's name: the seed of its values' hashes.
uint64_t HashDimensionName(std::string_view name);

// The element e of one value.
uint64_t HashDimensionValue(uint64_t name_hash, std::string_view value);

// The hash of one series, fed in byte order of the dimensions' names.
class SeriesHash {
 public:
  void Add(uint64_t element) { h_ = std::rotl(h_, 27) * 0x9E3779B97F4A7C15 + element; }
  uint64_t Finish() const { return h_ ^ (h_ >> 32); }

 private:
  uint64_t h_ = 0;
};

// The hash of every series of a batch. Each dictionary entry is hashed once; the rest is arithmetic.
std::vector<uint64_t> HashSeries(const BatchView& batch);

// The event log's partition for a stream's partition, the partitions of a stream side by side so that they never
// meet: (XXH64(tenant + "\0" + stream, 0) + stream_partition) mod log_partitions. `stream` is the name that the
// stream was made with.
uint32_t LogPartitionOf(std::string_view tenant, std::string_view stream, uint32_t stream_partition,
                        uint32_t log_partitions);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_SERIES_HASH_H_
