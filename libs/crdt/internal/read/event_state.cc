#include "crdt/internal/read/event_state.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "crdt/internal/read/reading.h"

namespace rivermeet::crdt::internal {

bool EventState::Deletes(const Item& item) const {
  const StructStore::Client& client = session_.document.structs[item.id.client];
  const auto deleted = transaction_.deleted();
  const std::vector<ClockRange>* ranges = nullptr;
  if (client.deleted_by == transaction_.number()) {
    ranges = &deleted[client.deleted_place].ranges;
  } else if (client.deleted_by > transaction_.number()) {
    // A later transaction has deleted of it since.
    for (const Transaction::Deleted& of_client : deleted) {
      if (of_client.client == item.id.client) ranges = &of_client.ranges;
    }
  }
  return ranges != nullptr && Hold(*ranges, item.id.clock);
}

std::vector<KeyIndex> EventState::TouchedKeys() const {
  std::vector<KeyIndex> keys;
  if (transaction_.records_keys) {
    absl::flat_hash_set<KeyIndex> seen;
    for (const KeyIndex key : changed_.keys) {
      if (seen.insert(key).second) keys.push_back(key);
    }
    return keys;
  }
  // Nobody observed anything when the transaction began.
  const Type& type = session_.document.types[changed_.type];
  if (type.entries == nullptr) return keys;
  for (const auto& [key, ref] : *type.entries) {
    const Item& item = session_.document.items[ref];
    if (Adds(item) || Deletes(item)) keys.push_back(key);
  }
  return keys;
}

void EventState::AddKeyChange(KeyIndex key, std::vector<KeyChange>& to) const {
  const Document& document = session_.document;
  const Item& item = document.items[document.types[changed_.type].Entry(key)];
  const bool deletes = Deletes(item);
  const Item* before = &item;  // the value before the transaction, if it had that key then
  if (Adds(item)) {
    ItemRef ref = item.left;
    while (ref != kNoItem && Adds(document.items[ref])) ref = document.items[ref].left;
    before = ref != kNoItem && Deletes(document.items[ref]) ? &document.items[ref] : nullptr;
    if (deletes && before == nullptr) return;
  } else if (!deletes) {
    return;
  }
  KeyChange change;
  change.key = document.keys[key];
  change.action = deletes             ? KeyChange::Action::kDelete
                  : before != nullptr ? KeyChange::Action::kUpdate
                                      : KeyChange::Action::kAdd;
  if (before != nullptr) change.old_value = ValueIn(session_, *before, before->length - 1);
  to.push_back(std::move(change));
}

const std::vector<KeyChange>& EventState::Keys() {
  if (!keys_.has_value()) {
    std::vector<KeyChange> keys;
    for (const KeyIndex key : TouchedKeys()) AddKeyChange(key, keys);
    keys_ = std::move(keys);
  }
  return *keys_;
}

const std::vector<DeltaChange>& EventState::Delta() {
  if (delta_.has_value()) return *delta_;
  const TypeKind kind = session_.document.types[changed_.type].kind;
  if (kind == TypeKind::kText || kind == TypeKind::kXmlText) {
    delta_ = TextDelta(*this);
  } else {
    delta_ = changed_.list ? FindListDelta() : std::vector<DeltaChange>();
  }
  return *delta_;
}

std::vector<DeltaChange> EventState::FindListDelta() const {
  using Kind = DeltaChange::Kind;
  const Document& document = session_.document;
  std::vector<DeltaChange> delta;
  const auto step = [&delta](Kind kind) -> DeltaChange& {
    if (delta.empty() || delta.back().kind != kind) delta.push_back({.kind = kind});
    return delta.back();
  };
  for (ItemRef ref = document.types[changed_.type].start; ref != kNoItem; ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    if (item.deleted()) {
      if (Deletes(item) && !Adds(item)) step(Kind::kDelete).length += item.length;
    } else if (Adds(item)) {
      ForEachValueIn(session_, item, 0, item.length, [&inserted = step(Kind::kInsert).inserted](uint32_t, Value value) {
        inserted.push_back(std::move(value));
      });
    } else {
      step(Kind::kRetain).length += item.length;
    }
  }
  if (!delta.empty() && delta.back().kind == Kind::kRetain) delta.pop_back();
  return delta;
}

}  // namespace rivermeet::crdt::internal
