// A batch of events in memory, by columns: what decoders make, the schema checks and the fold reads.
#ifndef RIVERMEET_EVENTS_BATCH_VIEW_H_
#define RIVERMEET_EVENTS_BATCH_VIEW_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace rivermeet::events {

// One dimension of the series table.
struct DimensionView {
  std::string_view name;
  // The dictionary. Values may repeat or be unused.
  std::span<const std::string_view> values;
  // Per series: 0 when it lacks the dimension, else 1 + the position in `values`.
  std::span<const uint32_t> value_index;

  // The value of a series; an empty view with null data when it has none.
  std::string_view ValueOf(uint32_t series) const {
    return value_index[series] == 0 ? std::string_view() : values[value_index[series] - 1];
  }
};

enum class MeasureType : uint8_t { kFloat64, kInt64 };

// One measure: the array of its type has an entry for each event, the other is empty.
struct MeasureView {
  std::string_view name;
  MeasureType type = MeasureType::kFloat64;
  std::span<const double> float64;
  std::span<const int64_t> int64;
  // Bit i (byte i/8, least significant first) is set when event i has no value; empty when all have one.
  std::span<const uint8_t> nulls;

  bool IsNull(size_t event) const { return !nulls.empty() && ((nulls[event / 8] >> (event % 8)) & 1) != 0; }
};

// Borrows everything: valid as long as the DecodedBatch, BatchBuilder or Arena that made it, unchanged.
struct BatchView {
  std::string_view stream;
  uint32_t schema_version = 0;
  uint32_t series_count = 0;
  std::span<const DimensionView> dimensions;
  // Per event: its series, below series_count.
  std::span<const uint32_t> series_index;
  // Per event: microseconds since the Unix epoch.
  std::span<const int64_t> times_us;
  std::span<const MeasureView> measures;
  // Per event, or no entries at all.
  std::span<const std::string_view> ids;
  std::span<const std::string_view> attributes;
  // Whether the bytes it was read from may be stored as they are. Not when their series table holds what no event can
  // use (a text that isn't UTF-8, an index outside the dictionary): readers by generated code refuse it whole.
  bool storable = true;

  size_t event_count() const { return times_us.size(); }
};

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_BATCH_VIEW_H_
