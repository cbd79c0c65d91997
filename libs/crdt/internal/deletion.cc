// Deleting (yjs: Item.delete, ContentType.delete).
#include <utility>

#include "crdt/internal/document.h"
#include "crdt/internal/document_options.h"

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
  std::vector<DeleteRange>& ranges = transaction.deleted()[client.deleted_place].ranges;
  if (!ranges.empty() && ranges.back().clock + ranges.back().length == id.clock) {
    ranges.back().length += length;
  } else {
    ranges.push_back({id.clock, length});
  }
}

void Document::AddSubdocument(Transaction& transaction, uint32_t number) {
  subdocuments[number].present = true;
  transaction.subdocuments_added.push_back(number);
  if (LoadsItself(subdocuments[number].options)) LoadSubdocument(transaction, number);
}

void Document::LoadSubdocument(Transaction& transaction, uint32_t number) {
  if (std::exchange(subdocuments[number].loads, true)) return;
  transaction.subdocuments_loaded.push_back(number);
}

void Document::RemoveSubdocument(Transaction& transaction, uint32_t number) {
  subdocuments[number].present = false;
  if (std::erase(transaction.subdocuments_added, number) == 0) transaction.subdocuments_removed.push_back(number);
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

}  // namespace rivermeet::crdt::internal
