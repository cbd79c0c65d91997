#include <algorithm>

#include "base/status.h"
#include "windows/partition_state.h"

namespace rivermeet::windows {
namespace {

// Cells to look up before their memory is needed: enough to hide a cache miss, few enough to stay in L1.
constexpr uint32_t kBlock = 128;

template <typename Kind, bool kNulls, typename Values, typename Targets>
void AddColumn(const Values* values, const uint8_t* nulls, const Targets& targets, size_t count, uint32_t measure) {
  for (size_t i = 0; i < count; ++i) {
    const auto& target = targets[i];
    if constexpr (kNulls) {
      if ((nulls[target.event / 8] >> (target.event % 8) & 1) != 0) continue;
    }
    AddValue<Kind>(Page::MeasuresOf(*target.cell)[measure], values[target.event], target.time_us, target.order);
  }
}

}  // namespace

size_t StreamState::bytes() const {
  size_t bytes = sizeof *this + series_.bytes() + pane_bytes();
  if (carry_ != nullptr) {
    for (const auto& measure : carry_->measures) bytes += measure.size() * sizeof(CarriedValue);
  }
  return bytes;
}

size_t StreamState::pane_bytes(int64_t until_us) const {
  size_t bytes = 0;
  for (auto pane = panes_.begin(); pane != panes_.end() && pane->first < until_us; ++pane)
    bytes += pane->second->bytes();
  return bytes;
}

StreamView StreamState::View(int64_t from_us, int64_t to_us) const {
  StreamView view;
  view.tenant = tenant_;
  view.stream = name_;
  view.stream_id = stream_id_;
  view.series = series_.view();
  view.measures = measures_;
  for (auto pane = panes_.lower_bound(from_us); pane != panes_.end() && pane->first < to_us; ++pane) {
    view.panes.emplace_back(pane->second);
  }
  view.carry = carry_;
  view.ledger = ledger_;
  view.watermark_us = watermark_us_;
  view.closed_until_us = closed_until_us_;
  view.stored_until_us = stored_until_us_;
  view.generation = generation_;
  view.stored_generation = stored_generation_;
  return view;
}

int64_t StreamState::StorableUntil(int64_t hot_age_us) const {
  if (panes_.empty() || closed_until_us_ == kNoTime) return kNoTime;
  const int64_t aged = closed_until_us_ - hot_age_us;
  const int64_t rest = aged % kLongestRollupUs;
  const int64_t until = aged - (rest < 0 ? rest + kLongestRollupUs : rest);
  return until > panes_.begin()->first ? until : kNoTime;
}

void StreamState::DropStored(int64_t until_us, std::shared_ptr<const Carry> carry) {
  RM_CHECK(until_us <= closed_until_us_);
  const auto end = panes_.lower_bound(until_us);
  for (auto pane = panes_.begin(); pane != end; ++pane) {
    if (IsNewer(pane->second->generation(), stored_generation_)) stored_generation_ = pane->second->generation();
  }
  panes_.erase(panes_.begin(), end);
  stored_until_us_ = std::max(stored_until_us_, until_us);
  carry_ = std::move(carry);
}

uint32_t StreamState::MeasureNumber(std::string_view name, bool is_int64) {
  for (uint32_t m = 0; m < measures_.size(); ++m) {
    if (measures_[m].name == name && measures_[m].is_int64 == is_int64) return m;
  }
  measures_.push_back({std::string(name), is_int64});
  return static_cast<uint32_t>(measures_.size() - 1);
}

Pane* StreamState::WritablePane(int64_t start_us) {
  Ref<Pane>& pane = panes_[start_us];
  if (!pane) {
    pane = Ref<Pane>(new Pane(start_us));
  } else if (!pane->unique()) {
    pane = pane->Clone();
  }
  pane->Prepare(series_.count(), static_cast<uint32_t>(measures_.size()), generation_);
  return pane.get();
}

StreamState::Folded StreamState::FoldEvents(const events::v1::EventBatch& batch, int64_t append_time_us,
                                            const FoldOptions& options) {
  const uint32_t events = static_cast<uint32_t>(batch.series_index_size());
  series_.Resolve(batch.series(), options.max_series, row_series_);
  batch_measures_.clear();
  for (const auto& measure : batch.measures()) {
    batch_measures_.push_back(MeasureNumber(measure.name(), measure.int64_values_size() > 0));
  }
  ++generation_;

  // A batch has few distinct seconds: a small direct-mapped table spares the tree.
  struct Recent {
    int64_t start_us = kNoTime;
    Pane* pane = nullptr;
  };
  std::array<Recent, 16> recent{};
  const uint32_t* const rows = batch.series_index().data();
  const int64_t* const offsets = batch.time_offset_us().data();
  const int64_t base = batch.base_time_us();
  const int64_t open_from = closed_until_us_;
  int64_t largest = kNoTime;
  Folded folded;
  targets_.resize(kBlock);
  for (uint32_t begin = 0; begin < events; begin += kBlock) {
    const uint32_t end = std::min(events, begin + kBlock);
    uint32_t found = 0;
    for (uint32_t event = begin; event < end; ++event) {
      const int64_t time_us = Plus(base, offsets[event]);
      largest = std::max(largest, time_us);
      const int64_t start_us = PaneStart(time_us);
      if (start_us < open_from) continue;
      const uint32_t series = row_series_[rows[event]];
      if (series == kNoSeries) {
        ++folded.over_series_limit;
        continue;
      }
      Recent& entry = recent[static_cast<uint64_t>(start_us / kPaneUs) % recent.size()];
      if (entry.start_us != start_us) entry = {start_us, WritablePane(start_us)};
      CellHeader& cell = entry.pane->Writable(series);
      for (size_t line = 0; line < sizeof(CellHeader) + batch_measures_.size() * sizeof(MeasureCell); line += 64) {
        __builtin_prefetch(reinterpret_cast<const char*>(&cell) + line, 1);
      }
      targets_[found++] = {&cell, event, static_cast<uint32_t>(time_us - start_us), entry.pane->NextOrder()};
    }
    UpdateCells(batch, 0, found);
    folded.accepted += found;
  }

  const int64_t reached = std::min(largest, append_time_us) - options.watermark_delay_us;
  watermark_us_ = std::max(watermark_us_, reached);
  closed_until_us_ = std::max(closed_until_us_, PaneStart(watermark_us_ - lateness_us_));
  return folded;
}

void StreamState::UpdateCells(const events::v1::EventBatch& batch, uint32_t begin, uint32_t end) {
  const Target* const targets = targets_.data() + begin;
  const size_t count = end - begin;
  for (size_t i = 0; i < count; ++i) {
    ++targets[i].cell->events;
    targets[i].cell->generation = generation_;
  }
  for (int m = 0; m < batch.measures_size(); ++m) {
    const auto& column = batch.measures(m);
    const uint32_t measure = batch_measures_[m];
    const uint8_t* const nulls = reinterpret_cast<const uint8_t*>(column.nulls().data());
    const bool has_nulls = !column.nulls().empty();
    if (column.int64_values_size() > 0) {
      const auto* const values = column.int64_values().data();
      has_nulls ? AddColumn<Int64Kind, true>(values, nulls, targets, count, measure)
                : AddColumn<Int64Kind, false>(values, nulls, targets, count, measure);
    } else {
      const auto* const values = column.float64_values().data();
      has_nulls ? AddColumn<Float64Kind, true>(values, nulls, targets, count, measure)
                : AddColumn<Float64Kind, false>(values, nulls, targets, count, measure);
    }
  }
}

}  // namespace rivermeet::windows
