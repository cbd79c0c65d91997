#include "catalog/statement.h"

#include "base/status.h"
#include "base/strings.h"
#include "catalog/internal/result_data.h"

namespace rivermeet::catalog {

Param::Param(absl::Time time) {
  if (time == absl::InfiniteFuture()) {
    text_ = "infinity";
  } else if (time == absl::InfinitePast()) {
    text_ = "-infinity";
  } else {
    text_ = absl::FormatTime("%Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
  }
}

Param Param::Blob(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex = "\\x";
  hex.reserve(2 + 2 * bytes.size());
  for (const unsigned char byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return Param(hex);
}

Result::Result(std::shared_ptr<const Data> data)
    : data_(std::move(data)), size_(static_cast<int>(data_->rows.size())) {}

Row Result::operator[](int row) const {
  RM_CHECK(row >= 0 && row < size_);
  return Row(*this, row);
}

int64_t Result::affected() const { return static_cast<int64_t>(data_->rows.affected_rows()); }

bool Row::IsNull(int column) const { return result_->data_->rows[row_][column].is_null(); }

std::string_view Row::Text(int column) const {
  const pqxx::field field = result_->data_->rows[row_][column];
  RM_CHECK(!field.is_null());
  return {field.c_str(), field.size()};
}

int64_t Row::Int(int column) const {
  int64_t value = 0;
  RM_CHECK(ParseNumber(Text(column), value));
  return value;
}

bool Row::Bool(int column) const {
  const std::string_view text = Text(column);
  RM_CHECK(text == "t" || text == "f");
  return text == "t";
}

std::string Row::Blob(int column) const {
  const std::string_view text = Text(column);
  RM_CHECK(text.substr(0, 2) == "\\x" && text.size() % 2 == 0);
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 2; i < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

absl::Time Row::Time(int column) const {
  const std::string_view text = Text(column);
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  absl::Time time;
  // Every connection has its time zone set to UTC, so the offset is always "+00".
  RM_CHECK(text.size() > 3 && text.substr(text.size() - 3) == "+00");
  std::string error;
  RM_CHECK(absl::ParseTime("%Y-%m-%d %H:%M:%E*S", ToAbsl(text.substr(0, text.size() - 3)), &time, &error));
  return time;
}

std::optional<absl::Time> Row::MaybeTime(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Time(column);
}

}  // namespace rivermeet::catalog
