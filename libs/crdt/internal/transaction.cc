// Beginning and ending a transaction (yjs: utils/Transaction.js, cleanupTransactions).
#include "crdt/internal/transaction.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "crdt/internal/document.h"
#include "crdt/internal/utf.h"

namespace rivermeet::crdt::internal {

void Transaction::Reset(uint64_t number, bool is_local, Origin origin) {
  number_ = number;
  local = is_local;
  if (origin.name != origin_name_) origin_name_ = origin.name;
  undo_manager_ = origin.undo_manager;
  touched.clear();
  touched_after.clear();
  constexpr size_t kKeptClients = 4;
  constexpr size_t kKeptRanges = 64;
  for (Deleted& deleted : this->deleted()) {
    deleted.ranges.clear();
    if (deleted.ranges.capacity() > kKeptRanges) deleted.ranges.shrink_to_fit();
  }
  if (deleted_.size() > kKeptClients) deleted_.resize(kKeptClients);
  deleted_count_ = 0;
  merge_later.clear();
  changed.clear();
  needs_formatting_cleanup = false;
  subdocuments_added.clear();
  subdocuments_removed.clear();
  subdocuments_loaded.clear();
}

void Transaction::AddDeleted(ClientIndex client) {
  if (deleted_count_ == deleted_.size()) deleted_.emplace_back();
  deleted_[deleted_count_++].client = client;
}

uint32_t Document::StateBefore(const Transaction& transaction, ClientIndex client) const {
  const StructStore::Client& c = structs[client];
  if (c.touched_by == transaction.number()) return transaction.touched[c.touched_place].before;
  if (c.touched_by < transaction.number()) return c.state;
  // A later transaction has added to it since.
  for (const Transaction::Touched& touched : transaction.touched) {
    if (touched.client == client) return touched.before;
  }
  return c.state;
}

void Document::AddChanged(Transaction& transaction, TypeIndex number, bool entry, KeyIndex key) {
  Type& type = types[number];
  if (type.changed_by != transaction.number()) {
    if (type.item != kNoItem) {
      const Item& holder = items[type.item];
      if (IsNew(transaction, holder.id) || holder.deleted()) return;
    }
    type.changed_by = transaction.number();
    type.changed_place = static_cast<uint32_t>(transaction.changed.size());
    transaction.changed.push_back({number, false, {}});
  }
  Transaction::Changed& changed = transaction.changed[type.changed_place];
  if (!entry) {
    changed.list = true;
  } else if (transaction.records_keys && (changed.keys.empty() || changed.keys.back() != key)) {
    changed.keys.push_back(key);
  }
}

void Document::CleanUp(Transaction& transaction) {
  if (attribution != nullptr) NoteAuthors(transaction);
  if (gc_) CollectDeleted(transaction);
  MergeDeleted(transaction);
  MergeNew(transaction);
  MergeSplit(transaction);
  if (contents.mostly_garbage()) CompactContents();
}

void Document::NoteAuthors(const Transaction& transaction) {
  for (const auto& [client, before] : transaction.touched) {
    attribution->NoteWritten(structs[client].id, before, structs[client].state, attributed_to.time);
  }
  for (const auto& [client, ranges] : transaction.deleted()) {
    for (const DeleteRange& range : ranges) {
      attribution->NoteRemoved(structs[client].id, range.clock, range.clock + range.length, attributed_to);
    }
  }
}

bool Document::Continues(const Item& left, ItemRef right_ref) const {
  const Item& right = items[right_ref];
  return right.origin == left.last_id() && left.right == right_ref && left.right_origin == right.right_origin &&
         ((left.flags | right.flags) & Item::kRedone) == 0;
}

bool Document::CanMerge(const Item& left, ItemRef right_ref) const {
  const Item& right = items[right_ref];
  if (left.kind != right.kind || left.deleted() != right.deleted()) return false;
  if (left.is_gc()) return true;
  if (left.kind != ContentKind::kString && left.kind != ContentKind::kDeleted && left.kind != ContentKind::kAny &&
      left.kind != ContentKind::kJson) {
    return false;
  }
  if (uint64_t{left.size} + right.size > std::numeric_limits<uint32_t>::max()) return false;
  return Continues(left, right_ref);
}

StructList::Position Document::MergeWithLefts(ClientIndex client, StructList::Position at, uint32_t* merged) {
  StructList& list = structs[client].structs;
  *merged = 0;
  StructList::Position first = at;
  while (!list.IsFirst(first)) {
    const StructList::Position before = list.Previous(first);
    if (!CanMerge(items[list.ItemAt(before)], list.ItemAt(first))) break;
    first = before;
    ++*merged;
  }
  if (*merged == 0) return at;
  const ItemRef kept = list.ItemAt(first);
  Item& left = items[kept];
  StructList::Position right = first;
  for (uint32_t i = 0; i < *merged; ++i) {
    right = list.Next(right);
    MergePair(left, kept, list.ItemAt(right));
  }
  return list.Erase(list.Next(first), *merged);
}

void Document::MergePair(Item& left, ItemRef left_ref, ItemRef right_ref) {
  Item& right = items[right_ref];
  if (!left.is_gc()) {
    Type& parent = types[left.parent];
    Extent before = ExtentOf(left);
    before.Add(ExtentOf(right));
    if (right.is_entry()) {
      if (parent.Entry(right.place) == right_ref) parent.SetEntry(right.place, left_ref);
    } else {
      if (parent.index != nullptr) parent.index->Merging(right_ref);
      if (parent.markers != nullptr) parent.markers->Merging(items, left_ref, right_ref);
    }
    MergeContent(left, right);
    left.flags |= right.flags & Item::kKeep;
    left.right = right.right;
    if (left.right != kNoItem) items[left.right].left = left_ref;
    left.length += right.length;
    // Two surrogates may have become one character.
    if (parent.index != nullptr && !left.is_entry() && ExtentOf(left) != before)
      parent.index->Changed(left_ref, before);
  } else {
    left.length += right.length;
  }
  items.Free(right_ref);
}

void Document::MergeContent(Item& left, const Item& right) {
  if (right.size == 0) return;
  const bool is_text = left.kind == ContentKind::kString;
  const bool joins = is_text && EndsInHighSurrogate(left.bytes()) && StartsWithLowSurrogate(right.bytes());
  const std::string_view joined =
      joins ? contents.JoinCharacter(left.bytes(), right.bytes()) : contents.Join(left.bytes(), right.bytes());
  left.data = joined.data();
  left.size = static_cast<uint32_t>(joined.size());
  if (is_text) left.extra += right.extra + (joins ? 1 : 0);
}

void Document::MergeDeleted(const Transaction& transaction) {
  uint32_t merged;
  for (const auto& [client, ranges] : transaction.deleted()) {
    const StructList& list = structs[client].structs;
    for (size_t r = ranges.size(); r-- > 0;) {
      // From the struct behind the last deleted one, from right to left.
      StructList::Position at = list.Find(static_cast<uint32_t>(ranges[r].clock + ranges[r].length - 1));
      if (!list.IsLast(at)) at = list.Next(at);
      while (!list.IsFirst(at) && list[at].clock >= ranges[r].clock) {
        at = MergeWithLefts(client, at, &merged);
        if (list.IsFirst(at)) break;
        at = list.Previous(at);
      }
    }
  }
}

void Document::MergeNew(const Transaction& transaction) {
  uint32_t merged;
  for (const auto& [client, before] : transaction.touched) {
    const StructList& list = structs[client].structs;
    const uint32_t from = list[list.Find(before)].clock;
    StructList::Position at = list.last();
    while (!list.IsFirst(at) && list[at].clock >= from) {
      at = MergeWithLefts(client, at, &merged);
      if (list.IsFirst(at)) break;
      at = list.Previous(at);
    }
  }
}

void Document::MergeSplit(const Transaction& transaction) {
  uint32_t merged;
  for (size_t i = transaction.merge_later.size(); i-- > 0;) {
    const Id id = transaction.merge_later[i];
    const StructList& list = structs[id.client].structs;
    StructList::Position at = list.Find(id.clock);
    if (!list.IsLast(at)) {
      at = MergeWithLefts(id.client, list.Next(at), &merged);
      if (merged > 1) continue;
      if (merged == 0) at = list.Previous(at);
    }
    if (!list.IsFirst(at)) MergeWithLefts(id.client, at, &merged);
  }
}

void Document::CompactContents() {
  ContentArena compact;
  absl::flat_hash_map<const char*, const char*> shared;
  for (ClientIndex c = 0; c < structs.size(); ++c) {
    const StructList& list = structs[c].structs;
    for (StructList::Position at = list.first(); list.Valid(at); at = list.Next(at)) {
      Item& item = items[list.ItemAt(at)];
      if (item.size == 0) continue;
      if (item.kind == ContentKind::kFormat) {
        // Formats that share a value go on sharing it.
        const auto [place, made] = shared.try_emplace(item.data, nullptr);
        if (made) {
          place->second = compact.Add(item.bytes()).data();
        } else {
          compact.Share(item.size);
        }
        item.data = place->second;
      } else {
        item.data = compact.Add(item.bytes()).data();
      }
    }
  }
  contents = std::move(compact);
}

}  // namespace rivermeet::crdt::internal
