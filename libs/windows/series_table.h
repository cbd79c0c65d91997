// The series of one stream in one partition: dimension values and their combinations, numbered from 0 as they come.
//
// The fold alone adds; a SeriesView shares what was there when it was taken and is read on any thread.
#ifndef RIVERMEET_WINDOWS_SERIES_TABLE_H_
#define RIVERMEET_WINDOWS_SERIES_TABLE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "rivermeet/events/v1/event_batch.pb.h"

namespace rivermeet::windows {

// A vector that only grows and never moves its elements. A copy shares the elements; it stays as it is while the
// original grows, and must not grow itself.
template <typename T>
class AppendVector {
 public:
  static constexpr size_t kChunk = 256;

  void push_back(T value) {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::shared_ptr<T[]>(new T[kChunk]()));
    chunks_[size_ / kChunk][size_ % kChunk] = std::move(value);
    ++size_;
  }
  const T& operator[](size_t index) const { return chunks_[index / kChunk][index % kChunk]; }
  size_t size() const { return size_; }

 private:
  std::vector<std::shared_ptr<T[]>> chunks_;
  size_t size_ = 0;
};

// One dimension. Value 0 is "none"; value v > 0 is values[v - 1].
struct DimensionView {
  std::string name;
  AppendVector<std::string> values;
  // Per series from `base` on; series before it lack the dimension.
  AppendVector<uint32_t> value_of_series;
  uint32_t base = 0;

  uint32_t ValueOf(uint32_t series) const { return series < base ? 0 : value_of_series[series - base]; }
  std::string_view TextOf(uint32_t value) const {
    return value == 0 ? std::string_view() : std::string_view(values[value - 1]);
  }
};

struct SeriesView {
  uint32_t count = 0;
  std::vector<DimensionView> dimensions;  // in the order they came

  // Null when no series ever had it.
  const DimensionView* Find(std::string_view dimension) const;
};

// Of rows that would be one series too many.
inline constexpr uint32_t kNoSeries = UINT32_MAX;

class SeriesTable {
 public:
  SeriesTable();
  ~SeriesTable();
  SeriesTable(SeriesTable&&) noexcept;
  SeriesTable& operator=(SeriesTable&&) noexcept;

  uint32_t count() const { return view_.count; }
  size_t bytes() const;
  // The table as it is, growing with it; copy it to keep it.
  const SeriesView& view() const { return view_; }

  // Fills `series` with the number of each row of `rows`, in order; new series and values are added in the order of
  // their rows. The empty text counts as no value. `rows` must be valid (see CheckSeriesRows).
  // A row that would make more than `limit` series, or a dimension of more than `limit` values, gets kNoSeries.
  void Resolve(const events::v1::SeriesTable& rows, uint32_t limit, std::vector<uint32_t>& series);

  // For restoring a snapshot: into an empty table, in the order of `view`.
  void AddDimension(std::string_view name, uint32_t base);
  void AddValue(uint32_t dimension, std::string value);
  // `values`: one for each dimension that has begun, in order. Once all dimensions that have it are added.
  void AddSeries(std::span<const uint32_t> values);

 private:
  class ValueIndex;
  class TupleIndex;

  uint32_t DimensionNumber(std::string_view name);

  SeriesView view_;
  std::vector<std::unique_ptr<ValueIndex>> value_indexes_;
  std::unique_ptr<TupleIndex> tuples_;
  size_t text_bytes_ = 0;
  // Kept between calls for their memory.
  std::vector<std::vector<uint32_t>> row_values_;
  std::vector<uint64_t> hashes_;
  std::vector<uint64_t> text_hashes_;
  std::vector<uint32_t> translated_;
};

// Whether indexes and lengths in `rows` fit together.
absl::Status CheckSeriesRows(const events::v1::SeriesTable& rows);

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_SERIES_TABLE_H_
