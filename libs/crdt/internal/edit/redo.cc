#include "crdt/internal/edit/redo.h"

#include "crdt/internal/store/encoding.h"

namespace rivermeet::crdt::internal {

ItemRef Redoer::Latest(Document& document, Transaction& transaction, ItemRef ref) {
  const auto [latest, unit] = document.FollowRedone(document.items[ref].id);
  if (unit == 0) return latest;
  const Id id = document.items[latest].id;
  document.items.Reserve(2);
  return document.CleanStart(transaction, {id.client, id.clock + unit});
}

// The item that took the place of `ref` directly.
ItemRef Redoer::Successor(ItemRef ref) {
  document_.items.Reserve(2);
  return document_.CleanStart(transaction_, document_.RedoneAs(ref));
}

bool Redoer::Redo(ItemRef ref) {
  if (IsRedone(ref)) {
    Successor(ref);
    return true;
  }
  waiting_.assign(1, ref);
  for (;;) {
    const ItemRef holder = HolderOf(waiting_.back());
    if (holder == kNoItem || !document_.items[holder].deleted() || IsRedone(holder)) break;
    if (!rules_.wanted.contains(holder)) return false;
    waiting_.push_back(holder);
  }
  for (; !waiting_.empty(); waiting_.pop_back()) {
    if (!RedoBelowParent(waiting_.back())) return false;
  }
  return true;
}

// `ref`'s parent isn't deleted, or was brought back.
bool Redoer::RedoBelowParent(ItemRef ref) {
  ItemRef holder = HolderOf(ref);
  if (holder != kNoItem && document_.items[holder].deleted()) {
    while (IsRedone(holder)) holder = Successor(holder);
  }
  // Collected since.
  if (holder != kNoItem && document_.items[holder].kind != ContentKind::kType) return false;
  const Item& item = document_.items[ref];
  const TypeIndex parent = holder == kNoItem ? item.parent : document_.items[holder].extra;
  ItemRef left = kNoItem;
  ItemRef right = kNoItem;
  if (item.is_entry()) {
    if (!FindValueToFollow(ref, holder, parent, left)) return false;
  } else {
    FindNeighbours(ref, holder, left, right);
  }
  Copy(ref, parent, left, right);
  return true;
}

// What stands beside `ref` where `holder` is: itself, when nothing took its parent's place.
void Redoer::FindNeighbours(ItemRef ref, ItemRef holder, ItemRef& left, ItemRef& right) {
  ItemRef beside = kNoItem;
  for (ItemRef at = document_.items[ref].left; at != kNoItem && left == kNoItem; at = document_.items[at].left) {
    left = TraceInto(at, holder);
    beside = at;
  }
  // Nothing right of what came back last ever did, so nothing right of what follows it did: a long list comes back in
  // linear time.
  ItemRef& last = last_in_[holder];
  bool rest_is_redone = false;
  if (beside == kNoItem || beside != last) {
    for (ItemRef at = ref; at != kNoItem && right == kNoItem; at = document_.items[at].right) {
      rest_is_redone |= IsRedone(at);
      right = TraceInto(at, holder);
    }
  }
  last = right == kNoItem && !rest_is_redone ? ref : kNoItem;
}

// The first of `ref` and what took its place that lies in the type that `holder` holds; none when that never did.
ItemRef Redoer::TraceInto(ItemRef ref, ItemRef holder) {
  while (!document_.items[ref].is_gc()) {
    if (HolderOf(ref) == holder) return ref;
    if (!IsRedone(ref)) return kNoItem;
    ref = Successor(ref);
  }
  return kNoItem;
}

// Finds the value behind which the entry `ref` comes back. False when somebody else has set the key since.
bool Redoer::FindValueToFollow(ItemRef ref, ItemRef holder, TypeIndex parent, ItemRef& left) {
  const KeyIndex key = document_.items[ref].place;
  if (document_.items[ref].right != kNoItem && !rules_.ignore_remote_map_changes) {
    left = ref;
    for (ItemRef right; (right = document_.items[left].right) != kNoItem;) {
      if (!IsRedone(right) && !rules_.replaceable(document_.items[right].id)) return false;
      left = right;
      while (IsRedone(left)) left = Successor(left);
      if (document_.items[left].is_gc()) return false;
    }
  } else {
    left = document_.types[parent].Entry(key);
  }
  // A left neighbour in another type would make others put the value there.
  if (left != kNoItem && HolderOf(left) != holder) left = document_.types[parent].Entry(key);
  return true;
}

void Redoer::Copy(ItemRef ref, TypeIndex parent, ItemRef left, ItemRef right) {
  const Item item = document_.items[ref];
  const ItemRef copy = editor_.Insert(parent, left, right, ToWire(document_, item).content, item.is_entry(),
                                      item.is_entry() ? item.place : 0);
  // The same JavaScript object as before, not an equal one.
  if (item.kind == ContentKind::kFormat) document_.items[copy].data = item.data;
  document_.SetRedone(ref, document_.items[copy].id);
  document_.Keep(copy, true);
}

}  // namespace rivermeet::crdt::internal
