#include "windows/series_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>

#include "base/ids.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::windows {
namespace {

// Against senders who would choose values that collide. Numbers don't depend on it.
uint64_t HashSeed() {
  static const uint64_t seed = RandomId();
  return seed;
}

// Of a text that the table doesn't take any more.
constexpr uint32_t kNoValue = UINT32_MAX;

// SplitMix64's finaliser (Steele, Lea, Flood 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Of one dimension's value; a series' hash is their sum, so that a dimension it lacks adds nothing.
uint64_t HashOf(uint32_t dimension, uint32_t value) {
  return value == 0 ? 0 : Mix((uint64_t{dimension + 1} << 32) + value + HashSeed());
}

// Open addressing over numbers from 0 with the upper half of their hash; the caller compares what they stand for.
class HashIndex {
 public:
  struct Slot {
    uint32_t tag = 0;
    uint32_t number_plus_one = 0;
  };

  // The number for which `same` holds, or -1.
  template <typename Same>
  int64_t Find(uint64_t hash, Same same) const {
    const uint32_t tag = static_cast<uint32_t>(hash >> 32);
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot.number_plus_one == 0) return -1;
      if (slot.tag == tag && same(slot.number_plus_one - 1)) return slot.number_plus_one - 1;
    }
  }

  void Prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }

  // `hash_of` gives the hash of a number that is already in.
  template <typename HashOfNumber>
  void Insert(uint64_t hash, uint32_t number, HashOfNumber hash_of) {
    if ((size_ + 1) * 2 > slots_.size()) Grow(hash_of);
    Place(hash, number);
    ++size_;
  }

  size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  void Place(uint64_t hash, uint32_t number) {
    size_t at = hash & mask_;
    while (slots_[at].number_plus_one != 0) at = (at + 1) & mask_;
    slots_[at] = {static_cast<uint32_t>(hash >> 32), number + 1};
  }
  template <typename HashOfNumber>
  void Grow(HashOfNumber hash_of) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.number_plus_one != 0) Place(hash_of(slot.number_plus_one - 1), slot.number_plus_one - 1);
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(16);
  size_t mask_ = 15;
  size_t size_ = 0;
};

uint64_t HashOfText(std::string_view text) { return XXH3_64bits_withSeed(text.data(), text.size(), HashSeed()); }

}  // namespace

const DimensionView* SeriesView::Find(std::string_view dimension) const {
  for (const DimensionView& view : dimensions) {
    if (view.name == dimension) return &view;
  }
  return nullptr;
}

// From a dimension's values to their numbers.
class SeriesTable::ValueIndex {
 public:
  // Value numbers from 1; 0 when it is not there.
  uint32_t Find(const DimensionView& dimension, std::string_view text, uint64_t hash) const {
    return static_cast<uint32_t>(index_.Find(hash, [&](uint32_t at) { return dimension.values[at] == text; }) + 1);
  }
  void Prefetch(uint64_t hash) const { index_.Prefetch(hash); }
  uint32_t Add(DimensionView& dimension, std::string text) {
    const uint32_t at = static_cast<uint32_t>(dimension.values.size());
    index_.Insert(HashOfText(text), at, [&](uint32_t number) { return HashOfText(dimension.values[number]); });
    dimension.values.push_back(std::move(text));
    return at + 1;
  }
  size_t bytes() const { return index_.bytes(); }

 private:
  HashIndex index_;
};

// From combinations of values to series.
class SeriesTable::TupleIndex {
 public:
  HashIndex index;
};

SeriesTable::SeriesTable() : tuples_(std::make_unique<TupleIndex>()) {}
SeriesTable::~SeriesTable() = default;
SeriesTable::SeriesTable(SeriesTable&&) noexcept = default;
SeriesTable& SeriesTable::operator=(SeriesTable&&) noexcept = default;

size_t SeriesTable::bytes() const {
  size_t bytes = tuples_->index.bytes() + text_bytes_;
  for (size_t d = 0; d < view_.dimensions.size(); ++d) {
    const DimensionView& dimension = view_.dimensions[d];
    bytes += value_indexes_[d]->bytes() + dimension.values.size() * sizeof(std::string) +
             dimension.value_of_series.size() * sizeof(uint32_t);
  }
  return bytes;
}

uint32_t SeriesTable::DimensionNumber(std::string_view name) {
  for (uint32_t d = 0; d < view_.dimensions.size(); ++d) {
    if (view_.dimensions[d].name == name) return d;
  }
  AddDimension(name, view_.count);
  return static_cast<uint32_t>(view_.dimensions.size() - 1);
}

void SeriesTable::AddDimension(std::string_view name, uint32_t base) {
  DimensionView& dimension = view_.dimensions.emplace_back();
  dimension.name = name;
  dimension.base = base;
  value_indexes_.push_back(std::make_unique<ValueIndex>());
}

void SeriesTable::AddValue(uint32_t dimension, std::string value) {
  text_bytes_ += value.size();
  value_indexes_[dimension]->Add(view_.dimensions[dimension], std::move(value));
}

void SeriesTable::AddSeries(std::span<const uint32_t> values) {
  const auto hash_of = [this](uint32_t series) {
    uint64_t hash = 0;
    for (uint32_t d = 0; d < view_.dimensions.size(); ++d) hash += HashOf(d, view_.dimensions[d].ValueOf(series));
    return hash;
  };
  uint64_t hash = 0;
  size_t begun = 0;
  for (uint32_t d = 0; d < view_.dimensions.size(); ++d) {
    if (view_.dimensions[d].base > view_.count) continue;
    hash += HashOf(d, values[begun]);
    view_.dimensions[d].value_of_series.push_back(values[begun++]);
  }
  tuples_->index.Insert(hash, view_.count, hash_of);
  ++view_.count;
}

void SeriesTable::Resolve(const events::v1::SeriesTable& rows, uint32_t limit, std::vector<uint32_t>& series) {
  const uint32_t count = rows.count();
  series.resize(count);
  hashes_.assign(count, 0);
  for (const auto& column : rows.dimensions()) DimensionNumber(column.name());
  row_values_.resize(view_.dimensions.size());
  for (auto& values : row_values_) values.assign(count, 0);

  for (const auto& column : rows.dimensions()) {
    const uint32_t d = DimensionNumber(column.name());
    DimensionView& dimension = view_.dimensions[d];
    ValueIndex& index = *value_indexes_[d];
    translated_.assign(column.values_size() + 1, 0);
    text_hashes_.clear();
    for (const std::string& text : column.values()) {
      text_hashes_.push_back(HashOfText(text));
      index.Prefetch(text_hashes_.back());
    }
    for (int v = 0; v < column.values_size(); ++v) {
      const std::string& text = column.values(v);
      if (text.empty()) continue;
      uint32_t value = index.Find(dimension, text, text_hashes_[v]);
      if (value == 0 && (view_.count >= limit || dimension.values.size() >= limit)) {
        // No series has it, nor can one be made of it.
        value = kNoValue;
      } else if (value == 0) {
        text_bytes_ += text.size();
        value = index.Add(dimension, text);
      }
      translated_[v + 1] = value;
    }
    std::vector<uint32_t>& values = row_values_[d];
    const uint32_t* const indexes = column.value_index().data();
    for (uint32_t row = 0; row < count; ++row) {
      const uint32_t value = translated_[indexes[row]];
      values[row] = value;
      hashes_[row] += HashOf(d, value);
    }
  }

  std::vector<uint32_t> tuple(view_.dimensions.size());
  constexpr uint32_t kAhead = 8;
  for (uint32_t row = 0; row < count; ++row) {
    if (row + kAhead < count) tuples_->index.Prefetch(hashes_[row + kAhead]);
    const int64_t found = tuples_->index.Find(hashes_[row], [&](uint32_t candidate) {
      for (size_t d = 0; d < view_.dimensions.size(); ++d) {
        if (view_.dimensions[d].ValueOf(candidate) != row_values_[d][row]) return false;
      }
      return true;
    });
    if (found >= 0) {
      series[row] = static_cast<uint32_t>(found);
      continue;
    }
    for (size_t d = 0; d < tuple.size(); ++d) tuple[d] = row_values_[d][row];
    if (view_.count >= limit || std::find(tuple.begin(), tuple.end(), kNoValue) != tuple.end()) {
      series[row] = kNoSeries;
      continue;
    }
    series[row] = view_.count;
    AddSeries(tuple);
  }
}

absl::Status CheckSeriesRows(const events::v1::SeriesTable& rows) {
  for (const auto& column : rows.dimensions()) {
    if (static_cast<uint32_t>(column.value_index_size()) != rows.count()) {
      return absl::InvalidArgumentError(fmt::format("dimension {}: {} entries for {} series", column.name(),
                                                    column.value_index_size(), rows.count()));
    }
    const uint32_t values = static_cast<uint32_t>(column.values_size());
    uint32_t largest = 0;
    for (const uint32_t index : column.value_index()) largest = std::max(largest, index);
    if (largest > values) {
      return absl::InvalidArgumentError(fmt::format("dimension {}: value {} of {}", column.name(), largest, values));
    }
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::windows
