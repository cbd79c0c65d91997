#include "crdt/internal/id_set.h"

#include <algorithm>

namespace rivermeet::crdt::internal {

void IdSet::Add(ClientIndex client, const std::vector<DeleteRange>& ranges) {
  const auto [place, made] = places_.try_emplace(client, clients_.size());
  if (made) {
    clients_.push_back({client, ranges});
    return;
  }
  std::vector<DeleteRange>& all = clients_[place->second].ranges;
  all.insert(all.end(), ranges.begin(), ranges.end());
  SortAndMergeRanges(all);
}

void IdSet::Add(const IdSet& more) {
  for (const auto& [client, ranges] : more.clients_) Add(client, ranges);
}

bool IdSet::Contains(Id id) const {
  const auto place = places_.find(id.client);
  if (place == places_.end()) return false;
  const std::vector<DeleteRange>& ranges = clients_[place->second].ranges;
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), id.clock,
                                      [](uint64_t clock, const DeleteRange& range) { return clock < range.clock; });
  return after != ranges.begin() && id.clock < std::prev(after)->clock + std::prev(after)->length;
}

uint64_t IdSet::size() const {
  uint64_t size = 0;
  for (const Client& client : clients_) {
    for (const DeleteRange& range : client.ranges) size += range.length;
  }
  return size;
}

}  // namespace rivermeet::crdt::internal
