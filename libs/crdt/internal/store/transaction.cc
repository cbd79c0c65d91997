// What a transaction notes.
#include "crdt/internal/store/transaction.h"

#include <algorithm>
#include <utility>

#include "crdt/internal/store/document.h"

namespace rivermeet::crdt::internal {

namespace {

template <class T>
void ClearSmall(std::vector<T>& vector) {
  constexpr size_t kMuch = 1024;
  if (vector.capacity() > kMuch) {
    vector = {};
  } else {
    vector.clear();
  }
}

}  // namespace

void Transaction::Begin(uint64_t number, bool is_local, Origin origin) {
  number_ = number;
  local = is_local;
  if (origin.name != origin_name_) origin_name_ = origin.name;
  undo_manager_ = origin.undo_manager;
}

void Transaction::Clear() {
  ClearSmall(touched);
  ClearSmall(touched_after);
  constexpr size_t kKeptClients = 4;
  if (seams_.size() > kKeptClients) seams_.resize(kKeptClients);
  for (std::vector<uint32_t>& seams : seams_) ClearSmall(seams);
  constexpr size_t kKeptRanges = 64;
  for (Deleted& deleted : this->deleted()) {
    deleted.ranges.clear();
    if (deleted.ranges.capacity() > kKeptRanges) deleted.ranges.shrink_to_fit();
  }
  if (deleted_.size() > kKeptClients) deleted_.resize(kKeptClients);
  deleted_count_ = 0;
  deletes_content = false;
  ClearSmall(merge_later);
  ClearSmall(changed);
  needs_formatting_cleanup = false;
  subdocuments_added.clear();
  subdocuments_removed.clear();
  subdocuments_loaded.clear();
}

void Transaction::AddDeleted(ClientIndex client) {
  if (deleted_count_ == deleted_.size()) deleted_.emplace_back();
  deleted_[deleted_count_++].client = client;
}

void Transaction::AddSeam(uint32_t place, uint32_t clock) {
  if (clock == touched[place].before) return;
  if (place >= seams_.size()) seams_.resize(place + 1);
  seams_[place].push_back(clock);
}

uint32_t Transaction::LastSeam(uint32_t place, uint32_t clock) const {
  const uint32_t before = touched[place].before;
  if (clock < before) return 0;
  if (place >= seams_.size()) return before;
  const std::vector<uint32_t>& seams = seams_[place];
  const auto behind = std::upper_bound(seams.begin(), seams.end(), clock);
  return behind == seams.begin() ? before : *(behind - 1);
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

void Document::NoteAuthors(const Transaction& transaction) {
  if (attribution == nullptr) return;
  for (const auto& [client, before] : transaction.touched) {
    attribution->NoteWritten(structs[client].id, before, structs[client].state, attributed_to.time);
  }
  for (const auto& [client, ranges] : transaction.deleted()) {
    for (const ClockRange& range : ranges) {
      attribution->NoteRemoved(structs[client].id, range.clock, range.clock + range.length, attributed_to);
    }
  }
}

bool Document::Continues(const Item& left, ItemRef right_ref) const {
  const Item& right = items[right_ref];
  return right.origin == left.last_id() && left.right == right_ref && left.right_origin == right.right_origin &&
         ((left.flags | right.flags) & Item::kRedone) == 0;
}

}  // namespace rivermeet::crdt::internal
