#include "aggregation/partials_builder.h"

#include "fmt/format.h"

namespace rivermeet::aggregation {

absl::StatusOr<windows::RollupQuery> ToRollupQuery(const v1::PartialsQuery& query) {
  const int64_t resolution = query.resolution_us();
  if (resolution != windows::kPaneUs && resolution != 10 * windows::kPaneUs && resolution != 60 * windows::kPaneUs) {
    return absl::InvalidArgumentError(fmt::format("resolution_us is {}: it can be 1, 10 or 60 s", resolution));
  }
  if (query.step_us() <= 0 || query.step_us() % resolution != 0) {
    return absl::InvalidArgumentError(
        fmt::format("step_us is {}: it has to be a multiple of the resolution, {}", query.step_us(), resolution));
  }
  if (query.start_us() % resolution != 0 || query.end_us() % resolution != 0) {
    return absl::InvalidArgumentError("start_us and end_us have to be multiples of the resolution");
  }
  constexpr int64_t kFarUs = int64_t{1} << 60;
  if (query.start_us() < -kFarUs || query.start_us() > kFarUs || query.end_us() > kFarUs ||
      (query.end_us() != 0 && query.end_us() < query.start_us())) {
    return absl::InvalidArgumentError(
        fmt::format("the range from {} to {} can't be", query.start_us(), query.end_us()));
  }
  windows::RollupQuery rollup;
  rollup.start_us = query.start_us();
  rollup.end_us = query.end_us() == 0 ? kFarUs : query.end_us();
  rollup.step_us = query.step_us();
  rollup.measures.assign(query.measures().begin(), query.measures().end());
  rollup.group_by.assign(query.group_by().begin(), query.group_by().end());
  for (const auto& filter : query.filters()) {
    rollup.filters.push_back({filter.dimension(),
                              filter.operator_() == query::v1::FILTER_OPERATOR_NOT_IN,
                              {filter.values().begin(), filter.values().end()}});
  }
  return rollup;
}

v1::SegmentReference ToReference(const catalog::Segment& segment) {
  v1::SegmentReference reference;
  reference.set_object(segment.object);
  reference.set_size_bytes(static_cast<uint64_t>(segment.bytes));
  reference.set_rows(static_cast<uint64_t>(segment.rows));
  reference.set_partition(static_cast<uint32_t>(segment.partition));
  return reference;
}

absl::Status TooManyRows(size_t limit) {
  return absl::InvalidArgumentError(fmt::format(
      "the answer has more than {} MiB of rows: ask for a shorter range, a longer step, fewer dimensions in "
      "group_by, or filter",
      limit >> 20));
}

PartialsBuilder::PartialsBuilder(const v1::PartialsQuery& query, v1::Partials& partials)
    : query_(query),
      partials_(partials),
      dictionaries_(query.group_by_size()),
      row_bytes_(24 + 4 * static_cast<size_t>(query.group_by_size()) +
                 72 * static_cast<size_t>(query.measures_size())) {
  for (const std::string& dimension : query.group_by()) partials_.add_group_by()->set_name(dimension);
  for (int m = 0; m < query.measures_size(); ++m) {
    auto& measure = *partials_.add_measures();
    measure.set_name(query.measures(m));
    measure.set_is_int64(m < query.measure_is_int64_size() && query.measure_is_int64(m));
  }
}

void PartialsBuilder::Begin(uint32_t partition, const windows::Grouping& grouping,
                            const std::vector<windows::Measure>& measures) {
  partition_ = partition;
  grouping_ = &grouping;
  if (rows() > 0 || query_.measure_is_int64_size() > 0) return;
  for (auto& measure : *partials_.mutable_measures()) {
    for (const windows::Measure& known : measures) {
      if (known.name == measure.name()) measure.set_is_int64(known.is_int64);
    }
  }
}

void PartialsBuilder::AddMeasure(v1::MeasurePartials& to, const windows::MeasureTotal& total) {
  to.add_count(total.count);
  to.add_first_us(total.first_us);
  to.add_last_us(total.last_us);
  to.add_increase(total.increase);
  if (to.is_int64()) {
    to.add_int64_sum(windows::Saturate(total.int64_sum));
    to.add_int64_min(total.min.i64);
    to.add_int64_max(total.max.i64);
    to.add_int64_first(total.first.i64);
    to.add_int64_last(total.last.i64);
  } else {
    to.add_float64_sum(total.float64_sum);
    to.add_float64_min(total.min.f64);
    to.add_float64_max(total.max.f64);
    to.add_float64_first(total.first.f64);
    to.add_float64_last(total.last.f64);
  }
}

void PartialsBuilder::Add(const windows::RollupRow& row) {
  partials_.add_window_start_us(row.window_start_us);
  partials_.add_partition(partition_);
  partials_.add_event_count(row.events);
  const std::vector<std::string>& texts = grouping_->TextsOf(row.group);
  for (size_t d = 0; d < texts.size(); ++d) {
    auto& column = *partials_.mutable_group_by(static_cast<int>(d));
    if (texts[d].empty()) {
      column.add_value_index(0);
      continue;
    }
    const auto [found, made] = dictionaries_[d].try_emplace(texts[d], column.values_size() + 1);
    if (made) column.add_values(texts[d]);
    if (made) text_bytes_ += texts[d].size() + 4;
    column.add_value_index(found->second);
  }
  for (int m = 0; m < partials_.measures_size(); ++m) AddMeasure(*partials_.mutable_measures(m), row.measures[m]);
}

}  // namespace rivermeet::aggregation
