// Reading panes: windows of any multiple of a second, grouped and filtered by dimensions.
//
// Everything here works on a StreamView, on any thread, without locks.
//
// A counter's increase belongs to the window that holds the later of two neighbouring values: a window's increase is
// that from the series' value before it (at most kCounterLookbackUs old, else it counts from its own first value) to
// its last. So increases of consecutive windows add up, whatever the step.
#ifndef RIVERMEET_WINDOWS_ROLLUP_H_
#define RIVERMEET_WINDOWS_ROLLUP_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "windows/partition_state.h"

namespace rivermeet::windows {

inline constexpr int64_t kCounterLookbackUs = 300'000'000;

struct DimensionFilter {
  std::string dimension;
  bool exclude = false;             // keep what is none of the values
  std::vector<std::string> values;  // the empty text stands for "has no value"
};

struct RollupQuery {
  // Windows start at start_us + k * step_us.
  int64_t start_us = 0;
  int64_t end_us = std::numeric_limits<int64_t>::max();
  int64_t step_us = kPaneUs;
  std::vector<std::string> measures;
  std::vector<std::string> group_by;
  std::vector<DimensionFilter> filters;

  int64_t WindowOf(int64_t pane_start_us) const { return pane_start_us - (pane_start_us - start_us) % step_us; }
};

// One measure of one window and group.
struct MeasureTotal {
  Number min{};
  Number max{};
  Number first{};
  Number last{};
  double float64_sum = 0;
  __int128 int64_sum = 0;
  uint64_t count = 0;
  int64_t first_us = 0;
  int64_t last_us = 0;
  uint32_t first_order = 0;
  uint32_t last_order = 0;
  double increase = 0;
};

// Takes in a cell of the pane that starts at `pane_start_us`; `increase` is the cell's.
template <typename Kind>
void AddCell(MeasureTotal& total, const MeasureCell& cell, int64_t pane_start_us, double increase);

// Which group each series is in. Groups are numbered from 0 as their first series came.
class Grouping {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit Grouping(const RollupQuery& query) : group_by_(query.group_by), filters_(query.filters) {}

  // Takes in the series that are new since the last call; `series` is a later view of the same table.
  void Extend(const SeriesView& series);
  // kNone when a filter leaves the series out.
  uint32_t GroupOf(uint32_t series) const { return groups_[series]; }
  uint32_t group_count() const { return static_cast<uint32_t>(texts_.size()); }
  // Per group_by dimension; empty where there is no value.
  const std::vector<std::string>& TextsOf(uint32_t group) const { return texts_[group]; }

 private:
  bool Keeps(const SeriesView& series, uint32_t number) const;

  std::vector<std::string> group_by_;
  std::vector<DimensionFilter> filters_;
  std::vector<uint32_t> groups_;
  std::map<std::vector<std::string>, uint32_t> numbers_;
  std::vector<std::vector<std::string>> texts_;
};

// One window and group; borrowed for the call.
struct RollupRow {
  int64_t window_start_us;
  uint32_t group;
  uint64_t events;
  const MeasureTotal* measures;  // in the order asked for
};
using RowSink = absl::FunctionRef<void(const RollupRow&)>;

// What a measure of the query is in a stream; `number` is -1 when the stream doesn't have it.
struct ResolvedMeasure {
  int number = -1;
  bool is_int64 = false;
};
std::vector<ResolvedMeasure> ResolveMeasures(const std::vector<Measure>& known, const std::vector<std::string>& asked);

// Gives every window and group in the query's range that has events in the view's panes, windows ascending. `view`
// should reach back kCounterLookbackUs before the query's start. `grouping` must be extended to the view. Ends before
// the next window once `stop` says so.
void Rollup(
    const StreamView& view, const RollupQuery& query, const Grouping& grouping, RowSink sink,
    absl::FunctionRef<bool()> stop = [] { return false; });

// Each series' windows of `step_us` before `until_us`, one window after the other: what goes into a segment.
// Windows start at multiples of the step.
class SeriesRollup {
 public:
  // `view` outlives this.
  SeriesRollup(const StreamView& view, int64_t step_us, int64_t until_us);
  ~SeriesRollup();

  // Gives the rows of the next window, each with its series as group. False when there is none.
  bool Next(RowSink sink);
  // After the last: each series' last value, to be carried on.
  std::shared_ptr<const Carry> TakeCarry();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Follows one query over successive views of a stream: each call gives the rows that changed since the call before.
// For one thread.
class RollupWatch {
 public:
  explicit RollupWatch(RollupQuery query) : query_(std::move(query)), grouping_(query_) {}

  // The first call, and each after Reset(), gives every row.
  void Update(const StreamView& view, RowSink sink);
  void Reset() { started_ = false; }
  // Of the stream, at the last Update().
  uint32_t generation() const { return generation_; }
  bool started() const { return started_; }

  const RollupQuery& query() const { return query_; }
  const Grouping& grouping() const { return grouping_; }
  // How far back a view for Update() must reach.
  int64_t ViewFrom() const { return query_.start_us - kCounterLookbackUs; }

 private:
  const RollupQuery query_;
  Grouping grouping_;
  bool started_ = false;
  uint32_t generation_ = 0;
};

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_ROLLUP_H_
