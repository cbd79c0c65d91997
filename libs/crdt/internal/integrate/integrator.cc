#include "crdt/internal/integrate/integrator.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "crdt/internal/wire/content_slice.h"

namespace rivermeet::crdt::internal {

void Integrator::FindParent(const WireStruct& item, Surroundings& found) {
  switch (item.parent_kind) {
    case WireStruct::Parent::kFromNeighbour: {
      const Item& neighbour = document_.items[found.left != kNoItem ? found.left : found.right];
      found.parent = neighbour.parent;
      found.entry = neighbour.is_entry();
      if (found.entry) found.key = neighbour.place;
      return;
    }
    case WireStruct::Parent::kRoot:
      found.parent = document_.Root(item.root);
      break;
    case WireStruct::Parent::kItem: {
      const Item& holder = document_.At(ToId(item.parent));
      // A collected type is an item that holds none.
      if (holder.kind != ContentKind::kType) {
        found.collected = true;
        return;
      }
      found.parent = holder.extra;
      break;
    }
  }
  found.entry = item.has_parent_sub;
  if (found.entry) found.key = document_.keys.Add(item.parent_sub);
}

void Integrator::FindNeighbours(const WireStruct& item, Surroundings& found) {
  if (item.has_origin) found.left = document_.CleanEnd(transaction_, ToId(item.origin));
  const ItemRef next = found.left == kNoItem ? kNoItem : document_.items[found.left].right;
  NoteInOrder(next);
  if (!item.has_right_origin) return;
  const Id right = ToId(item.right_origin);
  // Mostly the two are neighbours still.
  if (next != kNoItem && document_.items[next].id == right) {
    found.right = next;
    return;
  }
  if (found.left != kNoItem && document_.items[found.left].Contains(right)) found.left = CutAtSeam(found.left);
  found.right = document_.CleanStart(transaction_, right);
  NoteInOrder(found.right);
}

// Cuts off what yjs has as a struct of its own so far. Else a right neighbour in the part before it would cut that from
// its own left one.
ItemRef Integrator::CutAtSeam(ItemRef ref) {
  const Id last = document_.items[ref].last_id();
  const StructStore::Client& client = document_.structs[last.client];
  if (client.touched_by != transaction_.number()) return ref;
  const uint32_t seam = transaction_.LastSeam(client.touched_place, last.clock);
  if (seam <= document_.items[ref].id.clock) return ref;
  ref = document_.CleanStart(transaction_, {last.client, seam});
  NoteInOrder(ref);
  return ref;
}

// `ref` may have just been cut off, or linked.
void Integrator::NoteInOrder(ItemRef ref) {
  if (orders_ == nullptr || ref == kNoItem || document_.items[ref].is_gc()) return;
  RivalOrder* order = OrderOf(document_.items[ref]);
  if (order != nullptr && !order->Has(ref)) order->Inserted(ref);
}

void Integrator::Revisit(const WireStruct& item) {
  if (!item.is_item()) return;
  document_.items.Reserve(4);
  Surroundings found;
  FindNeighbours(item, found);
}

Integrator::Surroundings Integrator::Find(const WireStruct& item) {
  Surroundings found;
  FindNeighbours(item, found);
  found.collected = (found.left != kNoItem && document_.items[found.left].is_gc()) ||
                    (found.right != kNoItem && document_.items[found.right].is_gc());
  if (!found.collected) FindParent(item, found);
  return found;
}

void Integrator::AddCollected(Id id, uint64_t length) {
  const ItemRef ref = document_.items.Allocate();
  Item& item = document_.items[ref];
  item.id = id;
  item.length = static_cast<uint32_t>(length);
  item.flags = Item::kDeleted;
  document_.AddStruct(transaction_, ref);
}

void Integrator::SetContent(Item& item, const WireContent& content, uint64_t offset) {
  if (offset == 0) return document_.SetContent(item, content);
  std::string scratch;
  document_.SetContent(item, SliceFrom(content, offset, scratch));
}

// Typing: text that goes straight behind its client's last struct grows that one, with which it would be merged at the
// end of the transaction.
bool Integrator::Append(const WireStruct& wire) {
  const bool continues =
      wire.has_origin && wire.origin.client == wire.id.client && wire.origin.clock + 1 == wire.id.clock;
  if (!continues || wire.content.kind != ContentKind::kString) return false;
  const ClientIndex client = document_.structs.Find(wire.id.client);
  return Grow(client, wire.has_right_origin ? ToId(wire.right_origin) : Id(), wire.content) != kNoItem;
}

ItemRef Integrator::Grow(ClientIndex number, Id right, const WireContent& text) {
  if (transaction_.observed) return kNoItem;
  StructStore::Client& client = document_.structs[number];
  const ItemRef ref = client.structs.ItemAt(client.structs.last());
  Item& last = document_.items[ref];
  const bool ascii = last.size == last.length && text.data.size() == text.length;
  if (last.kind != ContentKind::kString || !ascii || !last.visible() || (last.flags & Item::kRedone) != 0)
    return kNoItem;
  if (last.right_origin != right || (last.right == kNoItem) != right.none()) return kNoItem;
  if (last.right != kNoItem && document_.items[last.right].id != right) return kNoItem;
  Type& parent = document_.types[last.parent];
  if (parent.markers != nullptr) return kNoItem;

  document_.Touch(transaction_, number);
  transaction_.AddSeam(client.touched_place, client.state);
  const Extent before = ExtentOf(last);
  const std::string_view joined = document_.contents.Join(last.bytes(), document_.contents.Add(text.data));
  last.data = joined.data();
  last.size = static_cast<uint32_t>(joined.size());
  last.length += static_cast<uint32_t>(text.length);
  client.state = last.end_clock();
  parent.length += static_cast<uint32_t>(text.length);
  if (parent.index != nullptr) parent.index->Changed(ref, before);
  document_.AddChanged(transaction_, last.parent, /*entry=*/false, 0);
  return ref;
}

void Integrator::Integrate(const WireStruct& wire, uint64_t offset) {
  if (offset == 0 && Append(wire)) return;
  document_.items.Reserve(8);
  Surroundings found = wire.is_item() ? Find(wire) : Surroundings{.collected = true};
  const Id id{document_.structs.FindOrAdd(wire.id.client), static_cast<uint32_t>(wire.id.clock + offset)};
  ItemRef left = found.left;
  bool collected = found.collected;
  if (offset > 0 && !collected) {
    left = document_.CleanEnd(transaction_, {id.client, id.clock - 1});
    const Item& own = document_.items[left];
    collected = own.is_gc();
    // The part that is known has the parent that counts: an item is linked where its neighbours are.
    found.parent = own.parent;
    found.entry = own.is_entry();
    found.key = own.is_entry() ? own.place : 0;
  }
  if (collected) return AddCollected(id, wire.content.length - offset);
  ++placed_;
  const ItemRef ref = document_.items.Allocate();
  Item& item = document_.items[ref];
  item.id = id;
  item.left = left;
  item.right = found.right;
  // Not left's last id: finding the right neighbour may have cut left, when an update names one unit as both.
  if (offset > 0) {
    item.origin = {id.client, id.clock - 1};
  } else if (left != kNoItem) {
    item.origin = ToId(wire.origin);
  }
  if (found.right != kNoItem) item.right_origin = document_.items[found.right].id;
  item.parent = found.parent;
  if (found.entry) {
    item.flags |= Item::kEntry;
    item.place = found.key;
  }
  SetContent(item, wire.content, offset);
  BeginLink(ref);
}

RivalOrder* Integrator::OrderOf(const Item& item) const {
  if (orders_ == nullptr) return nullptr;
  const auto found = orders_->find({item.parent, item.is_entry() ? item.place : 0});
  return found == orders_->end() ? nullptr : found->second.get();
}

// The first of the list, or of the chain of its key, that `item` belongs to.
ItemRef Integrator::FirstOf(const Item& item) {
  const Type& parent = document_.types[item.parent];
  if (!item.is_entry()) return parent.start;
  if (const RivalOrder* order = OrderOf(item); order != nullptr) return order->first();
  ItemRef ref = parent.Entry(item.place);
  for (; ref != kNoItem && document_.items[ref].left != kNoItem; ++steps_) ref = document_.items[ref].left;
  return ref;
}

// Whether something stands between `item`'s left and right by now.
bool Integrator::HasRivals(const Item& item) const {
  if (item.left != kNoItem) return document_.items[item.left].right != item.right;
  return item.right == kNoItem || document_.items[item.right].left != kNoItem;
}

// The item that `item` goes behind. Walks past the others, as yjs does; where that has taken long they are put in
// order.
ItemRef Integrator::PlaceAmongRivals(const Item& item) {
  // A large honest update may walk far in all, but not for each of its items.
  constexpr uint64_t kPatience = 100'000;
  constexpr uint64_t kPatienceAnItem = 16;
  constexpr uint64_t kLongWalk = 256;
  if (RivalOrder* order = OrderOf(item); order != nullptr) return order->PlaceOf(item);
  const uint64_t before = steps_;
  const ItemRef left = WalkPastRivals(item);
  if (steps_ > kPatience + kPatienceAnItem * placed_ && steps_ - before > kLongWalk) {
    if (orders_ == nullptr) orders_ = std::make_unique<RivalOrders>();
    orders_->try_emplace({item.parent, item.is_entry() ? item.place : 0},
                         std::make_unique<RivalOrder>(document_, FirstOf(item)));
  }
  return left;
}

// YATA: finds the item that `item` goes behind. Let b be those between its origin and here, c the ones of b that might
// still go behind it: a rival with the same origin goes before it when its client is lower; one whose origin is in b
// but not in c goes before it too.
ItemRef Integrator::WalkPastRivals(const Item& item) {
  const ItemArena& items = document_.items;
  constexpr size_t kScanned = 16;
  absl::InlinedVector<ItemRef, kScanned> before;  // b in order; c is what begins at `rivals_from`
  absl::flat_hash_map<ItemRef, size_t> places;    // of b, as far as was asked for, once a scan isn't quick
  size_t rivals_from = 0;
  const auto place_of = [&](ItemRef ref) {
    if (before.size() <= kScanned)
      return static_cast<size_t>(std::find(before.begin(), before.end(), ref) - before.begin());
    for (size_t i = places.size(); i < before.size(); ++i) places.emplace(before[i], i);
    const auto found = places.find(ref);
    return found == places.end() ? before.size() : found->second;
  };
  ItemRef left = item.left;
  ItemRef ref = left != kNoItem ? items[left].right : FirstOf(item);
  for (; ref != kNoItem && ref != item.right; ref = items[ref].right) {
    const Item& rival = items[ref];
    before.push_back(ref);
    ++steps_;
    if (item.origin == rival.origin) {
      if (document_.structs[rival.id.client].id < document_.structs[item.id.client].id) {
        left = ref;
        rivals_from = before.size();
      } else if (item.right_origin == rival.right_origin) {
        break;
      }
      continue;
    }
    if (rival.origin.none()) break;
    const size_t origin = place_of(document_.RefAt(rival.origin));
    if (origin == before.size()) break;
    if (origin < rivals_from) {
      left = ref;
      rivals_from = before.size();
    }
  }
  return left;
}

// Sets both neighbours, and makes itself the left one's.
void Integrator::Place(Item& item, ItemRef ref) {
  ItemArena& items = document_.items;
  const bool has_rivals = HasRivals(item);
  if (has_rivals) item.left = PlaceAmongRivals(item);
  if (item.left != kNoItem) {
    item.right = items[item.left].right;
    items[item.left].right = ref;
  } else {
    if (has_rivals) item.right = FirstOf(item);
    if (!item.is_entry()) document_.types[item.parent].start = ref;
  }
}

void Integrator::Link(ItemRef ref) {
  BeginLink(ref);
  FinishDelete();
}

void Integrator::FinishDelete() {
  Budget unlimited = Budget::Unlimited();
  document_.ContinueDelete(transaction_, unlimited);
}

void Integrator::BeginLink(ItemRef ref) {
  ItemArena& items = document_.items;
  Item& item = items[ref];
  Type& parent = document_.types[item.parent];
  Place(item, ref);
  if (item.right != kNoItem) {
    items[item.right].left = ref;
  } else if (item.is_entry()) {
    document_.SetEntry(parent, item.place, ref);
    if (item.left != kNoItem) document_.BeginDelete(transaction_, item.left);
    // What is deleted is noted in the order in which yjs does it.
    if (item.kind == ContentKind::kDeleted) FinishDelete();
  }
  NoteInOrder(ref);
  if (item.kind == ContentKind::kDeleted) item.flags |= Item::kDeleted;
  if (item.visible()) parent.length += item.length;
  if (!item.is_entry() && parent.index != nullptr) parent.index->Inserted(ref);
  document_.AddStruct(transaction_, ref);
  if (item.kind == ContentKind::kDeleted) {
    document_.AddDelete(transaction_, item.id, item.length);
  } else if (item.kind == ContentKind::kType) {
    document_.types[item.extra].item = ref;
    document_.types[item.extra].depth = parent.depth + 1;
  } else if (item.kind == ContentKind::kDoc) {
    document_.AddSubdocument(transaction_, item.extra);
  } else if (item.kind == ContentKind::kFormat) {
    parent.has_formatting = true;
    parent.markers.reset();
  }
  parent.has_values |= IsForeignToText(item.kind);
  if (parent.markers == nullptr && document_.ShowsMarkers(item)) parent.markers = std::make_unique<SearchMarkers>();
  document_.AddChanged(transaction_, item.parent, item.is_entry(), item.place);
  if (document_.IsDeleted(item.parent) || (item.is_entry() && item.right != kNoItem))
    document_.BeginDelete(transaction_, ref);
}

}  // namespace rivermeet::crdt::internal
