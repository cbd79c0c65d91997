#include "partials/partials_table.h"

#include <algorithm>

#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::partials {
namespace {

// The dense index may have this many entries whatever it holds, and so many a cell beyond that.
constexpr size_t kDenseFree = 1u << 20;
constexpr size_t kDensePerCell = 16;

int64_t FloorDivide(int64_t value, int64_t by) {
  const int64_t quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}

template <typename Array>
absl::Status CheckLength(const Array& array, int rows, std::string_view what) {
  if (array.size() == rows) return absl::OkStatus();
  return absl::InternalError(ToAbsl(fmt::format("partials: {} entries of {} for {} rows", array.size(), what, rows)));
}

absl::Status CheckMeasure(const aggregation::v1::MeasurePartials& measure, const MeasureSpec& spec, int rows) {
  if (measure.name() != spec.name || measure.is_int64() != spec.is_int64) {
    return absl::InternalError(
        ToAbsl(fmt::format("partials: measure '{}' ({}) where '{}' ({}) was due", measure.name(),
                           measure.is_int64() ? "int64" : "float64", spec.name, spec.is_int64 ? "int64" : "float64")));
  }
  RM_RETURN_IF_ERROR(CheckLength(measure.count(), rows, "count"));
  RM_RETURN_IF_ERROR(CheckLength(measure.first_us(), rows, "first_us"));
  RM_RETURN_IF_ERROR(CheckLength(measure.last_us(), rows, "last_us"));
  RM_RETURN_IF_ERROR(CheckLength(measure.increase(), rows, "increase"));
  if (spec.is_int64) {
    RM_RETURN_IF_ERROR(CheckLength(measure.int64_sum(), rows, "int64_sum"));
    RM_RETURN_IF_ERROR(CheckLength(measure.int64_min(), rows, "int64_min"));
    RM_RETURN_IF_ERROR(CheckLength(measure.int64_max(), rows, "int64_max"));
    RM_RETURN_IF_ERROR(CheckLength(measure.int64_first(), rows, "int64_first"));
    return CheckLength(measure.int64_last(), rows, "int64_last");
  }
  RM_RETURN_IF_ERROR(CheckLength(measure.float64_sum(), rows, "float64_sum"));
  RM_RETURN_IF_ERROR(CheckLength(measure.float64_min(), rows, "float64_min"));
  RM_RETURN_IF_ERROR(CheckLength(measure.float64_max(), rows, "float64_max"));
  RM_RETURN_IF_ERROR(CheckLength(measure.float64_first(), rows, "float64_first"));
  return CheckLength(measure.float64_last(), rows, "float64_last");
}

}  // namespace

absl::StatusOr<PartialsView> PartialsView::Make(const aggregation::v1::Partials& partials,
                                                const std::vector<MeasureSpec>& measures, int64_t origin_us,
                                                int64_t step_us, GroupTable& groups) {
  const int rows = partials.window_start_us_size();
  RM_RETURN_IF_ERROR(CheckLength(partials.event_count(), rows, "event_count"));
  RM_RETURN_IF_ERROR(CheckLength(partials.partition(), rows, "partition"));
  if (rows > 0) RM_RETURN_IF_ERROR(CheckLength(partials.measures(), static_cast<int>(measures.size()), "measures"));
  for (int i = 0; i < partials.measures_size() && rows > 0; ++i) {
    RM_RETURN_IF_ERROR(CheckMeasure(partials.measures(i), measures[i], rows));
  }
  PartialsView view;
  view.partials_ = &partials;
  if (rows == 0) return view;
  RM_RETURN_IF_ERROR(groups.Map(partials, view.groups_));
  view.windows_.resize(rows);
  int64_t last_start = partials.window_start_us(0);
  int64_t last_window = FloorDivide(last_start - origin_us, step_us);
  for (int row = 0; row < rows; ++row) {
    const int64_t start = partials.window_start_us(row);
    if (start != last_start) {
      last_start = start;
      last_window = FloorDivide(start - origin_us, step_us);
    }
    view.windows_[row] = last_window;
  }
  return view;
}

template <typename T>
MeasureState<T> PartialsView::State(size_t row, size_t measure) const {
  const auto i = static_cast<int>(row);
  const auto& from = partials_->measures(static_cast<int>(measure));
  MeasureState<T> state;
  state.count = from.count(i);
  if (state.count == 0) return state;
  if constexpr (std::is_floating_point_v<T>) {
    state.sum = from.float64_sum(i);
    state.min = from.float64_min(i);
    state.max = from.float64_max(i);
    state.first = from.float64_first(i);
    state.last = from.float64_last(i);
  } else {
    state.sum = from.int64_sum(i);
    state.min = from.int64_min(i);
    state.max = from.int64_max(i);
    state.first = from.int64_first(i);
    state.last = from.int64_last(i);
  }
  state.first_us = from.first_us(i);
  state.last_us = from.last_us(i);
  state.increase = from.increase(i);
  state.first_partition = state.last_partition = partition(row);
  return state;
}

template MeasureState<double> PartialsView::State<double>(size_t, size_t) const;
template MeasureState<int64_t> PartialsView::State<int64_t>(size_t, size_t) const;

PartialsTable::PartialsTable(std::vector<MeasureSpec> measures, size_t windows)
    : measures_(std::move(measures)), dense_windows_(std::clamp<size_t>(windows, 1, kDenseFree)) {
  for (const MeasureSpec& measure : measures_) {
    slot_.push_back(static_cast<uint32_t>(measure.is_int64 ? int64_count_++ : float64_count_++));
  }
}

template <bool kReplace>
uint32_t PartialsTable::Put(const PartialsView& rows, size_t row) {
  const uint32_t cell = FindOrAdd(rows.group(row), rows.window(row));
  if constexpr (kReplace) cells_[cell].event_count = 0;
  cells_[cell].event_count += rows.event_count(row);
  for (size_t m = 0; m < measures_.size(); ++m) {
    if (measures_[m].is_int64) {
      MeasureState<int64_t>& state = int64_[cell * int64_count_ + slot_[m]];
      if constexpr (kReplace) state = {};
      state.Merge(rows.State<int64_t>(row, m));
    } else {
      MeasureState<double>& state = float64_[cell * float64_count_ + slot_[m]];
      if constexpr (kReplace) state = {};
      state.Merge(rows.State<double>(row, m));
    }
  }
  return cell;
}

uint32_t PartialsTable::Merge(const PartialsView& rows, size_t row) { return Put<false>(rows, row); }

uint32_t PartialsTable::Replace(const PartialsView& rows, size_t row) { return Put<true>(rows, row); }

void PartialsTable::MergeCell(const PartialsTable& other, uint32_t cell) {
  const uint32_t into = FindOrAdd(other.group(cell), other.window(cell));
  cells_[into].event_count += other.cells_[cell].event_count;
  for (size_t i = 0; i < float64_count_; ++i) {
    float64_[into * float64_count_ + i].Merge(other.float64_[cell * float64_count_ + i]);
  }
  for (size_t i = 0; i < int64_count_; ++i) {
    int64_[into * int64_count_ + i].Merge(other.int64_[cell * int64_count_ + i]);
  }
}

bool PartialsTable::SameCell(uint32_t cell, const PartialsTable& other, uint32_t other_cell) const {
  const auto same = [&](const auto& mine, const auto& others, size_t count) {
    const auto begin = mine.begin() + static_cast<ptrdiff_t>(cell * count);
    return std::equal(begin, begin + static_cast<ptrdiff_t>(count),
                      others.begin() + static_cast<ptrdiff_t>(other_cell * count));
  };
  return cells_[cell].event_count == other.cells_[other_cell].event_count &&
         same(float64_, other.float64_, float64_count_) && same(int64_, other.int64_, int64_count_);
}

bool PartialsTable::InDense(uint32_t group, int64_t window) const {
  return window >= dense_first_ && window - dense_first_ < static_cast<int64_t>(dense_windows_) &&
         group < dense_.size() / dense_windows_;
}

uint32_t PartialsTable::Find(uint32_t group, int64_t window) const {
  if (is_sparse_) {
    const auto found = sparse_.find(Key(group, window));
    return found == sparse_.end() ? kNone : found->second;
  }
  return InDense(group, window) ? dense_[group * dense_windows_ + (window - dense_first_)] : kNone;
}

uint32_t& PartialsTable::Slot(uint32_t group, int64_t window) {
  if (!is_sparse_ && !InDense(group, window)) RebuildIndex(group, window);
  if (is_sparse_) return sparse_.try_emplace(Key(group, window), kNone).first->second;
  return dense_[group * dense_windows_ + (window - dense_first_)];
}

// Makes room in the dense index for one more cell, or gives the dense index up.
void PartialsTable::RebuildIndex(uint32_t group, int64_t window) {
  int64_t first = window;
  int64_t last = window;
  for (const Cell& cell : cells_) {
    if (cell.group == kNone) continue;
    first = std::min(first, cell.window);
    last = std::max(last, cell.window);
  }
  const bool fits = window >= dense_first_ && window - dense_first_ < static_cast<int64_t>(dense_windows_);
  const auto span = static_cast<size_t>(last - first + 1);
  const size_t windows = fits ? dense_windows_ : std::max(dense_windows_, 2 * span);
  size_t groups = std::max<size_t>(dense_.size() / dense_windows_, 16);
  if (group >= groups) groups = std::max<size_t>(group + size_t{1}, groups * 3 / 2);
  if (windows > kDenseFree || groups * windows > kDenseFree + kDensePerCell * size()) {
    is_sparse_ = true;
    dense_ = {};
    for (uint32_t cell = 0; cell < cells_.size(); ++cell) {
      if (in_use(cell)) sparse_.emplace(Key(cells_[cell].group, cells_[cell].window), cell);
    }
    return;
  }
  if (fits) {
    dense_.resize(groups * windows, kNone);
    return;
  }
  dense_first_ = first;
  dense_windows_ = windows;
  dense_.assign(groups * windows, kNone);
  for (uint32_t cell = 0; cell < cells_.size(); ++cell) {
    if (in_use(cell)) dense_[cells_[cell].group * windows + (cells_[cell].window - first)] = cell;
  }
}

uint32_t PartialsTable::FindOrAdd(uint32_t group, int64_t window) {
  uint32_t& slot = Slot(group, window);
  if (slot == kNone) slot = AddCell(group, window);
  return slot;
}

uint32_t PartialsTable::AddCell(uint32_t group, int64_t window) {
  uint32_t cell;
  if (!free_.empty()) {
    cell = free_.back();
    free_.pop_back();
  } else {
    cell = static_cast<uint32_t>(cells_.size());
    cells_.emplace_back();
    float64_.resize(float64_.size() + float64_count_);
    int64_.resize(int64_.size() + int64_count_);
  }
  cells_[cell] = {.window = window, .event_count = 0, .group = group};
  std::fill_n(float64_.begin() + static_cast<ptrdiff_t>(cell * float64_count_), float64_count_, MeasureState<double>());
  std::fill_n(int64_.begin() + static_cast<ptrdiff_t>(cell * int64_count_), int64_count_, MeasureState<int64_t>());
  return cell;
}

void PartialsTable::FreeCell(uint32_t cell) {
  const Cell& gone = cells_[cell];
  if (is_sparse_) {
    sparse_.erase(Key(gone.group, gone.window));
  } else {
    dense_[gone.group * dense_windows_ + (gone.window - dense_first_)] = kNone;
  }
  cells_[cell].group = kNone;
  free_.push_back(cell);
}

void PartialsTable::ForgetBefore(int64_t window) {
  for (uint32_t cell = 0; cell < cells_.size(); ++cell) {
    if (in_use(cell) && cells_[cell].window < window) FreeCell(cell);
  }
}

void PartialsTable::Clear() {
  cells_.clear();
  float64_.clear();
  int64_.clear();
  free_.clear();
  sparse_.clear();
  std::fill(dense_.begin(), dense_.end(), kNone);
}

size_t PartialsTable::bytes() const {
  return cells_.capacity() * sizeof(Cell) + float64_.capacity() * sizeof(MeasureState<double>) +
         int64_.capacity() * sizeof(MeasureState<int64_t>) + free_.capacity() * sizeof(uint32_t) +
         dense_.capacity() * sizeof(uint32_t) + sparse_.capacity() * (sizeof(std::pair<Key, uint32_t>) + 1);
}

}  // namespace rivermeet::partials
