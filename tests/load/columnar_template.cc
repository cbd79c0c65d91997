#include "columnar_template.h"

#include <cstring>
#include <unordered_map>

#include "base/status.h"
#include "rivermeet/events/v1/event_batch.pb.h"

namespace rivermeet::load {
namespace {

constexpr int64_t kPlaceholder = 0x5a5a5a5a5a5a5a5a;

ColumnarTemplate Encode(const std::vector<EventValues>& events, const std::string& stream) {
  events::v1::EventBatch batch;
  batch.set_stream(stream);
  batch.set_base_time_us(kPlaceholder);
  std::unordered_map<uint32_t, uint32_t> rows;
  std::vector<uint32_t> series;
  auto* percent = batch.add_measures();
  percent->set_name(kPercentMeasure);
  auto* counter = batch.add_measures();
  counter->set_name(kCounterMeasure);
  for (const EventValues& event : events) {
    const auto [row, fresh] = rows.try_emplace(event.series, static_cast<uint32_t>(series.size()));
    if (fresh) series.push_back(event.series);
    batch.add_series_index(row->second);
    batch.add_time_offset_us(-static_cast<int64_t>(event.age_us));
    percent->add_float64_values(event.percent_hundredths / 100.0);
    counter->add_int64_values(event.counter);
  }
  auto* table = batch.mutable_series();
  table->set_count(static_cast<uint32_t>(series.size()));
  for (size_t i = 0; i < kDimensions.size(); ++i) {
    auto* dimension = table->add_dimensions();
    dimension->set_name(kDimensions[i]);
    std::unordered_map<std::string, uint32_t> dictionary;
    for (const uint32_t one : series) {
      const auto [entry, fresh] =
          dictionary.try_emplace(DimensionValue(one, i), static_cast<uint32_t>(dictionary.size() + 1));
      if (fresh) dimension->add_values(entry->first);
      dimension->add_value_index(entry->second);
    }
  }
  ColumnarTemplate made{.bytes = batch.SerializeAsString(), .base_time_at = 0, .sums = SumOf(events)};
  made.base_time_at =
      made.bytes.find(std::string_view(reinterpret_cast<const char*>(&kPlaceholder), sizeof kPlaceholder));
  RM_CHECK(made.base_time_at != std::string::npos);
  return made;
}

}  // namespace

void ColumnarTemplate::SetTime(absl::Time now) {
  const int64_t now_us = absl::ToUnixMicros(now);
  std::memcpy(bytes.data() + base_time_at, &now_us, sizeof now_us);
}

std::vector<ColumnarTemplate> MakeColumnarTemplates(const Options& options, uint32_t connection) {
  EventSource source(options.seed + connection, options.partitions, connection % options.partitions);
  std::vector<ColumnarTemplate> templates;
  for (uint32_t i = 0; i < (options.distinct + options.connections - 1) / options.connections; ++i) {
    templates.push_back(Encode(source.Next(options.batch_events), options.stream));
  }
  return templates;
}

}  // namespace rivermeet::load
