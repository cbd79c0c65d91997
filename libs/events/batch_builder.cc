#include "events/batch_builder.h"

#include <cmath>
#include <utility>

#include "events/batch_encoder.h"

#define XXH_INLINE_ALL
#include "xxhash.h"

namespace rivermeet::events {
namespace {

constexpr size_t kFirstSlots = 64;

uint64_t Mix(uint64_t column, uint32_t value) {
  uint64_t h = (column + 1) * 0x9E3779B97F4A7C15 + value;
  h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93;
  return h ^ (h >> 29);
}

// Puts 1 + position of every hash into `slots`, twice as many as before.
void Rehash(std::vector<uint32_t>& slots, const std::vector<uint64_t>& hashes) {
  slots.assign(slots.empty() ? kFirstSlots : slots.size() * 2, 0);
  const size_t mask = slots.size() - 1;
  for (uint32_t i = 0; i < hashes.size(); ++i) {
    size_t at = hashes[i] & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = i + 1;
  }
}

}  // namespace

BatchBuilder::BatchBuilder(std::string stream, uint32_t schema_version)
    : stream_(std::move(stream)), schema_version_(schema_version) {}

int BatchBuilder::DimensionColumn(std::string_view name) {
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].name == name) return static_cast<int>(d);
  }
  Dimension& made = dimensions_.emplace_back();
  made.name = name;
  // The series that were there before it lack it.
  made.value_index.assign(series_hashes_.size(), 0);
  return static_cast<int>(dimensions_.size()) - 1;
}

int BatchBuilder::MeasureColumn(std::string_view name, MeasureType type) {
  for (size_t m = 0; m < measures_.size(); ++m) {
    if (measures_[m].name == name) return static_cast<int>(m);
  }
  Measure& made = measures_.emplace_back();
  made.name = name;
  made.type = type;
  return static_cast<int>(measures_.size()) - 1;
}

bool BatchBuilder::MakeInt64(int measure) {
  Measure& column = measures_[measure];
  if (column.type == MeasureType::kInt64) return true;
  for (const double value : column.float64) {
    if (!(std::abs(value) <= 9007199254740992.0) || value != std::trunc(value)) return false;
  }
  column.type = MeasureType::kInt64;
  for (const double value : column.float64) column.int64.push_back(static_cast<int64_t>(value));
  column.float64.clear();
  return true;
}

void BatchBuilder::Begin(int64_t time_us) {
  time_us_ = time_us;
  id_ = {};
  attributes_json_ = {};
  pending_dimensions_.clear();
  pending_float64_.clear();
  pending_int64_.clear();
}

uint32_t BatchBuilder::Intern(Dimension& dimension, std::string_view value) {
  const uint64_t hash = XXH3_64bits(value.data(), value.size());
  if (dimension.slots.size() < (dimension.values.size() + 1) * 2) Rehash(dimension.slots, dimension.hashes);
  const size_t mask = dimension.slots.size() - 1;
  size_t at = hash & mask;
  while (dimension.slots[at] != 0) {
    const uint32_t i = dimension.slots[at] - 1;
    if (dimension.hashes[i] == hash && dimension.values[i] == value) return i + 1;
    at = (at + 1) & mask;
  }
  dimension.values.push_back(texts_.Copy(value));
  dimension.hashes.push_back(hash);
  return dimension.slots[at] = static_cast<uint32_t>(dimension.values.size());
}

uint32_t BatchBuilder::InternSeries() {
  uint64_t hash = 0;
  // A sum, so that the order in which an event names its dimensions doesn't matter.
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    if (dimensions_[d].current != 0) hash += Mix(d, dimensions_[d].current);
  }
  if (series_slots_.size() < (series_hashes_.size() + 1) * 2) Rehash(series_slots_, series_hashes_);
  const size_t mask = series_slots_.size() - 1;
  size_t at = hash & mask;
  for (; series_slots_[at] != 0; at = (at + 1) & mask) {
    const uint32_t s = series_slots_[at] - 1;
    if (series_hashes_[s] != hash) continue;
    bool same = true;
    for (const Dimension& dimension : dimensions_) same &= dimension.value_index[s] == dimension.current;
    if (same) return s;
  }
  for (Dimension& dimension : dimensions_) dimension.value_index.push_back(dimension.current);
  series_hashes_.push_back(hash);
  series_slots_[at] = static_cast<uint32_t>(series_hashes_.size());
  return static_cast<uint32_t>(series_hashes_.size()) - 1;
}

// Fills a column with nulls up to `events` entries.
void BatchBuilder::Pad(Measure& measure, size_t events) {
  const size_t from = measure.size();
  if (from >= events) return;
  measure.nulls.resize((events + 7) / 8, 0);
  for (size_t i = from; i < events; ++i) measure.nulls[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
  if (measure.type == MeasureType::kFloat64) {
    measure.float64.resize(events, 0);
  } else {
    measure.int64.resize(events, 0);
  }
}

// Makes room for a value of `event`, the last one.
void BatchBuilder::Place(Measure& measure, size_t event) {
  Pad(measure, event);
  if (measure.size() > event) return;
  if (measure.type == MeasureType::kFloat64) {
    measure.float64.push_back(0);
  } else {
    measure.int64.push_back(0);
  }
}

void BatchBuilder::SetText(std::vector<std::string_view>& column, std::string_view text) {
  if (text.empty() && column.empty()) return;
  column.resize(times_.size());
  column.push_back(texts_.Copy(text));
}

void BatchBuilder::Commit() {
  for (const auto& [column, value] : pending_dimensions_) {
    dimensions_[column].current = Intern(dimensions_[column], value);
  }
  series_index_.push_back(InternSeries());
  for (const auto& [column, value] : pending_dimensions_) dimensions_[column].current = 0;

  const size_t event = times_.size();
  for (const auto& [column, value] : pending_float64_) {
    Place(measures_[column], event);
    measures_[column].float64[event] = value;
  }
  for (const auto& [column, value] : pending_int64_) {
    Place(measures_[column], event);
    measures_[column].int64[event] = value;
  }
  SetText(ids_, id_);
  SetText(attributes_, attributes_json_);
  times_.push_back(time_us_);
}

const BatchView& BatchBuilder::View() {
  dimension_views_.clear();
  measure_views_.clear();
  const size_t events = times_.size();
  for (const Dimension& dimension : dimensions_) {
    if (dimension.values.empty()) continue;
    dimension_views_.push_back({dimension.name, dimension.values, dimension.value_index});
  }
  for (Measure& measure : measures_) {
    if (measure.size() == 0) continue;
    Pad(measure, events);
    if (!measure.nulls.empty()) measure.nulls.resize((events + 7) / 8, 0);
    measure_views_.push_back({measure.name, measure.type, measure.float64, measure.int64, measure.nulls});
  }
  if (!ids_.empty()) ids_.resize(events);
  if (!attributes_.empty()) attributes_.resize(events);
  view_ = {stream_,
           schema_version_,
           static_cast<uint32_t>(series_hashes_.size()),
           dimension_views_,
           series_index_,
           times_,
           measure_views_,
           ids_,
           attributes_};
  return view_;
}

std::string BatchBuilder::Encode() { return EncodeBatch(View()); }

void BatchBuilder::Clear() {
  for (Dimension& dimension : dimensions_) {
    dimension.values.clear();
    dimension.hashes.clear();
    std::fill(dimension.slots.begin(), dimension.slots.end(), 0);
    dimension.value_index.clear();
  }
  for (Measure& measure : measures_) {
    measure.float64.clear();
    measure.int64.clear();
    measure.nulls.clear();
  }
  times_.clear();
  series_index_.clear();
  series_hashes_.clear();
  std::fill(series_slots_.begin(), series_slots_.end(), 0);
  ids_.clear();
  attributes_.clear();
  texts_.Reset();
}

std::string BatchBuilder::Take() {
  std::string bytes = Encode();
  Clear();
  return bytes;
}

}  // namespace rivermeet::events
