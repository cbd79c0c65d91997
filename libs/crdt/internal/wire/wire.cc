#include "crdt/internal/wire/wire.h"

#include <algorithm>

namespace rivermeet::crdt::internal {

std::vector<ClockRange>& WireDeleteSet::RangesOf(uint64_t client) {
  if (!clients.empty() && clients.back().first == client) return clients.back().second;
  const auto [place, made] = places_.try_emplace(client, clients.size());
  if (made) clients.emplace_back(client, std::vector<ClockRange>());
  return clients[place->second].second;
}

void WireDeleteSet::SortAndMerge() {
  for (auto& [client, ranges] : clients) SortAndMergeRanges(ranges);
}

void WireDeleteSet::KeepApart() {
  const auto out_of_order = [](const ClockRange& a, const ClockRange& b) { return b.clock < a.clock + a.length; };
  for (auto& [client, ranges] : clients) {
    if (std::adjacent_find(ranges.begin(), ranges.end(), out_of_order) != ranges.end()) SortAndMergeRanges(ranges);
  }
}

void SortAndMergeRanges(std::vector<ClockRange>& ranges) {
  if (ranges.size() < 2) return;
  const auto by_clock = [](const ClockRange& a, const ClockRange& b) { return a.clock < b.clock; };
  if (!std::is_sorted(ranges.begin(), ranges.end(), by_clock)) std::stable_sort(ranges.begin(), ranges.end(), by_clock);
  size_t kept = 1;
  for (size_t i = 1; i < ranges.size(); ++i) {
    ClockRange& left = ranges[kept - 1];
    const ClockRange right = ranges[i];
    if (left.clock + left.length >= right.clock) {
      left.length = std::max(left.length, right.clock + right.length - left.clock);
    } else {
      ranges[kept++] = right;
    }
  }
  ranges.resize(kept);
}

}  // namespace rivermeet::crdt::internal
