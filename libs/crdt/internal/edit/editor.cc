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
  const Item& item = document_.items[place.item];
  const uint32_t within = static_cast<uint32_t>(index) - place.before.units;
  if (within < item.length) {
    document_.items.Reserve(2);
    document_.CleanStart(transaction_, {item.id.client, item.id.clock + within});
  }
  return place.item;
}

ItemRef Editor::MarkedItemEndingAt(TypeIndex list, uint64_t index) {
  if (index == 0) return kNoItem;
  ItemArena& items = document_.items;
  const Type& type = document_.types[list];
  const auto counts = [&items](ItemRef ref) { return items[ref].visible(); };
  ItemRef ref = type.start;
  int64_t left = static_cast<int64_t>(index);
  if (const auto* marker = type.markers->Find(items, type.start, type.length, index); marker != nullptr) {
    ref = marker->item;
    left -= marker->index;
    if (left == 0) {
      do ref = items[ref].left;
      while (ref != kNoItem && items[ref].deleted());
      if (ref != kNoItem && counts(ref)) left += items[ref].length;
    }
  }
  for (; ref != kNoItem; ref = items[ref].right) {
    if (!counts(ref)) continue;
    if (left <= items[ref].length) {
      CutBehind(ref, left);
      return ref;
    }
    left -= items[ref].length;
  }
  return kNoItem;
}

ItemRef Editor::MarkedItemAt(TypeIndex list, uint64_t index) {
  ItemArena& items = document_.items;
  const Type& type = document_.types[list];
  ItemRef ref = type.start;
  int64_t left = static_cast<int64_t>(index);
  if (const auto* marker = type.markers->Find(items, type.start, type.length, index); marker != nullptr) {
    ref = marker->item;
    left -= marker->index;
  }
  for (; ref != kNoItem && left > 0; ref = items[ref].right) {
    if (!items[ref].visible()) continue;
    CutBehind(ref, left);
    left -= items[ref].length;
  }
  return ref;
}

// Cuts `item` behind its first `units`, or another one of its client where a wrong marker leads there.
void Editor::CutBehind(ItemRef ref, int64_t units) {
  const Item& item = document_.items[ref];
  const int64_t clock = item.id.clock + units;
  if (units >= item.length || clock < 0) return;
  document_.items.Reserve(2);
  document_.CleanStart(transaction_, {document_.items[ref].id.client, static_cast<uint32_t>(clock)});
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
  const ItemRef left = type.markers == nullptr ? ItemEndingAt(list, index) : MarkedItemEndingAt(list, index);
  if (type.markers != nullptr) {
    uint64_t places = 0;
    for (const WireContent& content : prepared.contents()) places += content.length;
    type.markers->Changed(document_.items, index, static_cast<int64_t>(places));
  }
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
    document_.items.Reserve(2);
    const Item& item = document_.items[ref];
    if (item.deleted()) continue;
    if (length < item.length) {
      document_.CleanStart(transaction_, {item.id.client, item.id.clock + static_cast<uint32_t>(length)});
    }
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
