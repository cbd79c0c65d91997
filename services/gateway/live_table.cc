#include "gateway/live_table.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include "base/status.h"

namespace rivermeet::gateway {
namespace {

using query::v1::Column;
using query::v1::Frame;

constexpr size_t kMinMergeBytes = 64 * 1024;

bool BitSet(const std::string& bits, size_t i) {
  return i / 8 < bits.size() && (static_cast<uint8_t>(bits[i / 8]) >> (i % 8) & 1) != 0;
}

absl::Status DoesNotFit() { return absl::FailedPreconditionError("a change does not fit the snapshot before it"); }

// Whether every array of `column` is as long as its type wants for `rows` rows.
bool IsWhole(const Column& column, size_t rows) {
  switch (column.type()) {
    case query::v1::COLUMN_TYPE_TIME:
    case query::v1::COLUMN_TYPE_INT64:
      return static_cast<size_t>(column.int64_values_size()) == rows;
    case query::v1::COLUMN_TYPE_FLOAT64:
      return static_cast<size_t>(column.float64_values_size()) == rows;
    case query::v1::COLUMN_TYPE_STRING:
      return static_cast<size_t>(column.index_size()) == rows &&
             std::all_of(column.index().begin(), column.index().end(),
                         [&](uint32_t index) { return index <= static_cast<uint32_t>(column.dictionary_size()); });
    default:
      return false;
  }
}

}  // namespace

absl::Status LiveTable::Apply(const query::v1::SubscribeResponse& response) {
  if (response.snapshot()) {
    ready_ = true;
    columns_.clear();
    rows_by_key_.clear();
    pending_.clear();
    pending_bytes_ = 0;
    whole_bytes_ = 0;
  }
  if (!ready_) return DoesNotFit();
  latest_ = response;
  latest_.clear_frame();
  if (response.frame().row_count() == 0 && !response.snapshot()) return absl::OkStatus();
  pending_bytes_ += response.frame().ByteSizeLong();
  pending_.push_back(response.frame());
  return pending_bytes_ > whole_bytes_ + kMinMergeBytes ? Merge().status() : absl::OkStatus();
}

absl::StatusOr<Frame> LiveTable::Merge() {
  for (const Frame& frame : pending_) {
    if (auto status = MergeFrame(frame); !status.ok()) {
      ready_ = false;
      return status;
    }
  }
  pending_.clear();
  pending_bytes_ = 0;
  const std::vector<uint32_t> rows = RowsInOrder();
  Frame frame = ToFrame(rows);
  whole_bytes_ = frame.ByteSizeLong();
  if (rows.size() < rows_by_key_.size()) {
    // What has left the range is forgotten here too: the table stays as large as the answer.
    columns_.clear();
    rows_by_key_.clear();
    RM_RETURN_IF_ERROR(MergeFrame(frame));
  }
  return frame;
}

bool LiveTable::IsKey(const Cells& cells) {
  return cells.head.type() == query::v1::COLUMN_TYPE_TIME || cells.head.type() == query::v1::COLUMN_TYPE_STRING;
}

void LiveTable::StartColumns(const Frame& frame) {
  for (const Column& column : frame.columns()) {
    Cells& cells = columns_.emplace_back();
    cells.head.set_name(column.name());
    cells.head.set_type(column.type());
    cells.head.set_unit(column.unit());
  }
}

absl::Status LiveTable::CheckColumns(const Frame& frame) const {
  if (static_cast<size_t>(frame.columns_size()) != columns_.size()) return DoesNotFit();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = frame.columns(static_cast<int>(i));
    if (column.name() != columns_[i].head.name() || column.type() != columns_[i].head.type() ||
        !IsWhole(column, frame.row_count())) {
      return DoesNotFit();
    }
  }
  return absl::OkStatus();
}

// Time and group of a row as bytes that are equal for equal cells.
std::string LiveTable::KeyOf(const Frame& frame, size_t row) {
  std::string key;
  const int at = static_cast<int>(row);
  for (const Column& column : frame.columns()) {
    if (column.type() == query::v1::COLUMN_TYPE_TIME) AppendLittleEndian(key, column.int64_values(at));
    if (column.type() != query::v1::COLUMN_TYPE_STRING) continue;
    const uint32_t index = column.index(at);
    AppendLittleEndian(key, index == 0
                                ? uint32_t{0}
                                : static_cast<uint32_t>(column.dictionary(static_cast<int>(index) - 1).size()) + 1);
    if (index > 0) key += column.dictionary(static_cast<int>(index) - 1);
  }
  return key;
}

void LiveTable::SetCell(Cells& cells, size_t to, const Column& from, size_t row) {
  const int at = static_cast<int>(row);
  const auto put = [to](auto& values, auto value) {
    if (values.size() <= to) values.resize(to + 1);
    values[to] = value;
  };
  switch (cells.head.type()) {
    case query::v1::COLUMN_TYPE_FLOAT64:
      put(cells.float64_values, from.float64_values(at));
      put(cells.nulls, static_cast<uint8_t>(BitSet(from.nulls(), row)));
      return;
    case query::v1::COLUMN_TYPE_STRING: {
      uint32_t index = 0;
      if (from.index(at) > 0) {
        const std::string& text = from.dictionary(static_cast<int>(from.index(at)) - 1);
        const auto [it, added] = cells.positions.try_emplace(text, static_cast<uint32_t>(cells.dictionary.size()) + 1);
        if (added) cells.dictionary.push_back(text);
        index = it->second;
      }
      put(cells.strings, index);
      return;
    }
    default:
      put(cells.int64_values, from.int64_values(at));
      put(cells.nulls, static_cast<uint8_t>(BitSet(from.nulls(), row)));
  }
}

absl::Status LiveTable::MergeFrame(const Frame& frame) {
  if (columns_.empty()) StartColumns(frame);
  RM_RETURN_IF_ERROR(CheckColumns(frame));
  for (size_t row = 0; row < frame.row_count(); ++row) {
    const uint32_t next = static_cast<uint32_t>(rows_by_key_.size());
    const auto [it, added] = rows_by_key_.try_emplace(KeyOf(frame, row), next);
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!added && IsKey(columns_[i])) continue;
      SetCell(columns_[i], it->second, frame.columns(static_cast<int>(i)), row);
    }
  }
  return absl::OkStatus();
}

uint64_t LiveTable::TimeColumn() const {
  const auto it = std::find_if(columns_.begin(), columns_.end(),
                               [](const Cells& cells) { return cells.head.type() == query::v1::COLUMN_TYPE_TIME; });
  return static_cast<uint64_t>(it - columns_.begin());
}

// The rows of the range, by group, then time.
std::vector<uint32_t> LiveTable::RowsInOrder() const {
  std::vector<uint32_t> rows(rows_by_key_.size());
  std::iota(rows.begin(), rows.end(), 0);
  const uint64_t time = TimeColumn();
  if (time < columns_.size()) {
    const auto& times = columns_[time].int64_values;
    std::erase_if(rows, [&](uint32_t row) { return times[row] < latest_.range_start_us(); });
  }
  std::sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) {
    for (const Cells& cells : columns_) {
      if (cells.head.type() != query::v1::COLUMN_TYPE_STRING || cells.strings[a] == cells.strings[b]) continue;
      if (cells.strings[a] == 0 || cells.strings[b] == 0) return cells.strings[a] == 0;
      return cells.dictionary[cells.strings[a] - 1] < cells.dictionary[cells.strings[b] - 1];
    }
    return time < columns_.size() && columns_[time].int64_values[a] < columns_[time].int64_values[b];
  });
  return rows;
}

Frame LiveTable::ToFrame(const std::vector<uint32_t>& rows) const {
  Frame frame;
  frame.set_row_count(rows.size());
  for (const Cells& cells : columns_) {
    Column& column = *frame.add_columns();
    column = cells.head;
    std::string nulls((rows.size() + 7) / 8, '\0');
    bool any_null = false;
    std::vector<uint32_t> renumbered(cells.dictionary.size() + 1, 0);
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t row = rows[i];
      if (cells.head.type() == query::v1::COLUMN_TYPE_STRING) {
        uint32_t& number = renumbered[cells.strings[row]];
        if (number == 0 && cells.strings[row] > 0) {
          column.add_dictionary(cells.dictionary[cells.strings[row] - 1]);
          number = static_cast<uint32_t>(column.dictionary_size());
        }
        column.add_index(number);
        continue;
      }
      if (cells.head.type() == query::v1::COLUMN_TYPE_FLOAT64) {
        column.add_float64_values(cells.float64_values[row]);
      } else {
        column.add_int64_values(cells.int64_values[row]);
      }
      if (cells.nulls[row] != 0) {
        any_null = true;
        nulls[i / 8] = static_cast<char>(nulls[i / 8] | 1 << (i % 8));
      }
    }
    if (any_null) column.set_nulls(std::move(nulls));
  }
  return frame;
}

absl::StatusOr<query::v1::SubscribeResponse> LiveTable::Whole() {
  if (!ready_) return DoesNotFit();
  RM_ASSIGN_OR_RETURN(Frame frame, Merge());
  query::v1::SubscribeResponse whole = latest_;
  whole.set_snapshot(true);
  *whole.mutable_frame() = std::move(frame);
  return whole;
}

}  // namespace rivermeet::gateway
