// A snapshot as a document sees it: which units of its items were visible.
#ifndef RIVERMEET_CRDT_INTERNAL_READ_SNAPSHOT_VIEW_H_
#define RIVERMEET_CRDT_INTERNAL_READ_SNAPSHOT_VIEW_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "crdt/internal/store/document.h"
#include "crdt/snapshot.h"

namespace rivermeet::crdt::internal {

// Borrows the document and the snapshot; ends when either changes.
class SnapshotView {
 public:
  // As `snapshot` says; null is the document as it is.
  SnapshotView(const Document& document, const Snapshot* snapshot);

  // Units of one item, from a given one up to `end`, that all were visible, or all weren't.
  struct Stretch {
    uint32_t end = 0;
    bool visible = false;
  };
  Stretch From(const Item& item, uint32_t clock) const;
  bool Shows(const Item& item, uint32_t clock) const { return From(item, clock).visible; }
  // The first clock of the client that it doesn't know.
  uint32_t StateOf(ClientIndex client) const { return present_ ? ~uint32_t{0} : clients_[client].state; }

 private:
  struct Client {
    uint32_t state = 0;
    const Snapshot::Deleted* deleted = nullptr;
  };

  const bool present_;
  std::vector<Client> clients_;
};

// Calls `take`(from, to, in_a, in_b) for the units of `item`, as long as both stay the same; clocks count from the
// item's first unit.
template <class Take>
void ForEachStretch(const Item& item, const SnapshotView& a, const SnapshotView& b, Take&& take) {
  for (uint32_t clock = item.id.clock; clock < item.end_clock();) {
    const SnapshotView::Stretch in_a = a.From(item, clock);
    const SnapshotView::Stretch in_b = b.From(item, clock);
    const uint32_t end = std::min(in_a.end, in_b.end);
    take(clock - item.id.clock, end - item.id.clock, in_a.visible, in_b.visible);
    clock = end;
  }
}

// Cuts the items that `snapshot` ends or begins inside of, in yjs's order (splitSnapshotAffectedStructs).
void CutAt(Document& document, Transaction& transaction, const Snapshot& snapshot);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_SNAPSHOT_VIEW_H_
