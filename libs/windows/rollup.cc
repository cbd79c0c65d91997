#include "windows/rollup.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/status.h"

namespace rivermeet::windows {

template <typename Kind>
void AddCell(MeasureTotal& total, const MeasureCell& cell, int64_t pane_start_us, double increase) {
  const int64_t first_us = pane_start_us + cell.first_us;
  const int64_t last_us = pane_start_us + cell.last_us;
  if (std::is_same_v<Kind, Int64Kind>) {
    total.int64_sum += cell.Int64Sum();
  } else {
    total.float64_sum += cell.sum.f64;
  }
  total.increase += increase;
  const bool empty = total.count == 0;
  total.count += cell.count;
  const auto min = Kind::Of(cell.min);
  const auto max = Kind::Of(cell.max);
  if (empty || min < Kind::Of(total.min) || Kind::Of(total.min) != Kind::Of(total.min)) total.min = cell.min;
  if (empty || max > Kind::Of(total.max) || Kind::Of(total.max) != Kind::Of(total.max)) total.max = cell.max;
  if (empty || std::tie(first_us, cell.first_order) < std::tie(total.first_us, total.first_order)) {
    total.first = cell.first;
    total.first_us = first_us;
    total.first_order = cell.first_order;
  }
  if (empty || std::tie(last_us, cell.last_order) > std::tie(total.last_us, total.last_order)) {
    total.last = cell.last;
    total.last_us = last_us;
    total.last_order = cell.last_order;
  }
}
template void AddCell<Float64Kind>(MeasureTotal&, const MeasureCell&, int64_t, double);
template void AddCell<Int64Kind>(MeasureTotal&, const MeasureCell&, int64_t, double);

bool Grouping::Keeps(const SeriesView& series, uint32_t number) const {
  for (const DimensionFilter& filter : filters_) {
    const DimensionView* const dimension = series.Find(filter.dimension);
    const std::string_view text = dimension == nullptr ? "" : dimension->TextOf(dimension->ValueOf(number));
    const bool listed = std::find(filter.values.begin(), filter.values.end(), text) != filter.values.end();
    if (listed == filter.exclude) return false;
  }
  return true;
}

void Grouping::Extend(const SeriesView& series) {
  std::vector<const DimensionView*> dimensions;
  for (const std::string& name : group_by_) dimensions.push_back(series.Find(name));
  std::vector<std::string> texts(group_by_.size());
  for (uint32_t number = static_cast<uint32_t>(groups_.size()); number < series.count; ++number) {
    if (!Keeps(series, number)) {
      groups_.push_back(kNone);
      continue;
    }
    for (size_t d = 0; d < dimensions.size(); ++d) {
      texts[d] = dimensions[d] == nullptr ? "" : dimensions[d]->TextOf(dimensions[d]->ValueOf(number));
    }
    const auto [found, made] = numbers_.try_emplace(texts, group_count());
    if (made) texts_.push_back(texts);
    groups_.push_back(found->second);
  }
}

std::vector<ResolvedMeasure> ResolveMeasures(const std::vector<Measure>& known, const std::vector<std::string>& asked) {
  std::vector<ResolvedMeasure> resolved(asked.size());
  for (size_t a = 0; a < asked.size(); ++a) {
    for (size_t k = 0; k < known.size(); ++k) {
      if (known[k].name == asked[a]) resolved[a] = {static_cast<int>(k), known[k].is_int64};
    }
  }
  return resolved;
}

namespace {

// Stands for a value that nobody has looked for yet.
constexpr int64_t kNotLookedFor = kNoTime + 1;

// Goes over panes in ascending order and remembers each series' last value, so that increases run on. The value before
// the first pane is looked for when it is needed: most series have one in the pane just before.
class Scan {
 public:
  // Begins with the first pane at or after `from_us`.
  Scan(const StreamView& view, std::vector<ResolvedMeasure> measures, int64_t from_us)
      : view_(view), measures_(std::move(measures)), previous_(measures_.size()) {
    for (auto& previous : previous_) previous.resize(view.series.count, {{}, kNotLookedFor});
    const auto first = std::partition_point(view.panes.begin(), view.panes.end(),
                                            [&](const auto& pane) { return pane->start_us() < from_us; });
    before_ = static_cast<size_t>(first - view.panes.begin());
  }

  size_t measure_count() const { return measures_.size(); }

  // Each series' last value, those that left memory earlier among them.
  std::vector<std::vector<CarriedValue>> TakeLastValues() {
    for (size_t m = 0; m < measures_.size(); ++m) {
      for (uint32_t series = 0; series < previous_[m].size(); ++series) {
        if (previous_[m][series].time_us == kNotLookedFor) previous_[m][series] = Carried(m, series);
      }
    }
    return std::move(previous_);
  }

  // Calls `visit(series, cell)` for every cell with events.
  template <typename Visit>
  static void ForEachCell(const Pane& pane, Visit visit) {
    for (uint32_t p = 0; p < pane.page_count(); ++p) {
      const Page* const page = pane.page(p);
      if (page == nullptr) continue;
      for (uint32_t slot = 0; slot < kPageCells; ++slot) {
        const CellHeader& cell = page->cell(slot);
        if (cell.events > 0) visit(p * kPageCells + slot, cell, page->measures());
      }
    }
  }

  // Adds the cell's measures to `totals`, one for each measure, and remembers its last values.
  void Add(uint32_t series, const CellHeader& cell, uint32_t width, int64_t start_us, MeasureTotal* totals) {
    for (size_t m = 0; m < measures_.size(); ++m) {
      const MeasureCell* const measure = MeasureOf(m, cell, width);
      if (measure == nullptr) continue;
      if (measures_[m].is_int64) {
        AddTotal<Int64Kind>(m, series, *measure, start_us, totals[m]);
      } else {
        AddTotal<Float64Kind>(m, series, *measure, start_us, totals[m]);
      }
      Remember(m, series, cell, width, start_us);
    }
  }

 private:
  const MeasureCell* MeasureOf(size_t m, const CellHeader& cell, uint32_t width) const {
    const int number = measures_[m].number;
    if (number < 0 || static_cast<uint32_t>(number) >= width) return nullptr;
    const MeasureCell* const measure = &Page::MeasuresOf(cell)[number];
    return measure->count == 0 ? nullptr : measure;
  }

  template <typename Kind>
  void AddTotal(size_t m, uint32_t series, const MeasureCell& cell, int64_t start_us, MeasureTotal& total) {
    double increase = IncreaseWithin<Kind>(cell);
    CarriedValue& before = previous_[m][series];
    if (before.time_us == kNotLookedFor) before = LookBack(m, series, start_us + cell.first_us - kCounterLookbackUs);
    if (before.time_us != kNoTime && before.time_us >= start_us + cell.first_us - kCounterLookbackUs) {
      increase += IncreaseBetween(Kind::Of(before.value), Kind::Of(cell.first));
    }
    AddCell<Kind>(total, cell, start_us, increase);
  }

  void Remember(size_t m, uint32_t series, const CellHeader& cell, uint32_t width, int64_t start_us) {
    const MeasureCell* const measure = MeasureOf(m, cell, width);
    if (measure != nullptr) previous_[m][series] = {measure->last, start_us + measure->last_us};
  }

  CarriedValue Carried(size_t m, uint32_t series) const {
    const size_t number = static_cast<size_t>(std::max(measures_[m].number, 0));
    if (measures_[m].number < 0 || view_.carry == nullptr || number >= view_.carry->measures.size()) return {};
    const auto& carried = view_.carry->measures[number];
    return series < carried.size() ? carried[series] : CarriedValue();
  }

  CarriedValue LookBack(size_t m, uint32_t series, int64_t not_before_us) const {
    for (size_t p = before_; p > 0; --p) {
      const Pane& pane = *view_.panes[p - 1];
      if (pane.start_us() + kPaneUs <= not_before_us) return {};
      const Page* const page = series / kPageCells < pane.page_count() ? pane.page(series / kPageCells) : nullptr;
      if (page == nullptr) continue;
      const MeasureCell* const cell = MeasureOf(m, page->cell(series % kPageCells), page->measures());
      if (cell != nullptr) return {cell->last, pane.start_us() + cell->last_us};
    }
    return Carried(m, series);
  }

  const StreamView& view_;
  const std::vector<ResolvedMeasure> measures_;
  std::vector<std::vector<CarriedValue>> previous_;
  size_t before_ = 0;  // panes before the first
};

// The groups of one window, filled pane by pane and then given away.
class WindowRows {
 public:
  WindowRows(uint32_t groups, size_t measures)
      : measures_(measures), events_(groups), changed_(groups), totals_(groups * measures) {}

  MeasureTotal* Touch(uint32_t group, uint64_t events, bool changed) {
    if (events_[group] == 0) touched_.push_back(group);
    events_[group] += events;
    if (changed) changed_[group] = true;
    return totals_.data() + group * measures_;
  }

  // Gives the groups, or only the changed ones, in ascending order and starts over.
  void Flush(int64_t window_start_us, bool changed_only, RowSink sink) {
    std::sort(touched_.begin(), touched_.end());
    for (const uint32_t group : touched_) {
      MeasureTotal* const totals = totals_.data() + group * measures_;
      if (changed_[group] || !changed_only) sink({window_start_us, group, events_[group], totals});
      std::fill_n(totals, measures_, MeasureTotal());
      events_[group] = 0;
      changed_[group] = false;
    }
    touched_.clear();
  }

 private:
  const size_t measures_;
  std::vector<uint64_t> events_;
  std::vector<char> changed_;
  std::vector<MeasureTotal> totals_;
  std::vector<uint32_t> touched_;
};

bool InRange(const RollupQuery& query, const Pane& pane) {
  return pane.start_us() >= query.start_us && pane.start_us() < query.end_us;
}

}  // namespace

void Rollup(const StreamView& view, const RollupQuery& query, const Grouping& grouping, RowSink sink,
            absl::FunctionRef<bool()> stop) {
  Scan scan(view, ResolveMeasures(view.measures, query.measures), query.start_us);
  WindowRows rows(grouping.group_count(), scan.measure_count());
  int64_t window = kNoTime;
  for (const auto& pane : view.panes) {
    if (!InRange(query, *pane)) continue;
    if (const int64_t next = query.WindowOf(pane->start_us()); next != window) {
      rows.Flush(window, false, sink);
      if (stop()) return;
      window = next;
    }
    Scan::ForEachCell(*pane, [&](uint32_t series, const CellHeader& cell, uint32_t width) {
      const uint32_t group = grouping.GroupOf(series);
      if (group == Grouping::kNone) return;
      scan.Add(series, cell, width, pane->start_us(), rows.Touch(group, cell.events, false));
    });
  }
  rows.Flush(window, false, sink);
}

struct SeriesRollup::State {
  const StreamView& view;
  RollupQuery query;
  int64_t until_us;
  Scan scan;
  WindowRows rows;
  size_t next = 0;  // pane
};

SeriesRollup::SeriesRollup(const StreamView& view, int64_t step_us, int64_t until_us) {
  std::vector<ResolvedMeasure> measures;
  for (size_t m = 0; m < view.measures.size(); ++m) {
    measures.push_back({static_cast<int>(m), view.measures[m].is_int64});
  }
  RollupQuery query;
  query.step_us = step_us;
  // Early enough for any pane, and a multiple of every step.
  query.start_us = INT64_MIN / 4 / kLongestRollupUs * kLongestRollupUs;
  state_.reset(new State{view, query, until_us, Scan(view, std::move(measures), kNoTime),
                         WindowRows(view.series.count, view.measures.size())});
}

SeriesRollup::~SeriesRollup() = default;

bool SeriesRollup::Next(RowSink sink) {
  State& s = *state_;
  int64_t window = kNoTime;
  for (; s.next < s.view.panes.size(); ++s.next) {
    const Pane& pane = *s.view.panes[s.next];
    const int64_t pane_window = s.query.WindowOf(pane.start_us());
    if (pane.start_us() >= s.until_us || (window != kNoTime && pane_window != window)) break;
    window = pane_window;
    Scan::ForEachCell(pane, [&](uint32_t series, const CellHeader& cell, uint32_t width) {
      s.scan.Add(series, cell, width, pane.start_us(), s.rows.Touch(series, cell.events, false));
    });
  }
  s.rows.Flush(window, false, sink);
  return window != kNoTime;
}

std::shared_ptr<const Carry> SeriesRollup::TakeCarry() {
  auto carry = std::make_shared<Carry>();
  carry->measures = state_->scan.TakeLastValues();
  return carry;
}

void RollupWatch::Update(const StreamView& view, RowSink sink) {
  grouping_.Extend(view.series);
  const uint32_t seen = generation_;
  const bool everything = !started_;
  generation_ = view.generation;
  started_ = true;

  const auto dirty = [&](const Pane& pane) {
    return InRange(query_, pane) && (everything || IsNewer(pane.generation(), seen));
  };
  const auto first = std::find_if(view.panes.begin(), view.panes.end(), [&](const auto& pane) { return dirty(*pane); });
  if (first == view.panes.end()) return;
  const int64_t from = query_.WindowOf((*first)->start_us());

  Scan scan(view, ResolveMeasures(view.measures, query_.measures), from);
  WindowRows rows(grouping_.group_count(), scan.measure_count());
  // A late event changes the increase of the series' next window too.
  std::vector<char> changes_next(view.series.count);
  int64_t window = from;
  for (const auto& pane : view.panes) {
    if (!InRange(query_, *pane) || pane->start_us() < from) continue;
    if (const int64_t next = query_.WindowOf(pane->start_us()); next != window) {
      rows.Flush(window, true, sink);
      window = next;
    }
    Scan::ForEachCell(*pane, [&](uint32_t series, const CellHeader& cell, uint32_t width) {
      const uint32_t group = grouping_.GroupOf(series);
      if (group == Grouping::kNone) return;
      const bool own = everything || IsNewer(cell.generation, seen);
      const bool changed = own || changes_next[series] != 0;
      changes_next[series] = own;
      scan.Add(series, cell, width, pane->start_us(), rows.Touch(group, cell.events, changed));
    });
  }
  rows.Flush(window, true, sink);
}

}  // namespace rivermeet::windows
