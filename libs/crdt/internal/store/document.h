// A document's state and what every change of it is made of: find, split, delete, collect, merge.
//
// The algorithm is YATA as yjs 13.6 has it (structs/Item.js, utils/StructStore.js, Transaction.js): the same structs,
// split and merged at the same moments, because what is encoded later shows it. Nothing here recurses on input.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_DOCUMENT_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_DOCUMENT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "crdt/attribution.h"
#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/content_arena.h"
#include "crdt/internal/store/item.h"
#include "crdt/internal/store/key_table.h"
#include "crdt/internal/store/pending.h"
#include "crdt/internal/store/struct_store.h"
#include "crdt/internal/store/transaction.h"
#include "crdt/internal/store/type_table.h"

namespace rivermeet::crdt::internal {

// A document inside the document; only its name and options are kept here.
struct SubdocumentState {
  uint64_t bytes() const { return sizeof(*this) + guid.size() + options.size(); }

  std::string guid;
  std::string options;     // canonical Any
  bool present = false;    // in the document, not deleted
  bool loads = false;      // somebody wants its content
  bool destroyed = false;  // its removal was told twice
  bool collected = false;  // no item holds it any more
  uint64_t added_by = 0;   // number of the transaction that brought it
  size_t added_place = 0;  // where in Transaction::subdocuments_added
};
constexpr uint32_t kNoSubdocument = ~uint32_t{0};

class Document {
 public:
  // No client gets beyond this clock in a document.
  static constexpr uint64_t kMaxClock = 0xfffffffe;

  explicit Document(bool gc) : gc_(gc) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  ItemArena items;
  ContentArena contents;
  StructStore structs;
  KeyTable keys;
  TypeTable types;
  std::vector<SubdocumentState> subdocuments;
  Pending pending;

  bool gc() const { return gc_; }
  // All memory in use.
  uint64_t bytes() const;
  // The part of it that grows with every edit, in O(1).
  uint64_t growing_bytes() const {
    return items.bytes() + contents.bytes() + items.live() * sizeof(StructList::Entry) +
           structs.size() * sizeof(StructStore::Client) + types.size() * sizeof(Type) + keys.bytes() + pending.bytes() +
           subdocument_bytes_ + entry_bytes_;
  }

  // --- types
  // The root of that name, made when new, untyped.
  TypeIndex Root(std::string_view name);
  bool HasRoot(std::string_view name) const {
    const KeyIndex key = keys.Find(name);
    return key != 0 && root_of_name_.contains(key);
  }
  const std::vector<TypeIndex>& roots() const { return roots_; }  // in the order in which they were made
  // Whether edits show where yjs's search markers stand (search_markers.h): in a root that just got its kind, or once
  // its text got `item`.
  bool ShowsMarkers(TypeIndex root) const;
  bool ShowsMarkers(const Item& item) const;
  // What Type::SetEntry() does, counting what a new entry takes; and what all that `type` has took no longer.
  void SetEntry(Type& type, KeyIndex key, ItemRef item) {
    if (type.entries == nullptr) entry_bytes_ += sizeof(EntryTable);
    if (type.SetEntry(key, item)) entry_bytes_ += kEntryBytes;
  }
  void ForgetEntries(const Type& type) {
    if (type.entries != nullptr) entry_bytes_ -= sizeof(EntryTable) + type.entries->size() * kEntryBytes;
  }
  // Of a collected subdocument, once nobody is to be told of it any more: its name and options.
  void ForgetSubdocument(uint32_t number);
  // Of all that `transaction` removed.
  void ForgetSubdocuments(const Transaction& transaction) {
    for (const uint32_t number : transaction.subdocuments_removed) ForgetSubdocument(number);
  }
  // Whether what holds the type is deleted, so that it is only still there.
  bool IsDeleted(TypeIndex type) const {
    const ItemRef holder = types[type].item;
    return holder != kNoItem && items[holder].deleted();
  }
  // Of a list type; built when it is asked for first.
  PositionIndex& Index(TypeIndex type) {
    Type& t = types[type];
    if (t.index == nullptr) t.index = std::make_unique<PositionIndex>(items, t.start);
    return *t.index;
  }

  // --- finding and splitting; the caller has reserved items
  // What an undo has made of the unit `id`, over as many undos as there were, and which unit of that item it is.
  std::pair<ItemRef, uint32_t> FollowRedone(Id id) const;
  StructList::Position Find(Id id) const { return structs[id.client].structs.Find(id.clock); }
  Item& At(Id id) { return items[structs[id.client].structs.ItemAt(Find(id))]; }
  ItemRef RefAt(Id id) const { return structs[id.client].structs.ItemAt(Find(id)); }
  // What has a unit that is known.
  const Item& ItemWith(UnitId id) const {
    return items[RefAt({structs.Find(id.client), static_cast<uint32_t>(id.clock)})];
  }
  // The item that ends with, or begins with, `id`; what holds it is split when need be, unless it is collected.
  ItemRef CleanEnd(Transaction& transaction, Id id);
  ItemRef CleanStart(Transaction& transaction, Id id);
  // Cuts the item at `at` in two. Returns where the right one is.
  StructList::Position Split(Transaction& transaction, ClientIndex client, StructList::Position at, uint32_t units);

  // --- changing
  // `transaction` adds structs of that client.
  void Touch(Transaction& transaction, ClientIndex client);
  // Appends a struct that is linked, or collected, to its client's.
  void AddStruct(Transaction& transaction, ItemRef ref);
  // Marks deleted, with all that is inside.
  void Delete(Transaction& transaction, ItemRef ref);
  // The same in steps: marks it, and leaves what is inside to ContinueDelete(), which is true once all is marked.
  void BeginDelete(Transaction& transaction, ItemRef ref);
  bool ContinueDelete(Transaction& transaction, Budget& budget) {
    return descents_.empty() || MarkDescents(transaction, budget);
  }
  void AddDelete(Transaction& transaction, Id id, uint32_t length);
  // Deletes `units` of the visible `text`, not all, from its unit `from` on, if they lie beside something deleted that
  // they will be merged with in the end: only the edge between the two moves. False when it can't be done so.
  bool DeleteAtEdge(Transaction& transaction, ItemRef text, uint32_t from, uint32_t units);
  // A subdocument has come; one is wanted.
  void AddSubdocument(Transaction& transaction, uint32_t number);
  void LoadSubdocument(Transaction& transaction, uint32_t number);
  void AddChanged(Transaction& transaction, TypeIndex type, bool entry, KeyIndex key);
  void SetContent(Item& item, const WireContent& content);
  // Whether a deleted item, and the items around it, are kept from being collected (yjs: keepItem).
  void Keep(ItemRef ref, bool keep);
  // Calls `visit` with each struct in `range` of a client, in order, cut off at both ends of the range. It may cut too.
  void ForEach(Transaction& transaction, ClientIndex client, ClockRange range, absl::FunctionRef<void(ItemRef)> visit);
  // The item that an undoing made of `ref`, whose first unit is this id; `ref` has Item::kRedone.
  Id RedoneAs(ItemRef ref) const { return redone_.at(ref); }
  void SetRedone(ItemRef ref, Id as);

  // --- the end of a transaction
  uint64_t NextTransactionNumber() { return ++last_transaction_; }
  uint64_t last_transaction() const { return last_transaction_; }
  // The client's state when the transaction began.
  uint32_t StateBefore(const Transaction& transaction, ClientIndex client) const;
  bool IsNew(const Transaction& transaction, Id id) const { return id.clock >= StateBefore(transaction, id.client); }
  // Notes in `attribution` who wrote and deleted what.
  void NoteAuthors(const Transaction& transaction);
  // Where transactions are noted as they end; null when nobody asked for it. They are of the time and, as far as they
  // delete, of the client that was said last.
  std::unique_ptr<Attribution> attribution;
  Attribution::Removal attributed_to;
  // Whether transactions that begin now keep which keys change.
  bool records_keys = false;

 private:
  static constexpr uint64_t kEntryBytes = 32;  // with its place in a table that is half full

  friend class CleanUp;
  // How far the deletion of a type's children has come.
  struct Descent {
    TypeIndex type;
    ItemRef next;
    size_t entry = 0;
  };

  void SplitText(Item& left, Item& right, uint32_t units);
  void SplitValues(Item& left, Item& right, uint32_t units);
  void RemoveSubdocument(Transaction& transaction, uint32_t number);
  void MarkDeleted(Transaction& transaction, ItemRef ref);
  void MarkChild(Transaction& transaction, ItemRef ref);
  bool MarkDescents(Transaction& transaction, Budget& budget);
  void Descend(const Item& item);
  // Whether `right` was made straight behind `left` and stands there: all but what they hold lets them merge.
  bool Continues(const Item& left, ItemRef right) const;

  const bool gc_;
  uint64_t subdocument_bytes_ = 0;
  uint64_t entry_bytes_ = 0;  // about
  absl::flat_hash_map<KeyIndex, TypeIndex> root_of_name_;
  std::vector<TypeIndex> roots_;
  absl::flat_hash_map<ItemRef, Id> redone_;

  uint64_t last_transaction_ = 0;
  std::vector<Descent> descents_;  // of what is being deleted
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_DOCUMENT_H_
