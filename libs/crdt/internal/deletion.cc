// Deleting, and collecting what was deleted (yjs: Item.delete, ContentType.delete, Item.gc, tryGcDeleteSet).
#include <utility>

#include "crdt/internal/document.h"
#include "crdt/internal/document_options.h"

namespace rivermeet::crdt::internal {

// How far the deletion of a type's children has come.
struct Document::Descent {
  TypeIndex type;
  ItemRef next;
  size_t entry = 0;
};

namespace {

// What happened inside a deleted type is nobody's concern.
void ForgetChanged(Transaction& transaction, Type& type) {
  if (type.changed_by != transaction.number()) return;
  transaction.changed[type.changed_place].type = kNoType;
  type.changed_by = 0;
}

}  // namespace

void Document::AddDelete(Transaction& transaction, Id id, uint32_t length) {
  StructStore::Client& client = structs[id.client];
  if (client.deleted_by != transaction.number()) {
    client.deleted_by = transaction.number();
    client.deleted_place = static_cast<uint32_t>(transaction.deleted().size());
    transaction.AddDeleted(id.client);
  }
  transaction.deleted()[client.deleted_place].ranges.push_back({id.clock, length});
}

void Document::AddSubdocument(Transaction& transaction, uint32_t number) {
  subdocuments[number].present = true;
  subdocuments[number].added_by = transaction.number();
  subdocuments[number].added_place = transaction.subdocuments_added.size();
  transaction.subdocuments_added.push_back(number);
  if (LoadsItself(subdocuments[number].options)) LoadSubdocument(transaction, number);
}

void Document::LoadSubdocument(Transaction& transaction, uint32_t number) {
  if (std::exchange(subdocuments[number].loads, true)) return;
  transaction.subdocuments_loaded.push_back(number);
}

void Document::RemoveSubdocument(Transaction& transaction, uint32_t number) {
  const Subdocument& removed = subdocuments[number];
  subdocuments[number].present = false;
  if (removed.added_by == transaction.number()) {
    transaction.subdocuments_added[removed.added_place] = kNoSubdocument;
  } else {
    transaction.subdocuments_removed.push_back(number);
  }
}

void Document::MarkDeleted(Transaction& transaction, ItemRef ref) {
  Item& item = items[ref];
  Type& parent = types[item.parent];
  const Extent before = ExtentOf(item);
  if (item.visible()) parent.length -= item.length;
  item.flags |= Item::kDeleted;
  if (item.kind == ContentKind::kDoc) RemoveSubdocument(transaction, item.extra);
  if (parent.index != nullptr && !item.is_entry() && before != Extent()) parent.index->Changed(ref, before);
  AddDelete(transaction, item.id, item.length);
  AddChanged(transaction, item.parent, item.is_entry(), item.place);
}

void Document::Delete(Transaction& transaction, ItemRef ref) {
  if (items[ref].deleted()) return;
  MarkDeleted(transaction, ref);
  if (items[ref].kind != ContentKind::kType) return;
  std::vector<Descent> descents = {{items[ref].extra, types[items[ref].extra].start}};
  const auto visit = [&](ItemRef child) {
    const Item& item = items[child];
    if (!item.deleted()) {
      MarkDeleted(transaction, child);
      if (item.kind == ContentKind::kType) descents.push_back({item.extra, types[item.extra].start});
    } else if (!IsNew(transaction, item.id)) {
      // It will be collected with its parent; this transaction's deletions don't name it, but it may merge then.
      transaction.merge_later.push_back(item.id);
    }
  };
  while (!descents.empty()) {
    Descent& top = descents.back();
    const Type& type = types[top.type];
    if (top.next != kNoItem) {
      const ItemRef child = top.next;
      top.next = items[child].right;
      visit(child);
    } else if (type.entries != nullptr && top.entry < type.entries->size()) {
      visit((*type.entries)[top.entry++].second);
    } else {
      ForgetChanged(transaction, types[top.type]);
      descents.pop_back();
    }
  }
}

bool Document::DeleteAtEdge(Transaction& transaction, ItemRef ref, uint32_t from, uint32_t units) {
  Item& text = items[ref];
  const bool at_end = from > 0;
  const ItemRef beside = at_end ? text.right : text.left;
  if (!gc_ || transaction.keeps_deleted || beside == kNoItem || (at_end && from + units != text.length)) return false;
  if (text.kind != ContentKind::kString || text.size != text.length || text.keep()) return false;
  Item& gone = items[beside];
  Item& left = at_end ? text : gone;
  Item& right = at_end ? gone : text;
  if (gone.kind != ContentKind::kDeleted || right.id != Id{left.id.client, left.end_clock()}) return false;
  if (!Continues(left, at_end ? beside : ref)) return false;

  const Id first = {text.id.client, text.id.clock + from};
  const Extent before = ExtentOf(text);
  const uint32_t edge = at_end ? first.clock : first.clock + units;
  StructList& list = structs[first.client].structs;
  list.MoveStart(list.Find(right.id.clock), edge);
  right.id.clock = edge;
  right.origin.clock = edge - 1;
  gone.length += units;
  text.length -= units;
  text.size -= units;
  if (!at_end) text.data += units;
  contents.Release(units);
  Type& parent = types[text.parent];
  parent.length -= units;
  if (parent.index != nullptr) parent.index->Changed(ref, before);
  AddDelete(transaction, first, units);
  AddChanged(transaction, text.parent, /*entry=*/false, 0);
  return true;
}

void Document::DropContent(Item& item) {
  contents.Release(item.size);
  item.data = nullptr;
  item.size = 0;
  item.extra = 0;
}

void Document::CollectDeleted(const Transaction& transaction) {
  for (const auto& [client, ranges] : transaction.deleted()) {
    const StructList& list = structs[client].structs;
    for (size_t r = ranges.size(); r-- > 0;) {
      const uint64_t end = ranges[r].clock + ranges[r].length;
      for (StructList::Position at = list.Find(static_cast<uint32_t>(ranges[r].clock));
           list.Valid(at) && list[at].clock < end; at = list.Next(at)) {
        const Item& item = items[list.ItemAt(at)];
        if (!item.is_gc() && item.deleted() && !item.keep()) Collect(list.ItemAt(at));
      }
    }
  }
}

void Document::Collect(ItemRef ref) {
  Item& item = items[ref];
  if (item.kind == ContentKind::kType) CollectChildren(item.extra);
  DropContent(item);
  item.kind = ContentKind::kDeleted;
}

void Document::CollectChildren(TypeIndex first) {
  std::vector<TypeIndex> open = {first};
  while (!open.empty()) {
    const TypeIndex number = open.back();
    open.pop_back();
    Type& type = types[number];
    for (ItemRef ref = type.start; ref != kNoItem;) {
      const ItemRef next = items[ref].right;
      CollectChild(ref, open);
      ref = next;
    }
    if (type.entries != nullptr) {
      for (const auto& [key, last] : *type.entries) {
        for (ItemRef ref = last; ref != kNoItem;) {
          const ItemRef next = items[ref].left;
          CollectChild(ref, open);
          ref = next;
        }
      }
    }
    types.Free(number);
  }
}

void Document::CollectChild(ItemRef ref, std::vector<TypeIndex>& open) {
  Item& item = items[ref];
  if (item.kind == ContentKind::kType) open.push_back(item.extra);
  DropContent(item);
  if ((item.flags & Item::kRedone) != 0) redone_.erase(ref);
  Item collected;
  collected.id = item.id;
  collected.length = item.length;
  collected.flags = Item::kDeleted;
  item = collected;
}

}  // namespace rivermeet::crdt::internal
