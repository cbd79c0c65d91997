#include "cli/frame_text.h"

#include <cmath>

#include "absl/time/time.h"
#include "base/json_string.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/text_table.h"

namespace rivermeet::cli {
namespace {

using query::v1::Column;
using query::v1::Frame;

bool IsNumber(const Column& column) {
  return column.type() == query::v1::COLUMN_TYPE_FLOAT64 || column.type() == query::v1::COLUMN_TYPE_INT64;
}

bool IsNull(const Column& column, int row) {
  if (column.type() == query::v1::COLUMN_TYPE_STRING) return column.index(row) == 0;
  const auto byte = static_cast<size_t>(row) / 8;
  return byte < column.nulls().size() && (static_cast<unsigned char>(column.nulls()[byte]) >> (row % 8) & 1) != 0;
}

std::string TimeText(int64_t time_us) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(time_us), absl::UTCTimeZone());
}

std::string CsvCell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string CsvText(const Frame& frame) {
  std::string text;
  for (int i = 0; i < frame.columns_size(); ++i) text += (i > 0 ? "," : "") + CsvCell(frame.columns(i).name());
  text += "\r\n";
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    for (int i = 0; i < frame.columns_size(); ++i) {
      text += (i > 0 ? "," : "") + CsvCell(CellText(frame.columns(i), row).value_or(""));
    }
    text += "\r\n";
  }
  return text;
}

std::string TableText(const Frame& frame) {
  std::vector<std::string> header;
  std::vector<bool> right;
  for (const Column& column : frame.columns()) {
    header.push_back(
        ForTerminal(column.unit().empty() ? column.name() : fmt::format("{} ({})", column.name(), column.unit())));
    right.push_back(IsNumber(column));
  }
  TextTable table(std::move(header), std::move(right));
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    std::vector<std::string> cells;
    for (const Column& column : frame.columns()) {
      const bool brief = column.type() == query::v1::COLUMN_TYPE_FLOAT64 && !IsNull(column, row);
      cells.push_back(brief ? BriefNumber(column.float64_values(row)) : CellText(column, row).value_or("-"));
    }
    table.AddRow(std::move(cells));
  }
  return table.ToString();
}

}  // namespace

absl::StatusOr<OutputFormat> ParseOutputFormat(const std::string& text) {
  if (text == "table") return OutputFormat::kTable;
  if (text == "csv") return OutputFormat::kCsv;
  if (text == "json") return OutputFormat::kJson;
  return absl::InvalidArgumentError(fmt::format("\"{}\" is no format: table, csv or json", text));
}

absl::Status CheckFrame(const Frame& frame) {
  for (const Column& column : frame.columns()) {
    int values = 0;
    switch (column.type()) {
      case query::v1::COLUMN_TYPE_TIME:
      case query::v1::COLUMN_TYPE_INT64:
        values = column.int64_values_size();
        break;
      case query::v1::COLUMN_TYPE_FLOAT64:
        values = column.float64_values_size();
        break;
      case query::v1::COLUMN_TYPE_STRING:
        values = column.index_size();
        for (const uint32_t index : column.index()) {
          if (index > static_cast<uint32_t>(column.dictionary_size())) values = -1;
        }
        break;
      default:
        values = -1;
    }
    if (values < 0 || static_cast<uint64_t>(values) != frame.row_count()) {
      return absl::InternalError(fmt::format("the answer's column \"{}\" is damaged", ForTerminal(column.name())));
    }
  }
  return absl::OkStatus();
}

std::optional<std::string> CellText(const Column& column, int row) {
  if (IsNull(column, row)) return std::nullopt;
  switch (column.type()) {
    case query::v1::COLUMN_TYPE_TIME:
      return TimeText(column.int64_values(row));
    case query::v1::COLUMN_TYPE_INT64:
      return fmt::format("{}", column.int64_values(row));
    case query::v1::COLUMN_TYPE_FLOAT64:
      return fmt::format("{}", column.float64_values(row));
    default:
      return column.dictionary(static_cast<int>(column.index(row)) - 1);
  }
}

std::string BriefNumber(double value) {
  if (!std::isfinite(value) || value == 0) return fmt::format("{}", value);
  const double size = std::abs(value);
  if (size >= 1e15 || size < 1e-4) return fmt::format("{:.5e}", value);
  const int digits = static_cast<int>(std::floor(std::log10(size))) + 1;
  return fmt::format("{:.{}f}", value, std::clamp(6 - digits, 0, size < 0.1 ? 6 : 3));
}

std::string RowJson(const Frame& frame, int row) {
  std::string json = "{";
  for (int i = 0; i < frame.columns_size(); ++i) {
    const Column& column = frame.columns(i);
    json += fmt::format("{}{}:", i > 0 ? "," : "", JsonString(column.name()));
    const std::optional<std::string> text = CellText(column, row);
    const bool finite =
        column.type() != query::v1::COLUMN_TYPE_FLOAT64 || !text || std::isfinite(column.float64_values(row));
    json += !text || !finite ? "null" : IsNumber(column) ? *text : JsonString(*text);
  }
  return json + "}";
}

std::string FrameText(const Frame& frame, OutputFormat format) {
  if (format == OutputFormat::kCsv) return CsvText(frame);
  if (format == OutputFormat::kTable) return TableText(frame);
  std::string json = "[";
  for (int row = 0; row < static_cast<int>(frame.row_count()); ++row) {
    json += (row > 0 ? ",\n " : "") + RowJson(frame, row);
  }
  return json + "]\n";
}

}  // namespace rivermeet::cli
