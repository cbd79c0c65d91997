#include "cli/live_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/status.h"
#include "base/strings.h"
#include "cli/frame_text.h"
#include "cli/text_table.h"

namespace rivermeet::cli {
namespace {

using query::v1::Column;
using query::v1::Frame;

bool IsNumber(const Column& column) {
  return column.type() == query::v1::COLUMN_TYPE_FLOAT64 || column.type() == query::v1::COLUMN_TYPE_INT64;
}

std::optional<double> Number(const Column& column, int row) {
  if (!CellText(column, row)) return std::nullopt;
  return column.type() == query::v1::COLUMN_TYPE_INT64 ? static_cast<double>(column.int64_values(row))
                                                       : column.float64_values(row);
}

double SortValue(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? *value : -std::numeric_limits<double>::infinity();
}

std::string Cut(const std::string& line, size_t columns) {
  if (DisplayWidth(line) <= columns) return line;
  std::string cut;
  size_t width = 0;
  for (const char c : line) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++width > columns) break;
    cut += c;
  }
  return cut;
}

}  // namespace

std::string Bars(const std::vector<std::optional<double>>& values) {
  static constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const std::optional<double>& value : values) {
    if (!value || !std::isfinite(*value)) continue;
    low = std::min(low, *value);
    high = std::max(high, *value);
  }
  std::string bars;
  for (const std::optional<double>& value : values) {
    if (!value || !std::isfinite(*value)) {
      bars += ' ';
      continue;
    }
    const double share = high > low ? (*value - low) / (high - low) : 0;
    bars += kBars[std::min(7, static_cast<int>(share * 8))];
  }
  return bars;
}

absl::Status LiveTable::Apply(const query::v1::SubscribeResponse& update) {
  const Frame& frame = update.frame();
  RM_RETURN_IF_ERROR(CheckFrame(frame));
  if (update.snapshot()) {
    groups_.clear();
    dimensions_.clear();
    aggregates_.clear();
    newest_us_ = 0;
  }
  const Column* time = nullptr;
  std::vector<const Column*> dimensions;
  std::vector<const Column*> numbers;
  for (const Column& column : frame.columns()) {
    if (column.type() == query::v1::COLUMN_TYPE_TIME) time = &column;
    if (column.type() == query::v1::COLUMN_TYPE_STRING) dimensions.push_back(&column);
    if (IsNumber(column)) numbers.push_back(&column);
  }
  if (frame.row_count() == 0) return absl::OkStatus();
  if (time == nullptr) return absl::InternalError("the update has no time");
  if (aggregates_.empty()) {
    for (const Column* column : dimensions) dimensions_.push_back(column->name());
    for (const Column* column : numbers) {
      aggregates_.push_back(column->unit().empty() ? column->name()
                                                   : fmt::format("{} ({})", column->name(), column->unit()));
    }
  }
  if (dimensions.size() != dimensions_.size() || numbers.size() != aggregates_.size()) {
    return absl::InternalError("the update has other columns than the one before");
  }
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    std::vector<std::string> key;
    for (const Column* column : dimensions) key.push_back(CellText(*column, row).value_or("-"));
    if (groups_.size() >= kMaxGroups && !groups_.contains(key)) continue;
    Values values;
    for (const Column* column : numbers) values.push_back(Number(*column, row));
    Group& group = groups_[std::move(key)];
    const int64_t start = time->int64_values(row);
    group[start] = std::move(values);
    newest_us_ = std::max(newest_us_, start);
    while (group.size() > kMaxWindows) group.erase(group.begin());
  }
  return absl::OkStatus();
}

std::string LiveTable::Draw(size_t rows, size_t columns) const {
  if (groups_.empty()) return "(no events yet)\n";
  std::vector<const std::pair<const std::vector<std::string>, Group>*> order;
  for (const auto& entry : groups_) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return SortValue(a->second.rbegin()->second.front()) > SortValue(b->second.rbegin()->second.front());
  });
  std::vector<std::string> header;
  for (const std::string& name : dimensions_) header.push_back(ForTerminal(name));
  for (const std::string& name : aggregates_) header.push_back(ForTerminal(name));
  header.push_back("");
  std::vector<bool> right(header.size(), false);
  std::fill(right.begin() + static_cast<std::ptrdiff_t>(dimensions_.size()), right.end() - 1, true);
  TextTable table(header, right);
  const size_t shown = std::min(rows, order.size());
  for (size_t i = 0; i < shown; ++i) {
    std::vector<std::string> cells = order[i]->first;
    for (const std::optional<double>& value : order[i]->second.rbegin()->second) {
      cells.push_back(value ? BriefNumber(*value) : "-");
    }
    std::vector<std::optional<double>> course;
    for (const auto& [start, values] : order[i]->second) course.push_back(values.front());
    cells.push_back(Bars(course));
    table.AddRow(std::move(cells));
  }
  std::string text;
  const std::string whole = table.ToString();
  for (const std::string_view line : Split(whole, '\n')) {
    if (!line.empty()) text += Cut(std::string(line), columns) + "\n";
  }
  if (shown < order.size()) text += fmt::format("and {} more\n", order.size() - shown);
  return text;
}

std::string LiveTable::Line(const query::v1::SubscribeResponse& update) {
  const Frame& frame = update.frame();
  std::string line;
  int64_t time = std::numeric_limits<int64_t>::min();
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    line += line.empty() ? "" : " ";
    for (const Column& column : frame.columns()) {
      const std::optional<std::string> text = CellText(column, row);
      if (column.type() == query::v1::COLUMN_TYPE_TIME) {
        if (column.int64_values(row) != time) line += fmt::format(" {} ", *text);
        time = column.int64_values(row);
      } else {
        line += fmt::format(" {}={}", column.name(), text.value_or("-"));
      }
    }
  }
  line.erase(0, line.find_first_not_of(' '));
  return ForTerminal(line);
}

}  // namespace rivermeet::cli
