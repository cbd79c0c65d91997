#include "client/batch_builder.h"

#include <algorithm>

#include "base/status.h"

namespace rivermeet::client {
namespace {

void FillDimensions(const std::vector<BatchBuilder::Dimensions>& series, events::v1::SeriesTable& table) {
  struct Column {
    events::v1::DimensionColumn* column;
    StringMap<uint32_t> index_by_value;
  };
  StringMap<Column> columns;
  table.set_count(static_cast<uint32_t>(series.size()));
  for (size_t row = 0; row < series.size(); ++row) {
    for (const auto& [name, value] : series[row]) {
      auto [found, is_new] = columns.try_emplace(name);
      if (is_new) {
        found->second.column = table.add_dimensions();
        found->second.column->set_name(name);
        found->second.column->mutable_value_index()->Resize(static_cast<int>(series.size()), 0);
      }
      Column& column = found->second;
      const auto next = static_cast<uint32_t>(column.column->values_size() + 1);
      const auto [index, is_new_value] = column.index_by_value.try_emplace(value, next);
      if (is_new_value) column.column->add_values(value);
      column.column->set_value_index(static_cast<int>(row), index->second);
    }
  }
}

}  // namespace

uint32_t BatchBuilder::AddSeries(const Dimensions& dimensions) {
  const auto [found, is_new] = series_by_dimensions_.try_emplace(dimensions, static_cast<uint32_t>(series_.size()));
  if (is_new) series_.push_back(dimensions);
  return found->second;
}

size_t BatchBuilder::AddMeasure(std::string_view name, bool is_int64) {
  const auto [found, is_new] = measure_by_name_.try_emplace(std::string(name), measures_.size());
  if (is_new) measures_.push_back({.name = std::string(name), .is_int64 = is_int64});
  RM_CHECK(measures_[found->second].is_int64 == is_int64);
  return found->second;
}

void BatchBuilder::BeginEvent(uint32_t series, int64_t time_us) {
  RM_CHECK(series < series_.size());
  series_index_.push_back(series);
  times_us_.push_back(time_us);
}

BatchBuilder::Measure& BatchBuilder::Reach(size_t column) {
  RM_CHECK(column < measures_.size() && !times_us_.empty());
  Measure& measure = measures_[column];
  measure.present.resize(times_us_.size(), false);
  measure.present.back() = true;
  return measure;
}

void BatchBuilder::SetFloat64(size_t column, double value) {
  Measure& measure = Reach(column);
  RM_CHECK(!measure.is_int64);
  measure.float64_values.resize(times_us_.size());
  measure.float64_values.back() = value;
}

void BatchBuilder::SetInt64(size_t column, int64_t value) {
  Measure& measure = Reach(column);
  RM_CHECK(measure.is_int64);
  measure.int64_values.resize(times_us_.size());
  measure.int64_values.back() = value;
}

events::v1::EventBatch BatchBuilder::Build() {
  const size_t count = times_us_.size();
  events::v1::EventBatch batch;
  batch.set_stream(stream_);
  FillDimensions(series_, *batch.mutable_series());
  batch.mutable_series_index()->Add(series_index_.begin(), series_index_.end());
  const int64_t base = times_us_.empty() ? 0 : *std::min_element(times_us_.begin(), times_us_.end());
  batch.set_base_time_us(base);
  for (const int64_t time : times_us_) batch.add_time_offset_us(time - base);

  for (Measure& measure : measures_) {
    measure.present.resize(count, false);
    if (std::find(measure.present.begin(), measure.present.end(), true) == measure.present.end()) continue;
    events::v1::MeasureColumn& column = *batch.add_measures();
    column.set_name(measure.name);
    measure.float64_values.resize(measure.is_int64 ? 0 : count);
    measure.int64_values.resize(measure.is_int64 ? count : 0);
    column.mutable_float64_values()->Add(measure.float64_values.begin(), measure.float64_values.end());
    column.mutable_int64_values()->Add(measure.int64_values.begin(), measure.int64_values.end());
    if (std::find(measure.present.begin(), measure.present.end(), false) == measure.present.end()) continue;
    std::string nulls((count + 7) / 8, '\0');
    for (size_t i = 0; i < count; ++i) {
      if (!measure.present[i]) nulls[i / 8] = static_cast<char>(nulls[i / 8] | (1 << (i % 8)));
    }
    column.set_nulls(std::move(nulls));
  }
  *this = BatchBuilder(std::move(stream_));
  return batch;
}

}  // namespace rivermeet::client
