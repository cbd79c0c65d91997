#include "query/test_events.h"

#include <algorithm>
#include <tuple>

#include "fmt/format.h"

namespace rivermeet::query {
namespace {

using aggregation::v1::MeasurePartials;
using aggregation::v1::Partials;
using aggregation::v1::PartialsQuery;

int64_t Floor(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

const std::string& Dimension(const TestEvent& event, const std::string& name) {
  return name == "host" ? event.host : event.zone;
}

template <typename Filters>
bool Passes(const TestEvent& event, const Filters& filters) {
  for (const v1::Filter& filter : filters) {
    const std::string& value = Dimension(event, filter.dimension());
    const bool in = std::ranges::find(filter.values(), value) != filter.values().end();
    if (in != (filter.operator_() == v1::FILTER_OPERATOR_IN)) return false;
  }
  return true;
}

// A value of a measure with what orders it.
template <typename T>
struct Value {
  T value;
  double increase;
  std::tuple<int64_t, uint32_t, size_t> order;  // time, partition, place in the log
};

template <typename T>
std::vector<Value<T>> ValuesOf(const std::vector<const TestEvent*>& events, const std::string& measure) {
  std::vector<Value<T>> values;
  for (size_t i = 0; i < events.size(); ++i) {
    const TestEvent& event = *events[i];
    if (measure == "cpu" ? !event.cpu.has_value() : !event.bytes.has_value()) continue;
    const T value = measure == "cpu" ? static_cast<T>(*event.cpu) : static_cast<T>(*event.bytes);
    values.push_back({value, measure == "cpu" ? 0 : event.bytes_increase, {event.time_us, event.partition, i}});
  }
  return values;
}

template <typename T>
struct Summary {
  uint64_t count = 0;
  T sum = 0, min = 0, max = 0, first = 0, last = 0;
  int64_t first_us = 0, last_us = 0;
  double increase = 0;
};

template <typename T>
Summary<T> Summarise(const std::vector<Value<T>>& values) {
  Summary<T> summary;
  if (values.empty()) return summary;
  const auto [first, last] =
      std::ranges::minmax_element(values, [](const auto& a, const auto& b) { return a.order < b.order; });
  const auto [min, max] =
      std::ranges::minmax_element(values, [](const auto& a, const auto& b) { return a.value < b.value; });
  summary = {.count = values.size(),
             .min = min->value,
             .max = max->value,
             .first = first->value,
             .last = last->value,
             .first_us = std::get<0>(first->order),
             .last_us = std::get<0>(last->order)};
  for (const auto& value : values) {
    summary.sum += value.value;
    summary.increase += value.increase;
  }
  return summary;
}

void AddRow(const std::vector<const TestEvent*>& events, MeasurePartials& measure) {
  const auto common = [&measure](const auto& s) {
    measure.add_count(s.count);
    measure.add_first_us(s.first_us);
    measure.add_last_us(s.last_us);
    measure.add_increase(s.increase);
  };
  if (measure.is_int64()) {
    const auto s = Summarise(ValuesOf<int64_t>(events, measure.name()));
    common(s);
    measure.add_int64_sum(s.sum);
    measure.add_int64_min(s.min);
    measure.add_int64_max(s.max);
    measure.add_int64_first(s.first);
    measure.add_int64_last(s.last);
    return;
  }
  const auto s = Summarise(ValuesOf<double>(events, measure.name()));
  common(s);
  measure.add_float64_sum(s.sum);
  measure.add_float64_min(s.min);
  measure.add_float64_max(s.max);
  measure.add_float64_first(s.first);
  measure.add_float64_last(s.last);
}

std::string Number(double value) { return fmt::format("{:.9g}", value); }

std::string Aggregated(const OutputColumn& column, const Plan& plan, const std::vector<const TestEvent*>& events) {
  if (!column.measure) return std::to_string(events.size());
  const partials::MeasureSpec& measure = plan.measures[*column.measure];
  const auto doubles = Summarise(ValuesOf<double>(events, measure.name));
  const auto ints = Summarise(ValuesOf<int64_t>(events, measure.name));
  if (column.function == v1::AGGREGATE_FUNCTION_COUNT) return std::to_string(doubles.count);
  if (doubles.count == 0) return "null";
  const auto pick = [&](double d, int64_t i) { return measure.is_int64 ? std::to_string(i) : Number(d); };
  switch (column.function) {
    case v1::AGGREGATE_FUNCTION_SUM:
      return pick(doubles.sum, ints.sum);
    case v1::AGGREGATE_FUNCTION_MIN:
      return pick(doubles.min, ints.min);
    case v1::AGGREGATE_FUNCTION_MAX:
      return pick(doubles.max, ints.max);
    case v1::AGGREGATE_FUNCTION_FIRST:
      return pick(doubles.first, ints.first);
    case v1::AGGREGATE_FUNCTION_LAST:
      return pick(doubles.last, ints.last);
    case v1::AGGREGATE_FUNCTION_MEAN:
      return Number(doubles.sum / static_cast<double>(doubles.count));
    case v1::AGGREGATE_FUNCTION_RATE:
      return Number(doubles.increase / (static_cast<double>(plan.step_us) / 1e6));
    default:
      return "?";
  }
}

std::string Cell(const v1::Column& column, int row) {
  if (column.type() == v1::COLUMN_TYPE_STRING) {
    const uint32_t index = column.index(row);
    return index == 0 ? "null" : column.dictionary(static_cast<int>(index) - 1);
  }
  const auto byte = static_cast<size_t>(row / 8);
  if (byte < column.nulls().size() && ((column.nulls()[byte] >> (row % 8)) & 1) != 0) return "null";
  return column.type() == v1::COLUMN_TYPE_FLOAT64 ? Number(column.float64_values(row))
                                                  : std::to_string(column.int64_values(row));
}

}  // namespace

events::v1::Stream TestStream(uint32_t partitions) {
  events::v1::Stream stream;
  stream.set_name("host.metrics");
  stream.set_id(7);
  stream.set_partitions(partitions);
  const auto add = [&stream](const char* name, events::v1::FieldType type, events::v1::MeasureKind kind,
                             const char* unit) {
    auto* field = stream.add_fields();
    field->set_name(name);
    field->set_type(type);
    field->set_kind(kind);
    field->set_unit(unit);
  };
  add("host", events::v1::FIELD_TYPE_DIMENSION, events::v1::MEASURE_KIND_UNSPECIFIED, "");
  add("zone", events::v1::FIELD_TYPE_DIMENSION, events::v1::MEASURE_KIND_UNSPECIFIED, "");
  add("cpu", events::v1::FIELD_TYPE_FLOAT64, events::v1::MEASURE_KIND_GAUGE, "percent");
  add("bytes", events::v1::FIELD_TYPE_INT64, events::v1::MEASURE_KIND_COUNTER, "bytes");
  return stream;
}

void TestEvents::Add(TestEvent event) {
  if (event.bytes) {
    const std::string series = fmt::format("{}/{}/{}", event.host, event.zone, event.partition);
    const auto [last, is_new] = last_bytes_.try_emplace(series, *event.bytes);
    if (!is_new) {
      event.bytes_increase =
          static_cast<double>(*event.bytes < last->second ? *event.bytes : *event.bytes - last->second);
      last->second = *event.bytes;
    }
  }
  events_.push_back(std::move(event));
}

TestEvent RandomEvent(std::mt19937_64& random, int64_t from_us, int64_t to_us, int hosts, uint32_t partitions) {
  TestEvent event;
  // Whole hundredths of a second, so that times are equal now and then.
  event.time_us = from_us + static_cast<int64_t>(random() % ((to_us - from_us) / 10'000)) * 10'000;
  const auto host = random() % hosts;
  if (host != 0) event.host = "h" + std::to_string(host);
  event.zone = host % 3 == 0 ? "north" : "south";
  if (random() % 5 != 0) event.cpu = static_cast<double>(random() % 10'000) / 4;  // sums are exact
  if (random() % 5 != 0) event.bytes = static_cast<int64_t>(random() % 100'000);
  event.partition = static_cast<uint32_t>(random() % partitions);
  return event;
}

Partials RollUp(const std::vector<TestEvent>& events, const PartialsQuery& query) {
  std::map<std::tuple<int64_t, std::vector<std::string>, uint32_t>, std::vector<const TestEvent*>> cells;
  for (const TestEvent& event : events) {
    const int64_t window = Floor(event.time_us, query.step_us());
    if (window < query.start_us() || (query.end_us() != 0 && window >= query.end_us())) continue;
    if (std::ranges::find(query.partitions(), event.partition) == query.partitions().end()) continue;
    if (!Passes(event, query.filters())) continue;
    std::vector<std::string> group;
    for (const std::string& dimension : query.group_by()) group.push_back(Dimension(event, dimension));
    cells[{window, group, event.partition}].push_back(&event);
  }
  Partials partials;
  for (const std::string& dimension : query.group_by()) partials.add_group_by()->set_name(dimension);
  for (const std::string& name : query.measures()) {
    partials.add_measures()->set_name(name);
    partials.mutable_measures()->rbegin()->set_is_int64(name == "bytes");
  }
  std::vector<std::map<std::string, uint32_t>> ids(query.group_by_size());
  for (const auto& [key, of] : cells) {
    const auto& [window, group, partition] = key;
    partials.add_window_start_us(window);
    partials.add_partition(partition);
    partials.add_event_count(of.size());
    for (size_t d = 0; d < group.size(); ++d) {
      auto& column = *partials.mutable_group_by(static_cast<int>(d));
      uint32_t index = 0;
      if (!group[d].empty()) {
        const auto [found, is_new] = ids[d].try_emplace(group[d], column.values_size() + 1);
        if (is_new) column.add_values(group[d]);
        index = found->second;
      }
      column.add_value_index(index);
    }
    for (MeasurePartials& measure : *partials.mutable_measures()) AddRow(of, measure);
  }
  return partials;
}

std::vector<std::string> Lines(const v1::Frame& frame) {
  std::vector<std::string> lines;
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    std::string line;
    for (const v1::Column& column : frame.columns()) line += (line.empty() ? "" : "|") + Cell(column, row);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> ReferenceLines(const Plan& plan, const std::vector<TestEvent>& events) {
  std::map<std::pair<std::vector<std::string>, int64_t>, std::vector<const TestEvent*>> cells;
  for (const TestEvent& event : events) {
    const int64_t window = Floor(event.time_us - plan.origin_us, plan.step_us) / plan.step_us;
    if (window < 0 || (plan.end_us != 0 && event.time_us >= plan.end_us)) continue;
    if (!Passes(event, plan.filters)) continue;
    std::vector<std::string> group;
    for (const std::string& dimension : plan.group_by) group.push_back(Dimension(event, dimension));
    cells[{group, window}].push_back(&event);
  }
  std::vector<std::string> lines;
  for (const auto& [key, of] : cells) {
    std::string line = std::to_string(plan.origin_us + key.second * plan.step_us);
    for (const std::string& value : key.first) line += "|" + (value.empty() ? "null" : value);
    for (const OutputColumn& column : plan.columns) line += "|" + Aggregated(column, plan, of);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace rivermeet::query
