#include "events/batch_encoder.h"

#include <vector>

#include "events/internal/wire.h"

namespace rivermeet::events {
namespace {

using internal::WireWriter;
using internal::ZigZagEncode;

std::string EncodeDimension(const DimensionView& dimension) {
  std::string bytes;
  WireWriter writer(bytes);
  writer.Bytes(1, dimension.name);
  for (const std::string_view value : dimension.values) writer.Bytes(2, value);
  writer.PackedVarints(3, dimension.value_index.size(), [&](size_t i) { return dimension.value_index[i]; });
  return bytes;
}

std::string EncodeMeasure(const MeasureView& measure) {
  std::string bytes;
  bytes.reserve(measure.name.size() + measure.nulls.size() + 32 + measure.float64.size_bytes());
  WireWriter writer(bytes);
  writer.Bytes(1, measure.name);
  if (!measure.float64.empty()) {
    writer.Bytes(2, {reinterpret_cast<const char*>(measure.float64.data()), measure.float64.size_bytes()});
  }
  writer.PackedVarints(3, measure.int64.size(), [&](size_t i) { return ZigZagEncode(measure.int64[i]); });
  if (!measure.nulls.empty()) {
    writer.Bytes(4, {reinterpret_cast<const char*>(measure.nulls.data()), measure.nulls.size()});
  }
  return bytes;
}

template <typename T>
std::span<T> Pick(std::span<const T> from, std::span<const uint32_t> chosen, Arena& arena) {
  if (from.empty()) return {};
  const std::span<T> picked = arena.Make<T>(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) picked[i] = from[chosen[i]];
  return picked;
}

std::span<const uint8_t> PickNulls(const MeasureView& measure, std::span<const uint32_t> chosen, Arena& arena) {
  if (measure.nulls.empty()) return {};
  const std::span<uint8_t> nulls = arena.MakeFilled<uint8_t>((chosen.size() + 7) / 8, 0);
  bool any = false;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (!measure.IsNull(chosen[i])) continue;
    nulls[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
    any = true;
  }
  if (!any) return {};
  return nulls;
}

// `dimension` for the series `kept`, its dictionary only what they use, by first use. False when they use nothing.
bool PickDimension(const DimensionView& dimension, std::span<const uint32_t> kept, Arena& arena, DimensionView& to) {
  const std::span<uint32_t> renumbered = arena.MakeFilled<uint32_t>(dimension.values.size(), 0);
  const std::span<uint32_t> value_index = arena.Make<uint32_t>(kept.size());
  const std::span<std::string_view> values =
      arena.Make<std::string_view>(std::min(dimension.values.size(), kept.size()));
  uint32_t used = 0;
  for (size_t s = 0; s < kept.size(); ++s) {
    const uint32_t v = dimension.value_index[kept[s]];
    if (v == 0) {
      value_index[s] = 0;
      continue;
    }
    if (renumbered[v - 1] == 0) {
      new (&values[used]) std::string_view(dimension.values[v - 1]);
      renumbered[v - 1] = ++used;
    }
    value_index[s] = renumbered[v - 1];
  }
  to = {dimension.name, values.first(used), value_index};
  return used > 0;
}

}  // namespace

std::string EncodeBatch(const BatchView& batch) {
  std::string series;
  WireWriter series_writer(series);
  if (batch.series_count > 0) series_writer.Varint(1, batch.series_count);
  for (const DimensionView& dimension : batch.dimensions) series_writer.Bytes(2, EncodeDimension(dimension));

  std::string bytes;
  WireWriter writer(bytes);
  writer.Bytes(1, batch.stream);
  if (batch.schema_version != 0) writer.Varint(2, batch.schema_version);
  writer.Bytes(3, series);
  writer.PackedVarints(4, batch.series_index.size(), [&](size_t i) { return batch.series_index[i]; });
  const int64_t base = batch.times_us.empty() ? 0 : batch.times_us.front();
  writer.Fixed64(5, base);
  // In unsigned arithmetic: the difference of any two times wraps to what adds up again.
  writer.PackedVarints(6, batch.times_us.size(), [&](size_t i) {
    return ZigZagEncode(static_cast<int64_t>(static_cast<uint64_t>(batch.times_us[i]) - static_cast<uint64_t>(base)));
  });
  for (const MeasureView& measure : batch.measures) writer.Bytes(7, EncodeMeasure(measure));
  for (const std::string_view id : batch.ids) writer.Bytes(8, id);
  for (const std::string_view attributes : batch.attributes) writer.Bytes(9, attributes);
  return bytes;
}

BatchView SelectEvents(const BatchView& batch, std::span<const uint32_t> chosen, Arena& arena) {
  BatchView selected;
  selected.stream = batch.stream;
  selected.schema_version = batch.schema_version;

  const std::span<uint32_t> renumbered = arena.MakeFilled<uint32_t>(batch.series_count, 0);
  const std::span<uint32_t> series_index = arena.Make<uint32_t>(chosen.size());
  const std::span<uint32_t> kept = arena.Make<uint32_t>(std::min<size_t>(chosen.size(), batch.series_count));
  for (size_t i = 0; i < chosen.size(); ++i) {
    const uint32_t series = batch.series_index[chosen[i]];
    if (renumbered[series] == 0) {
      kept[selected.series_count] = series;
      renumbered[series] = ++selected.series_count;
    }
    series_index[i] = renumbered[series] - 1;
  }
  selected.series_index = series_index;

  const std::span<DimensionView> dimensions = arena.Make<DimensionView>(batch.dimensions.size());
  size_t used = 0;
  for (const DimensionView& dimension : batch.dimensions) {
    used += PickDimension(dimension, kept.first(selected.series_count), arena, dimensions[used]);
  }
  selected.dimensions = dimensions.first(used);

  selected.times_us = Pick(batch.times_us, chosen, arena);
  const std::span<MeasureView> measures = arena.Make<MeasureView>(batch.measures.size());
  for (size_t m = 0; m < measures.size(); ++m) {
    const MeasureView& from = batch.measures[m];
    measures[m] = {from.name, from.type, Pick(from.float64, chosen, arena), Pick(from.int64, chosen, arena),
                   PickNulls(from, chosen, arena)};
  }
  selected.measures = measures;
  selected.ids = Pick(batch.ids, chosen, arena);
  selected.attributes = Pick(batch.attributes, chosen, arena);
  return selected;
}

}  // namespace rivermeet::events
