// Mergeable states of windows, by window and group: what a query adds up before it makes numbers of them.
#ifndef RIVERMEET_PARTIALS_PARTIALS_TABLE_H_
#define RIVERMEET_PARTIALS_PARTIALS_TABLE_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "partials/group_table.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"

namespace rivermeet::partials {

// A measure whose states are kept.
struct MeasureSpec {
  std::string name;
  bool is_int64 = false;
};

// What is known of one measure's values in one window and group. Merging is associative, and commutative but for
// `first` and `last` of equal time and partition, where the state merged later counts as the later one.
template <typename T>
struct MeasureState {
  uint64_t count = 0;  // 0: there is no value, and nothing else holds
  T sum = 0;           // int64: saturates at the type's ends
  T min = 0;           // NaN only when every value is
  T max = 0;
  T first = 0;
  T last = 0;
  int64_t first_us = 0;
  int64_t last_us = 0;
  double increase = 0;
  uint32_t first_partition = 0;
  uint32_t last_partition = 0;

  void Merge(const MeasureState& other);
  bool operator==(const MeasureState&) const = default;
};

template <typename T>
T AddSaturating(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a + b;
  } else {
    T sum;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  }
}

template <typename T>
bool IsNan(T value) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(value);
  return false;
}

template <typename T>
void MeasureState<T>::Merge(const MeasureState& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  count += other.count;
  sum = AddSaturating(sum, other.sum);
  if (other.min < min || IsNan(min)) min = other.min;
  if (other.max > max || IsNan(max)) max = other.max;
  if (other.first_us < first_us || (other.first_us == first_us && other.first_partition < first_partition)) {
    first = other.first;
    first_us = other.first_us;
    first_partition = other.first_partition;
  }
  if (other.last_us > last_us || (other.last_us == last_us && other.last_partition >= last_partition)) {
    last = other.last;
    last_us = other.last_us;
    last_partition = other.last_partition;
  }
  increase += other.increase;
}

// The rows of one Partials message, checked and with their groups and windows numbered. Borrows the message.
class PartialsView {
 public:
  // `origin_us` is the start of window 0; rows before it, or not on a multiple of `step_us` from it, belong to the
  // window they lie in (so that rows of a finer step can be merged into a coarser one).
  //
  // Errors:
  //   INTERNAL  An array's length, a column or a measure is not what was asked for. The sender is at fault.
  static absl::StatusOr<PartialsView> Make(const aggregation::v1::Partials& partials,
                                           const std::vector<MeasureSpec>& measures, int64_t origin_us, int64_t step_us,
                                           GroupTable& groups);

  size_t rows() const { return groups_.size(); }
  uint32_t group(size_t row) const { return groups_[row]; }
  int64_t window(size_t row) const { return windows_[row]; }
  uint32_t partition(size_t row) const { return partials_->partition(static_cast<int>(row)); }
  uint64_t event_count(size_t row) const { return partials_->event_count(static_cast<int>(row)); }

  // The state of measure `measure` in `row`; T must be the measure's type.
  template <typename T>
  MeasureState<T> State(size_t row, size_t measure) const;

 private:
  const aggregation::v1::Partials* partials_ = nullptr;
  std::vector<uint32_t> groups_;
  std::vector<int64_t> windows_;
};

// States by (group, window), in a pool of cells with an index that is dense while that is cheap and a hash map when
// groups come and go. Windows can be forgotten from the front. Not thread-safe.
class PartialsTable {
 public:
  // `windows` is how many windows are expected at a time; more are taken in too.
  PartialsTable(std::vector<MeasureSpec> measures, size_t windows);

  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  // Adds a row to what its cell holds. Returns the cell.
  uint32_t Merge(const PartialsView& rows, size_t row);
  // Puts a row in place of what its cell holds. Returns the cell.
  uint32_t Replace(const PartialsView& rows, size_t row);
  // Adds all that `other` holds of a cell. The measures must be the same.
  void MergeCell(const PartialsTable& other, uint32_t cell);

  // Whether a cell here and one of `other`, of the same measures, hold the same states.
  bool SameCell(uint32_t cell, const PartialsTable& other, uint32_t other_cell) const;

  // kNone when there is no such cell.
  uint32_t Find(uint32_t group, int64_t window) const;
  // Forgets every window before `window`.
  void ForgetBefore(int64_t window);
  void Clear();

  // Cells in use; their numbers are below cell_limit(), where in_use() tells.
  size_t size() const { return cells_.size() - free_.size(); }
  size_t cell_limit() const { return cells_.size(); }
  bool in_use(uint32_t cell) const { return cells_[cell].group != kNone; }
  uint32_t group(uint32_t cell) const { return cells_[cell].group; }
  int64_t window(uint32_t cell) const { return cells_[cell].window; }
  uint64_t event_count(uint32_t cell) const { return cells_[cell].event_count; }

  const std::vector<MeasureSpec>& measures() const { return measures_; }
  const MeasureState<double>& float64_state(uint32_t cell, size_t measure) const {
    return float64_[cell * float64_count_ + slot_[measure]];
  }
  const MeasureState<int64_t>& int64_state(uint32_t cell, size_t measure) const {
    return int64_[cell * int64_count_ + slot_[measure]];
  }

  // Memory held, in bytes: capacity, not use.
  size_t bytes() const;

 private:
  struct Cell {
    int64_t window;
    uint64_t event_count;
    uint32_t group;  // kNone: free
  };
  using Key = std::pair<uint32_t, int64_t>;

  uint32_t FindOrAdd(uint32_t group, int64_t window);
  uint32_t AddCell(uint32_t group, int64_t window);
  void FreeCell(uint32_t cell);
  // Where the cell's number stands, or is to be written when it is kNone; after AddCell() it is void.
  uint32_t& Slot(uint32_t group, int64_t window);
  bool InDense(uint32_t group, int64_t window) const;
  void RebuildIndex(uint32_t group, int64_t window);
  template <bool kReplace>
  uint32_t Put(const PartialsView& rows, size_t row);

  std::vector<MeasureSpec> measures_;
  std::vector<uint32_t> slot_;  // the measure's place among those of its type
  size_t float64_count_ = 0;
  size_t int64_count_ = 0;

  std::vector<Cell> cells_;
  std::vector<MeasureState<double>> float64_;
  std::vector<MeasureState<int64_t>> int64_;
  std::vector<uint32_t> free_;

  // dense_[group * dense_windows_ + window - dense_first_], kNone where there is no cell.
  size_t dense_windows_;
  int64_t dense_first_ = 0;
  bool is_sparse_ = false;
  std::vector<uint32_t> dense_;
  absl::flat_hash_map<Key, uint32_t> sparse_;
};

}  // namespace rivermeet::partials

#endif  // RIVERMEET_PARTIALS_PARTIALS_TABLE_H_
