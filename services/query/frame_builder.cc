#include "query/frame_builder.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace rivermeet::query {
namespace {

using partials::GroupTable;
using partials::MeasureState;
using partials::PartialsTable;

template <typename T>
CellValue Finalise(const OutputColumn& column, const MeasureState<T>& state, double step_seconds) {
  CellValue value;
  const auto number = [&value](T from) {
    if constexpr (std::is_floating_point_v<T>) {
      value.f64 = from;
    } else {
      value.i64 = from;
    }
  };
  value.is_null = state.count == 0 && column.function != v1::AGGREGATE_FUNCTION_COUNT;
  if (value.is_null) return value;
  switch (column.function) {
    case v1::AGGREGATE_FUNCTION_COUNT:
      value.i64 = static_cast<int64_t>(state.count);
      break;
    case v1::AGGREGATE_FUNCTION_SUM:
      number(state.sum);
      break;
    case v1::AGGREGATE_FUNCTION_MIN:
      number(state.min);
      break;
    case v1::AGGREGATE_FUNCTION_MAX:
      number(state.max);
      break;
    case v1::AGGREGATE_FUNCTION_FIRST:
      number(state.first);
      break;
    case v1::AGGREGATE_FUNCTION_LAST:
      number(state.last);
      break;
    case v1::AGGREGATE_FUNCTION_MEAN:
      value.f64 = static_cast<double>(state.sum) / static_cast<double>(state.count);
      break;
    case v1::AGGREGATE_FUNCTION_RATE:
      value.f64 = (column.rate_of_sum ? static_cast<double>(state.sum) : state.increase) / step_seconds;
      break;
    default:
      value.is_null = true;
  }
  return value;
}

double AsDouble(const OutputColumn& column, const CellValue& value) {
  return column.is_int64 ? static_cast<double>(value.i64) : value.f64;
}

// Cells of the chosen groups, by group order, then window.
std::vector<uint32_t> OrderCells(const GroupTable& groups, const PartialsTable& table,
                                 const std::vector<bool>& chosen) {
  std::vector<uint32_t> counts(groups.size() + 1, 0);
  size_t total = 0;
  const auto wanted = [&](uint32_t cell) { return table.in_use(cell) && chosen[table.group(cell)]; };
  for (uint32_t cell = 0; cell < table.cell_limit(); ++cell) {
    if (!wanted(cell)) continue;
    ++counts[table.group(cell)];
    ++total;
  }
  std::vector<uint32_t> order;
  for (uint32_t group = 0; group < groups.size(); ++group) {
    if (counts[group] > 0) order.push_back(group);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return groups.Less(a, b); });
  std::vector<uint32_t> next(groups.size(), 0);
  uint32_t at = 0;
  for (const uint32_t group : order) {
    next[group] = at;
    at += counts[group];
  }
  std::vector<uint32_t> cells(total);
  for (uint32_t cell = 0; cell < table.cell_limit(); ++cell) {
    if (wanted(cell)) cells[next[table.group(cell)]++] = cell;
  }
  const auto earlier = [&](uint32_t a, uint32_t b) { return table.window(a) < table.window(b); };
  auto begin = cells.begin();
  for (const uint32_t group : order) {
    const auto end = begin + counts[group];
    if (!std::is_sorted(begin, end, earlier)) std::sort(begin, end, earlier);
    begin = end;
  }
  return cells;
}

void AddGroupColumn(const GroupTable& groups, const PartialsTable& table, const std::vector<uint32_t>& cells,
                    size_t dimension, v1::Column& column) {
  column.set_name(groups.dimensions()[dimension]);
  column.set_type(v1::COLUMN_TYPE_STRING);
  column.mutable_index()->Reserve(static_cast<int>(cells.size()));
  const auto& values = groups.values(dimension);
  std::vector<uint32_t> renumbered(values.size() + 1, 0);
  for (const uint32_t cell : cells) {
    const uint32_t value = groups.value_index(table.group(cell), dimension);
    if (value != 0 && renumbered[value] == 0) {
      column.add_dictionary(values[value - 1]);
      renumbered[value] = static_cast<uint32_t>(column.dictionary_size());
    }
    column.mutable_index()->AddAlreadyReserved(renumbered[value]);
  }
}

void AddValueColumn(const OutputColumn& output, const PartialsTable& table, const std::vector<uint32_t>& cells,
                    int64_t step_us, v1::Column& column) {
  column.set_name(output.name);
  column.set_unit(output.unit);
  column.set_type(output.is_int64 ? v1::COLUMN_TYPE_INT64 : v1::COLUMN_TYPE_FLOAT64);
  const int rows = static_cast<int>(cells.size());
  output.is_int64 ? column.mutable_int64_values()->Reserve(rows) : column.mutable_float64_values()->Reserve(rows);
  std::string nulls;
  for (size_t row = 0; row < cells.size(); ++row) {
    const CellValue value = ValueOf(output, table, cells[row], step_us);
    if (output.is_int64) {
      column.mutable_int64_values()->AddAlreadyReserved(value.i64);
    } else {
      column.mutable_float64_values()->AddAlreadyReserved(value.f64);
    }
    if (!value.is_null) continue;
    if (nulls.empty()) nulls.resize((cells.size() + 7) / 8);
    nulls[row / 8] = static_cast<char>(nulls[row / 8] | (1 << (row % 8)));
  }
  column.set_nulls(std::move(nulls));
}

}  // namespace

CellValue ValueOf(const OutputColumn& column, const PartialsTable& table, uint32_t cell, int64_t step_us) {
  if (!column.measure) {
    return {.is_null = false, .i64 = static_cast<int64_t>(table.event_count(cell)), .f64 = 0};
  }
  const double step_seconds = static_cast<double>(step_us) / 1e6;
  return table.measures()[*column.measure].is_int64
             ? Finalise(column, table.int64_state(cell, *column.measure), step_seconds)
             : Finalise(column, table.float64_state(cell, *column.measure), step_seconds);
}

std::vector<bool> ChooseGroups(const Plan& plan, const GroupTable& groups, const PartialsTable& table,
                               uint64_t* left_out) {
  struct Latest {
    int64_t window = std::numeric_limits<int64_t>::min();
    double value = 0;
    bool seen = false;  // a group without cells does not count
  };
  std::vector<Latest> latest(groups.size());
  const OutputColumn& first = plan.columns.front();
  for (uint32_t cell = 0; cell < table.cell_limit(); ++cell) {
    if (!table.in_use(cell)) continue;
    Latest& of = latest[table.group(cell)];
    of.seen = true;
    if (table.window(cell) < of.window) continue;
    const CellValue value = ValueOf(first, table, cell, plan.step_us);
    if (value.is_null) continue;
    of = {table.window(cell), AsDouble(first, value), true};
  }
  std::vector<uint32_t> ranked;
  for (uint32_t group = 0; group < groups.size(); ++group) {
    if (latest[group].seen) ranked.push_back(group);
  }
  const size_t kept = std::min<size_t>(ranked.size(), plan.group_limit);
  if (left_out != nullptr) *left_out = ranked.size() - kept;
  std::vector<bool> chosen(groups.size(), false);
  const auto before = [&](uint32_t a, uint32_t b) {
    const auto has = [&](uint32_t g) {
      return latest[g].window != std::numeric_limits<int64_t>::min() && latest[g].value == latest[g].value;
    };
    if (has(a) != has(b)) return has(a);
    if (has(a) && latest[a].value != latest[b].value) return latest[a].value > latest[b].value;
    return groups.Less(a, b);
  };
  if (kept < ranked.size()) {
    std::nth_element(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(kept), ranked.end(), before);
  }
  for (size_t i = 0; i < kept; ++i) chosen[ranked[i]] = true;
  return chosen;
}

v1::Frame BuildFrame(const Plan& plan, const GroupTable& groups, const PartialsTable& table,
                     const std::vector<bool>& chosen) {
  const std::vector<uint32_t> cells = OrderCells(groups, table, chosen);
  v1::Frame frame;
  frame.set_row_count(cells.size());
  v1::Column& time = *frame.add_columns();
  time.set_name("time");
  time.set_type(v1::COLUMN_TYPE_TIME);
  time.mutable_int64_values()->Reserve(static_cast<int>(cells.size()));
  for (const uint32_t cell : cells) {
    time.mutable_int64_values()->AddAlreadyReserved(plan.origin_us + table.window(cell) * plan.step_us);
  }
  for (size_t d = 0; d < groups.dimensions().size(); ++d) AddGroupColumn(groups, table, cells, d, *frame.add_columns());
  for (const OutputColumn& column : plan.columns) {
    AddValueColumn(column, table, cells, plan.step_us, *frame.add_columns());
  }
  return frame;
}

}  // namespace rivermeet::query
