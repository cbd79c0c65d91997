#include "query/planner.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "base/status.h"
#include "base/strings.h"
#include "events/series_hash.h"
#include "fmt/format.h"

namespace rivermeet::query {
namespace {

using events::v1::Field;
using events::v1::Stream;
using v1::AggregateFunction;
using v1::TimeSeriesQuery;

constexpr int64_t kSecondUs = 1'000'000;
constexpr std::array<int64_t, 3> kResolutionsUs = {kSecondUs, 10 * kSecondUs, 60 * kSecondUs};
// Steps that an absent one is chosen from.
constexpr std::array<int64_t, 11> kNiceSteps = {1, 10, 60, 300, 600, 1'800, 3'600, 10'800, 21'600, 86'400, 604'800};
// Year 1 to 9999, so that adding a step or two can't overflow.
constexpr int64_t kMinTimeUs = -62'135'596'800 * kSecondUs;
constexpr int64_t kMaxTimeUs = 253'402'300'799 * kSecondUs;

absl::Status Bad(std::string_view field, std::string_view reason) {
  return absl::InvalidArgumentError(ToAbsl(fmt::format("query.{}: {}", field, reason)));
}

std::string KnownFields(const Stream& stream, bool measures) {
  std::vector<std::string> names;
  for (const Field& field : stream.fields()) {
    const bool is_measure =
        field.type() == events::v1::FIELD_TYPE_FLOAT64 || field.type() == events::v1::FIELD_TYPE_INT64;
    if (measures ? is_measure : field.type() == events::v1::FIELD_TYPE_DIMENSION) names.push_back(field.name());
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) return "it has none";
  const size_t shown = std::min<size_t>(names.size(), 50);
  return fmt::format("it has {}{}", fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(shown), ", "),
                     shown < names.size() ? ", ..." : "");
}

const Field* FindField(const Stream& stream, std::string_view name) {
  for (const Field& field : stream.fields()) {
    if (field.name() == name) return &field;
  }
  return nullptr;
}

int64_t FloorTo(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}
int64_t CeilTo(int64_t value, int64_t step) { return FloorTo(value + step - 1, step); }

absl::StatusOr<int64_t> TimeOf(const google::protobuf::Timestamp& time, std::string_view field) {
  if (time.nanos() < 0 || time.nanos() > 999'999'999 || time.seconds() < kMinTimeUs / kSecondUs ||
      time.seconds() > kMaxTimeUs / kSecondUs) {
    return Bad(field, "not a time between the years 1 and 9999");
  }
  return time.seconds() * kSecondUs + time.nanos() / 1'000;
}

absl::StatusOr<int64_t> DurationOf(const google::protobuf::Duration& duration, std::string_view field) {
  constexpr int64_t kMaxSeconds = 3'650 * 86'400;
  // Nothing shorter than our time's unit: a range of no length has no windows to divide by.
  if (duration.seconds() < 0 || duration.nanos() < 0 || duration.nanos() > 999'999'999 ||
      duration.seconds() > kMaxSeconds || (duration.seconds() == 0 && duration.nanos() < 1'000)) {
    return Bad(field, "must be from 1 us to 10 years");
  }
  return duration.seconds() * kSecondUs + duration.nanos() / 1'000;
}

struct Range {
  int64_t start_us;
  int64_t end_us;
};

absl::StatusOr<Range> RangeOf(const TimeSeriesQuery& query, QueryKind kind, int64_t now_us, Plan& plan) {
  Range range{0, now_us};
  if (query.has_end()) {
    if (kind == QueryKind::kSubscription) return Bad("end", "a subscription has no end: leave it out");
    RM_ASSIGN_OR_RETURN(range.end_us, TimeOf(query.end(), "end"));
  }
  if (query.has_last() == query.has_start()) {
    return Bad("start",
               query.has_start() ? "give start or last, not both" : "give start, or last for a time back from end");
  }
  if (query.has_last()) {
    RM_ASSIGN_OR_RETURN(const int64_t last_us, DurationOf(query.last(), "last"));
    range.start_us = range.end_us - last_us;
    if (kind == QueryKind::kSubscription) plan.last_us = last_us;
    return range;
  }
  RM_ASSIGN_OR_RETURN(range.start_us, TimeOf(query.start(), "start"));
  if (kind == QueryKind::kSubscription) {
    // It may begin in the future; the first window is then its first.
    range.end_us = std::max(range.end_us, range.start_us + 1);
  }
  if (range.start_us >= range.end_us) {
    return Bad("start", query.has_end() ? "must be before end" : "is in the future");
  }
  return range;
}

// The largest rollup whose windows fill steps exactly.
int64_t ResolutionFor(int64_t read_step_us) {
  for (auto it = kResolutionsUs.rbegin(); it != kResolutionsUs.rend(); ++it) {
    if (read_step_us % *it == 0) return *it;
  }
  return kResolutionsUs.front();
}

// The smallest step that gives at most kRowsAGroup rows.
int64_t NiceStep(int64_t length_us) {
  for (const int64_t seconds : kNiceSteps) {
    if (length_us <= seconds * kSecondUs * kRowsAGroup) return seconds * kSecondUs;
  }
  return CeilTo(length_us / kRowsAGroup, kNiceSteps.back() * kSecondUs);
}

absl::StatusOr<int64_t> StepOf(const TimeSeriesQuery& query, const Range& range) {
  if (query.has_step()) {
    RM_ASSIGN_OR_RETURN(const int64_t step_us, DurationOf(query.step(), "step"));
    if (step_us % kSecondUs != 0 || query.step().nanos() % 1'000 != 0) return Bad("step", "must be a multiple of 1 s");
    return step_us;
  }
  return NiceStep(range.end_us - range.start_us);
}

absl::Status PlanTime(const TimeSeriesQuery& query, QueryKind kind, int64_t now_us, const PlannerLimits& limits,
                      Plan& plan) {
  RM_ASSIGN_OR_RETURN(const Range range, RangeOf(query, kind, now_us, plan));
  RM_ASSIGN_OR_RETURN(plan.step_us, StepOf(query, range));
  const bool one_row = kind == QueryKind::kOnce && plan.step_us >= range.end_us - range.start_us;
  if (one_row) {
    // Windows of the owners begin on multiples of their step, this row where the range does: it is read in the
    // longest pieces that fit both, at most kRowsAGroup of them.
    const int64_t alignment = NiceStep(range.end_us - range.start_us);
    plan.origin_us = FloorTo(range.start_us, alignment);
    plan.end_us = CeilTo(range.end_us, alignment);
    plan.step_us = plan.end_us - plan.origin_us;
    plan.read_step_us = std::gcd(plan.step_us, plan.origin_us);
    plan.windows = 1;
  } else {
    plan.origin_us = FloorTo(range.start_us, plan.step_us);
    plan.end_us = CeilTo(range.end_us, plan.step_us);
    plan.read_step_us = plan.step_us;
    plan.windows = static_cast<size_t>((plan.end_us - plan.origin_us) / plan.step_us);
    if (kind == QueryKind::kSubscription) plan.end_us = 0;
  }
  if (plan.windows > limits.max_rows) {
    return Bad("step", fmt::format("{} rows a group; at most {}: choose a longer step or a shorter range", plan.windows,
                                   limits.max_rows));
  }
  plan.resolution_us = ResolutionFor(plan.read_step_us);
  return absl::OkStatus();
}

std::string_view FunctionName(AggregateFunction function) {
  switch (function) {
    case v1::AGGREGATE_FUNCTION_COUNT:
      return "count";
    case v1::AGGREGATE_FUNCTION_SUM:
      return "sum";
    case v1::AGGREGATE_FUNCTION_MIN:
      return "min";
    case v1::AGGREGATE_FUNCTION_MAX:
      return "max";
    case v1::AGGREGATE_FUNCTION_MEAN:
      return "mean";
    case v1::AGGREGATE_FUNCTION_RATE:
      return "rate";
    case v1::AGGREGATE_FUNCTION_FIRST:
      return "first";
    case v1::AGGREGATE_FUNCTION_LAST:
      return "last";
    default:
      return "";
  }
}

size_t MeasureIndex(const Field& field, Plan& plan) {
  for (size_t i = 0; i < plan.measures.size(); ++i) {
    if (plan.measures[i].name == field.name()) return i;
  }
  plan.measures.push_back({field.name(), field.type() == events::v1::FIELD_TYPE_INT64});
  return plan.measures.size() - 1;
}

absl::StatusOr<OutputColumn> ColumnOf(const v1::Aggregate& aggregate, const Stream& stream, const std::string& where,
                                      Plan& plan) {
  OutputColumn column;
  column.function = aggregate.function();
  const std::string_view function = FunctionName(column.function);
  if (function.empty()) {
    return Bad(where + ".function", "must be COUNT, SUM, MIN, MAX, MEAN, RATE, FIRST or LAST");
  }
  if (aggregate.measure().empty()) {
    if (column.function != v1::AGGREGATE_FUNCTION_COUNT) {
      return Bad(where + ".measure", "only COUNT works without one; " + KnownFields(stream, /*measures=*/true));
    }
    column.is_int64 = true;
    column.name = aggregate.name().empty() ? "count" : aggregate.name();
    return column;
  }
  const Field* field = FindField(stream, aggregate.measure());
  if (field == nullptr ||
      (field->type() != events::v1::FIELD_TYPE_FLOAT64 && field->type() != events::v1::FIELD_TYPE_INT64)) {
    return Bad(where + ".measure", fmt::format("stream '{}' has no measure '{}'; {}", stream.name(),
                                               aggregate.measure(), KnownFields(stream, /*measures=*/true)));
  }
  column.measure = MeasureIndex(*field, plan);
  column.unit = field->unit();
  const bool is_int64_measure = field->type() == events::v1::FIELD_TYPE_INT64;
  if (column.function == v1::AGGREGATE_FUNCTION_COUNT) {
    column.is_int64 = true;
    column.unit.clear();
  } else if (column.function == v1::AGGREGATE_FUNCTION_RATE) {
    if (field->kind() != events::v1::MEASURE_KIND_COUNTER && field->kind() != events::v1::MEASURE_KIND_DELTA) {
      return Bad(where + ".function",
                 fmt::format("'{}' is a gauge and has no rate; declare it a counter or a delta", field->name()));
    }
    column.rate_of_sum = field->kind() == events::v1::MEASURE_KIND_DELTA;
    if (!column.unit.empty()) column.unit += "/s";
  } else {
    column.is_int64 = is_int64_measure && column.function != v1::AGGREGATE_FUNCTION_MEAN;
  }
  column.name = aggregate.name().empty() ? fmt::format("{}_{}", function, field->name()) : aggregate.name();
  return column;
}

absl::Status PlanColumns(const TimeSeriesQuery& query, const Stream& stream, Plan& plan) {
  if (query.aggregates().empty()) return Bad("aggregates", "at least one is needed");
  if (query.aggregates_size() > kMaxAggregates) return Bad("aggregates", fmt::format("at most {}", kMaxAggregates));
  if (query.group_by_size() > kMaxGroupBy) return Bad("group_by", fmt::format("at most {}", kMaxGroupBy));
  std::set<std::string, std::less<>> names = {"time"};
  for (int i = 0; i < query.group_by_size(); ++i) {
    const std::string where = fmt::format("group_by[{}]", i);
    RM_RETURN_IF_ERROR(CheckDimension(stream, query.group_by(i), "query." + where));
    if (!names.insert(query.group_by(i)).second)
      return Bad(where, fmt::format("'{}' is there twice", query.group_by(i)));
    plan.group_by.push_back(query.group_by(i));
  }
  for (int i = 0; i < query.aggregates_size(); ++i) {
    const std::string where = fmt::format("aggregates[{}]", i);
    if (query.aggregates(i).name().size() > 256) return Bad(where + ".name", "at most 256 bytes");
    RM_ASSIGN_OR_RETURN(OutputColumn column, ColumnOf(query.aggregates(i), stream, where, plan));
    if (!names.insert(column.name).second) {
      return Bad(where + ".name", fmt::format("there are two columns '{}': name one of them otherwise", column.name));
    }
    plan.columns.push_back(std::move(column));
  }
  return absl::OkStatus();
}

absl::Status PlanFilters(const TimeSeriesQuery& query, const Stream& stream, Plan& plan) {
  for (int i = 0; i < query.filters_size(); ++i) {
    const v1::Filter& filter = query.filters(i);
    const std::string where = fmt::format("filters[{}]", i);
    RM_RETURN_IF_ERROR(CheckDimension(stream, filter.dimension(), "query." + where + ".dimension"));
    if (filter.values().empty() || filter.values_size() > kMaxFilterValues) {
      return Bad(where + ".values", fmt::format("1 to {} values, not {}", kMaxFilterValues, filter.values_size()));
    }
    if (!v1::FilterOperator_IsValid(filter.operator_())) return Bad(where + ".operator", "must be IN or NOT_IN");
    plan.filters.push_back(filter);
    if (filter.operator_() == v1::FILTER_OPERATOR_UNSPECIFIED) {
      plan.filters.back().set_operator_(v1::FILTER_OPERATOR_IN);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckDimension(const Stream& stream, std::string_view name, std::string_view where) {
  const Field* field = FindField(stream, name);
  if (field != nullptr && field->type() == events::v1::FIELD_TYPE_DIMENSION) return absl::OkStatus();
  return absl::InvalidArgumentError(ToAbsl(fmt::format("{}: stream '{}' has no dimension '{}'; {}", where,
                                                       stream.name(), name, KnownFields(stream, /*measures=*/false))));
}

std::vector<uint32_t> PartitionsOf(std::string_view tenant, const Stream& stream, uint32_t log_partitions) {
  std::set<uint32_t> partitions;
  for (uint32_t i = 0; i < std::max(1u, stream.partitions()); ++i) {
    partitions.insert(events::LogPartitionOf(tenant, stream.name(), i, log_partitions));
  }
  return {partitions.begin(), partitions.end()};
}

absl::StatusOr<Plan> MakePlan(const TimeSeriesQuery& query, QueryKind kind, std::string_view tenant,
                              const Stream& stream, absl::Time now, const PlannerLimits& limits) {
  Plan plan;
  plan.stream = stream.name();
  plan.stream_id = stream.id();
  plan.partitions = PartitionsOf(tenant, stream, limits.log_partitions);
  RM_RETURN_IF_ERROR(PlanTime(query, kind, absl::ToUnixMicros(now), limits, plan));
  RM_RETURN_IF_ERROR(PlanColumns(query, stream, plan));
  RM_RETURN_IF_ERROR(PlanFilters(query, stream, plan));
  if (query.group_limit() > kMaxGroupLimit) return Bad("group_limit", fmt::format("at most {}", kMaxGroupLimit));
  plan.group_limit = query.group_limit() == 0 ? kDefaultGroupLimit : query.group_limit();
  return plan;
}

aggregation::v1::PartialsQuery Plan::ToPartialsQuery(const std::vector<uint32_t>& of, int64_t first) const {
  aggregation::v1::PartialsQuery query;
  query.set_stream_id(stream_id);
  query.mutable_partitions()->Assign(of.begin(), of.end());
  query.set_start_us(origin_us + first * step_us);
  query.set_end_us(end_us);
  query.set_step_us(read_step_us);
  query.set_resolution_us(resolution_us);
  for (const partials::MeasureSpec& measure : measures) {
    query.add_measures(measure.name);
    query.add_measure_is_int64(measure.is_int64);
  }
  for (const std::string& dimension : group_by) query.add_group_by(dimension);
  for (const v1::Filter& filter : filters) *query.add_filters() = filter;
  return query;
}

int64_t Plan::FirstWindow(int64_t now_us) const {
  if (!last_us) return 0;
  return std::max<int64_t>(0, (FloorTo(now_us - *last_us, step_us) - origin_us) / step_us);
}

}  // namespace rivermeet::query
