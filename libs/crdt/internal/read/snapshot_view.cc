#include "crdt/internal/read/snapshot_view.h"

namespace rivermeet::crdt::internal {

SnapshotView::SnapshotView(const Document& document, const Snapshot* snapshot) : present_(snapshot == nullptr) {
  if (present_) return;
  clients_.resize(document.structs.size());
  for (const ClientState& state : snapshot->states()) {
    const ClientIndex client = document.structs.Find(state.client);
    if (client != kNoClient) clients_[client].state = static_cast<uint32_t>(std::min(state.clock, uint64_t{~0u}));
  }
  for (const Snapshot::Deleted& deleted : snapshot->deletes()) {
    const ClientIndex client = document.structs.Find(deleted.client);
    if (client != kNoClient) clients_[client].deleted = &deleted;
  }
}

SnapshotView::Stretch SnapshotView::From(const Item& item, uint32_t clock) const {
  if (present_) return {item.end_clock(), !item.deleted()};
  const Client& client = clients_[item.id.client];
  if (clock >= client.state) return {item.end_clock(), false};
  Stretch stretch{std::min(item.end_clock(), client.state), true};
  if (client.deleted == nullptr) return stretch;
  const std::vector<ClockRange>& ranges = client.deleted->ranges;
  const auto after = FirstBehind(ranges, clock);
  const auto cut = [&](uint64_t end) { stretch.end = static_cast<uint32_t>(std::min<uint64_t>(stretch.end, end)); };
  if (after != ranges.end()) cut(after->clock);
  if (after != ranges.begin() && clock < (after - 1)->clock + (after - 1)->length) {
    stretch.visible = false;
    cut((after - 1)->clock + (after - 1)->length);
  }
  return stretch;
}

void CutAt(Document& document, Transaction& transaction, const Snapshot& snapshot) {
  const auto cut = [&](ClientIndex client, uint64_t clock) {
    if (client == kNoClient || clock >= document.structs[client].state) return;
    document.items.Reserve(2);
    document.CleanStart(transaction, {client, static_cast<uint32_t>(clock)});
  };
  for (const ClientState& state : snapshot.states()) cut(document.structs.Find(state.client), state.clock);
  for (const Snapshot::Deleted& deleted : snapshot.deletes()) {
    const ClientIndex client = document.structs.Find(deleted.client);
    for (const ClockRange& range : deleted.ranges) {
      cut(client, range.clock);
      cut(client, range.clock + range.length);
    }
  }
}

}  // namespace rivermeet::crdt::internal
