#include "partials/group_table.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::partials {

GroupTable::GroupTable(std::vector<std::string> dimensions)
    : dimensions_(std::move(dimensions)), groups_(0, GroupHash{this}, GroupEqual{this}), mapped_(dimensions_.size()) {
  for (size_t i = 0; i < dimensions_.size(); ++i) dictionaries_.push_back(std::make_unique<Dictionary>());
}

size_t GroupTable::GroupHash::operator()(uint32_t group) const { return (*this)(table->ValuesOf(group)); }

size_t GroupTable::GroupHash::operator()(std::span<const uint32_t> values) const {
  uint64_t hash = 0x9e3779b97f4a7c15u;
  for (const uint32_t value : values) {
    hash = (hash ^ value) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

bool GroupTable::GroupEqual::operator()(uint32_t a, std::span<const uint32_t> b) const {
  return std::ranges::equal(table->ValuesOf(a), b);
}

std::span<const uint32_t> GroupTable::ValuesOf(uint32_t group) const {
  return {group_values_.data() + group * dimensions_.size(), dimensions_.size()};
}

std::string_view GroupTable::value(uint32_t group, size_t dimension) const {
  const uint32_t index = value_index(group, dimension);
  return index == 0 ? std::string_view() : std::string_view(dictionaries_[dimension]->values[index - 1]);
}

bool GroupTable::Less(uint32_t a, uint32_t b) const {
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    const uint32_t left = value_index(a, d);
    const uint32_t right = value_index(b, d);
    if (left == right) continue;
    if (left == 0 || right == 0) return left == 0;
    return dictionaries_[d]->values[left - 1] < dictionaries_[d]->values[right - 1];
  }
  return false;
}

absl::Status GroupTable::MapDictionaries(const aggregation::v1::Partials& partials) {
  const int rows = partials.window_start_us_size();
  if (partials.group_by_size() != static_cast<int>(dimensions_.size())) {
    return absl::InternalError(ToAbsl(fmt::format("partials are grouped by {} dimensions, {} were asked for",
                                                  partials.group_by_size(), dimensions_.size())));
  }
  for (size_t d = 0; d < dimensions_.size(); ++d) {
    const auto& column = partials.group_by(static_cast<int>(d));
    if (column.name() != dimensions_[d] || column.value_index_size() != rows) {
      return absl::InternalError(ToAbsl(fmt::format("partials: dimension '{}' with {} rows where '{}' with {} was due",
                                                    column.name(), column.value_index_size(), dimensions_[d], rows)));
    }
    Dictionary& dictionary = *dictionaries_[d];
    std::vector<uint32_t>& mapped = mapped_[d];
    mapped.assign(1, 0);
    for (const std::string& value : column.values()) {
      auto found = dictionary.ids.find(std::string_view(value));
      if (found == dictionary.ids.end()) {
        dictionary.values.push_back(value);
        const auto id = static_cast<uint32_t>(dictionary.values.size());
        found = dictionary.ids.emplace(std::string_view(dictionary.values.back()), id).first;
        bytes_ += value.size() + 64;
      }
      mapped.push_back(found->second);
    }
    const auto& indices = column.value_index();
    if (rows > 0 && *std::max_element(indices.begin(), indices.end()) >= mapped.size()) {
      return absl::InternalError(
          ToAbsl(fmt::format("partials: an index of dimension '{}' is outside its dictionary", column.name())));
    }
  }
  return absl::OkStatus();
}

uint32_t GroupTable::Intern(std::span<const uint32_t> values) {
  const auto found = groups_.find(values);
  if (found != groups_.end()) return *found;
  const auto group = static_cast<uint32_t>(group_count_++);
  group_values_.insert(group_values_.end(), values.begin(), values.end());
  groups_.insert(group);
  bytes_ += values.size() * sizeof(uint32_t) + 12;
  return group;
}

absl::Status GroupTable::Map(const aggregation::v1::Partials& partials, std::vector<uint32_t>& groups) {
  RM_RETURN_IF_ERROR(MapDictionaries(partials));
  const size_t rows = partials.window_start_us_size();
  const size_t dimensions = dimensions_.size();
  groups.resize(rows);
  if (rows == 0) return absl::OkStatus();
  std::vector<const uint32_t*> columns(dimensions);
  for (size_t d = 0; d < dimensions; ++d) columns[d] = partials.group_by(static_cast<int>(d)).value_index().data();
  std::vector<uint32_t> values(dimensions);
  // Senders give the groups of one window after the other, mostly in the same order: after a group comes the one that
  // came after it the last time, and a look at its values is cheaper than a hash.
  constexpr uint32_t kUnknown = UINT32_MAX;
  std::vector<uint32_t> next(group_count_, kUnknown);
  uint32_t before = kUnknown;
  for (size_t row = 0; row < rows; ++row) {
    bool same = before != kUnknown;
    for (size_t d = 0; d < dimensions; ++d) {
      const uint32_t value = mapped_[d][columns[d][row]];
      same = same && values[d] == value;
      values[d] = value;
    }
    if (same) {
      groups[row] = before;
      continue;
    }
    const uint32_t guess = before == kUnknown ? kUnknown : next[before];
    uint32_t group = guess;
    if (guess == kUnknown || !std::ranges::equal(ValuesOf(guess), values)) {
      group = Intern(values);
      if (group >= next.size()) next.resize(group_count_ * 2, kUnknown);
      if (before != kUnknown) next[before] = group;
    }
    groups[row] = before = group;
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::partials
