#include "crdt/internal/store/id_set.h"

namespace rivermeet::crdt::internal {

void IdSet::Add(ClientIndex client, const std::vector<ClockRange>& ranges) {
  const auto [place, made] = places_.try_emplace(client, clients_.size());
  if (made) {
    clients_.push_back({client, ranges});
    return;
  }
  std::vector<ClockRange>& all = clients_[place->second].ranges;
  all.insert(all.end(), ranges.begin(), ranges.end());
  SortAndMergeRanges(all);
}

void IdSet::Add(const IdSet& more) {
  for (const auto& [client, ranges] : more.clients_) Add(client, ranges);
}

bool IdSet::Contains(Id id) const {
  const auto place = places_.find(id.client);
  return place != places_.end() && Hold(clients_[place->second].ranges, id.clock);
}

uint64_t IdSet::size() const {
  uint64_t size = 0;
  for (const Client& client : clients_) {
    for (const ClockRange& range : client.ranges) size += range.length;
  }
  return size;
}

}  // namespace rivermeet::crdt::internal
