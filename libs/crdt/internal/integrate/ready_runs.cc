#include "crdt/internal/integrate/ready_runs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "crdt/internal/integrate/first_missing.h"

namespace rivermeet::crdt::internal {

ReadyRuns::ReadyRuns(const Document& document) : document_(document), limits_(NoLimits()) {}

std::vector<PendingStructs::Place> ReadyRuns::Find(std::vector<uint64_t> clients) {
  advanced_ = std::move(clients);
  while (!advanced_.empty()) {
    const uint64_t client = advanced_.back();
    advanced_.pop_back();
    Wake(client);
  }
  if (!found_.empty()) AddThoseAsking();
  return std::move(found_);
}

uint64_t ReadyRuns::StateOf(uint64_t client) const {
  const auto state = states_.find(client);
  return state == states_.end() ? document_.structs.StateOf(client) : state->second;
}

void ReadyRuns::Wake(uint64_t client) {
  const uint64_t state = StateOf(client);
  const auto [from, first] = woken_.try_emplace(client, 0);
  if (!first && from->second > state) return;
  std::vector<size_t> woken;
  for (const PendingStructs::Place& place : document_.pending.structs.Missing(client, from->second, state)) {
    woken.push_back(found_.size());
    found_.push_back(place);
    trials_.push_back(std::make_unique<Trial>(document_.pending.structs.At(place), limits_));
  }
  from->second = state + 1;
  auto blocked = blocked_.lower_bound({{client, 0}, 0});
  while (blocked != blocked_.end() && blocked->first.client == client && blocked->first.clock <= state) {
    woken.push_back(blocked->second);
    blocked = blocked_.erase(blocked);
  }
  for (const size_t trial : woken) Try(trial);
}

void ReadyRuns::Try(size_t number) {
  std::unique_ptr<Trial>& trial = trials_[number];
  const WireStruct& item = trial->item;
  const uint64_t client = item.id.client;
  const uint64_t before = StateOf(client);
  const auto state_of = [this](uint64_t of) { return StateOf(of); };
  std::optional<UnitId> missing;
  do {
    if (item.content.kind == ContentKind::kSkip) continue;
    const uint64_t state = StateOf(client);
    missing = item.id.clock > state ? item.id : FirstMissing(item, state_of);
    if (missing.has_value()) break;
    if (state < item.end_clock()) states_[client] = item.end_clock();
  } while (trial->stream.Next(trial->item));
  if (missing.has_value()) {
    blocked_.insert({{missing->client, missing->clock}, number});
  } else {
    trial.reset();
  }
  if (StateOf(client) > before) advanced_.push_back(client);
}

// yjs comes to these first, and by way of them to what they wait for.
void ReadyRuns::AddThoseAsking() {
  absl::flat_hash_set<uint64_t> known;
  std::vector<uint64_t> asked;
  const auto note = [&](uint64_t client) {
    if (!known.insert(client).second) return false;
    asked.push_back(client);
    return true;
  };
  for (const PendingStructs::Place& place : found_) note(place.client);
  size_t left = kMostAsking;
  for (size_t i = 0; i < asked.size() && left > 0; ++i) {
    const std::vector<PendingStructs::Place> asking = document_.pending.structs.Asking(asked[i], left);
    left -= asking.size();
    for (const PendingStructs::Place& place : asking) {
      if (note(place.client)) found_.push_back(place);
    }
  }
}

}  // namespace rivermeet::crdt::internal
