#include "crdt/internal/edit/editor.h"

#include <algorithm>

#include "crdt/internal/edit/insertion.h"

namespace rivermeet::crdt::internal {

Editor::Editor(Document& document, Transaction& transaction, uint64_t client)
    : document_(document), transaction_(transaction), client_(client), integrator_(document, transaction) {}

ItemRef Editor::Insert(TypeIndex parent, ItemRef left, ItemRef right, const WireContent& content, bool entry,
                       KeyIndex key) {
  document_.items.Reserve(8);
  const ClientIndex client = document_.structs.FindOrAdd(client_);
  const ItemRef ref = document_.items.Allocate();
  Item& item = document_.items[ref];
  item.id = {client, document_.structs[client].state};
  item.left = left;
  item.right = right;
  if (left != kNoItem) item.origin = document_.items[left].last_id();
  if (right != kNoItem) item.right_origin = document_.items[right].id;
  item.parent = parent;
  if (entry) {
    item.flags |= Item::kEntry;
    item.place = key;
  }
  document_.SetContent(item, content);
  integrator_.Link(ref);
  // Who puts a subdocument in has it.
  if (content.kind == ContentKind::kDoc) document_.LoadSubdocument(transaction_, document_.items[ref].extra);
  return ref;
}

ItemRef Editor::InsertText(TypeIndex text, ItemRef left, ItemRef right, const WireContent& content) {
  if (content.kind == ContentKind::kString && left != kNoItem) {
    const ClientIndex client = document_.structs.Find(client_);
    const Id before = right == kNoItem ? Id() : document_.items[right].id;
    if (client != kNoClient && IsLastOf(client, left)) {
      if (const ItemRef grown = integrator_.Grow(client, before, content); grown != kNoItem) return grown;
    }
  }
  return Insert(text, left, right, content);
}

bool Editor::IsLastOf(ClientIndex client, ItemRef ref) const {
  const StructList& list = document_.structs[client].structs;
  return document_.items[ref].id.client == client && list.ItemAt(list.last()) == ref;
}

ItemRef Editor::ItemEndingAt(TypeIndex list, uint64_t index) {
  if (index == 0) return kNoItem;
  PositionIndex& positions = document_.Index(list);
  if (index > positions.total().units) return positions.Last();
  const PositionIndex::Place place = positions.Find(static_cast<uint32_t>(index - 1));
  CutBehind(place.item, index - place.before.units);
  return place.item;
}

Editor::Walk Editor::FromMarker(TypeIndex list, uint64_t index) {
  const Type& type = document_.types[list];
  const auto* marker = type.markers->Find(document_.items, type.start, type.length, index);
  if (marker == nullptr) return {type.start, static_cast<int64_t>(index)};
  return {marker->item, static_cast<int64_t>(index) - marker->index};
}

ItemRef Editor::MarkedItemEndingAt(TypeIndex list, uint64_t index) {
  if (index == 0) return kNoItem;
  ItemArena& items = document_.items;
  auto [ref, left] = FromMarker(list, index);
  if (left == 0) {  // at a marker: from the item before it
    do ref = items[ref].left;
    while (ref != kNoItem && items[ref].deleted());
    if (ref != kNoItem && items[ref].visible()) left += items[ref].length;
  }
  for (; ref != kNoItem; ref = items[ref].right) {
    if (!items[ref].visible()) continue;
    if (left <= items[ref].length) break;
    left -= items[ref].length;
  }
  if (ref == kNoItem) return ref;
  if (left >= 0) {
    CutBehind(ref, static_cast<uint64_t>(left));
  } else if (const Id id = items[ref].id; left + id.clock >= 0) {
    // A wrong marker leads to another item of the client.
    items.Reserve(2);
    document_.CleanStart(transaction_, {id.client, static_cast<uint32_t>(left + id.clock)});
  }
  return ref;
}

ItemRef Editor::MarkedItemAt(TypeIndex list, uint64_t index) {
  auto [ref, left] = FromMarker(list, index);
  for (; ref != kNoItem && left > 0; ref = document_.items[ref].right) {
    if (!document_.items[ref].visible()) continue;
    CutBehind(ref, static_cast<uint64_t>(left));
    left -= document_.items[ref].length;
  }
  return ref;
}

void Editor::CutBehind(ItemRef ref, uint64_t units) {
  if (units >= document_.items[ref].length) return;
  document_.items.Reserve(2);
  const Id id = document_.items[ref].id;
  document_.CleanStart(transaction_, {id.client, id.clock + static_cast<uint32_t>(units)});
}

void Editor::InsertAll(TypeIndex list, ItemRef left, const Prepared& prepared) {
  const ItemRef right = left == kNoItem ? document_.types[list].start : document_.items[left].right;
  for (size_t i = 0; i < prepared.contents().size(); ++i) {
    left = Insert(list, left, right, prepared.contents()[i]);
    prepared.Fill(*this, i, left);
  }
}

absl::Status Editor::ListInsert(TypeIndex list, uint64_t index, const Prepared& prepared) {
  const Type& type = document_.types[list];
  if (index > type.length) return absl::OutOfRangeError("the index is past the end of the list");
  if (type.markers == nullptr) {
    InsertAll(list, ItemEndingAt(list, index), prepared);
    return absl::OkStatus();
  }
  const ItemRef left = MarkedItemEndingAt(list, index);
  uint64_t places = 0;
  for (const WireContent& content : prepared.contents()) places += content.length;
  type.markers->Changed(document_.items, index, static_cast<int64_t>(places));
  InsertAll(list, left, prepared);
  return absl::OkStatus();
}

void Editor::ListPush(TypeIndex list, const Prepared& prepared) {
  InsertAll(list, document_.Index(list).Last(), prepared);
}

absl::Status Editor::ListDelete(TypeIndex list, uint64_t index, uint64_t length) {
  if (length == 0) return absl::OkStatus();
  const uint64_t asked = length;
  const Type& type = document_.types[list];
  ItemRef ref;
  if (type.markers != nullptr) {
    ref = MarkedItemAt(list, index);
  } else {
    const ItemRef before = ItemEndingAt(list, index);
    ref = before == kNoItem ? type.start : document_.items[before].right;
  }
  for (; length > 0 && ref != kNoItem; ref = document_.items[ref].right) {
    if (document_.items[ref].deleted()) continue;
    CutBehind(ref, length);
    document_.Delete(transaction_, ref);
    length -= document_.items[ref].length;
  }
  if (length > 0) return absl::OutOfRangeError("the list ends before all was deleted");
  if (type.markers != nullptr) type.markers->Changed(document_.items, index, -static_cast<int64_t>(asked));
  return absl::OkStatus();
}

void Editor::MapSet(TypeIndex map, std::string_view key, const Prepared& prepared) {
  const KeyIndex number = document_.keys.Add(key);
  const ItemRef item =
      Insert(map, document_.types[map].Entry(number), kNoItem, prepared.contents()[0], /*entry=*/true, number);
  prepared.Fill(*this, 0, item);
}

void Editor::MapDelete(TypeIndex map, KeyIndex key) {
  const ItemRef ref = document_.types[map].Entry(key);
  if (ref != kNoItem) document_.Delete(transaction_, ref);
}

}  // namespace rivermeet::crdt::internal
