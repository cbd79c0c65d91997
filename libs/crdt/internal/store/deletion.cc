// Deleting (yjs: Item.delete, ContentType.delete).
#include <utility>

#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/document_options.h"

namespace rivermeet::crdt::internal {

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
  std::vector<ClockRange>& ranges = transaction.deleted()[client.deleted_place].ranges;
  if (!ranges.empty() && ranges.back().clock + ranges.back().length == id.clock) {
    ranges.back().length += length;
  } else {
    ranges.push_back({id.clock, length});
  }
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
  const SubdocumentState& removed = subdocuments[number];
  subdocuments[number].present = false;
  if (removed.added_by == transaction.number()) {
    transaction.subdocuments_added[removed.added_place] = kNoSubdocument;
  } else {
    transaction.subdocuments_removed.push_back(number);
  }
}

void Document::ForgetSubdocument(uint32_t number) {
  SubdocumentState& gone = subdocuments[number];
  if (!gone.collected) return;
  subdocument_bytes_ -= gone.guid.size() + gone.options.size();
  gone.guid = std::string();
  gone.options = std::string();
}

void Document::MarkDeleted(Transaction& transaction, ItemRef ref) {
  Item& item = items[ref];
  Type& parent = types[item.parent];
  const Extent before = ExtentOf(item);
  if (item.visible()) parent.length -= item.length;
  item.flags |= Item::kDeleted;
  if (item.kind == ContentKind::kDoc) RemoveSubdocument(transaction, item.extra);
  if (parent.index != nullptr && !item.is_entry() && before != Extent()) parent.index->Changed(ref, before);
  transaction.deletes_content = true;
  AddDelete(transaction, item.id, item.length);
  AddChanged(transaction, item.parent, item.is_entry(), item.place);
}

void Document::Descend(const Item& item) {
  if (item.kind == ContentKind::kType) descents_.push_back({item.extra, types[item.extra].start});
}

void Document::Delete(Transaction& transaction, ItemRef ref) {
  BeginDelete(transaction, ref);
  Budget unlimited = Budget::Unlimited();
  ContinueDelete(transaction, unlimited);
}

void Document::BeginDelete(Transaction& transaction, ItemRef ref) {
  if (items[ref].deleted()) return;
  MarkDeleted(transaction, ref);
  Descend(items[ref]);
}

void Document::MarkChild(Transaction& transaction, ItemRef ref) {
  const Item& item = items[ref];
  if (!item.deleted()) {
    MarkDeleted(transaction, ref);
    Descend(item);
  } else if (!IsNew(transaction, item.id)) {
    // It will be collected with its parent; this transaction's deletions don't name it, but it may merge then.
    transaction.merge_later.push_back(item.id);
  }
}

bool Document::MarkDescents(Transaction& transaction, Budget& budget) {
  while (!descents_.empty()) {
    if (!budget.Take()) return false;
    Descent& top = descents_.back();
    const Type& type = types[top.type];
    if (top.next != kNoItem) {
      const ItemRef child = top.next;
      top.next = items[child].right;
      MarkChild(transaction, child);
    } else if (type.entries != nullptr && top.entry < type.entries->size()) {
      MarkChild(transaction, (*type.entries)[top.entry++].second);
    } else {
      ForgetChanged(transaction, types[top.type]);
      descents_.pop_back();
    }
  }
  return true;
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

}  // namespace rivermeet::crdt::internal
