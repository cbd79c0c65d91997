// The shared types of a document: roots and those that an item holds.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_TYPE_TABLE_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_TYPE_TABLE_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/item.h"
#include "crdt/internal/store/position_index.h"
#include "crdt/internal/store/search_markers.h"

namespace rivermeet::crdt::internal {

// The last item of each key's chain, which is its value unless it is deleted; in the order in which the keys came.
class EntryTable {
 public:
  using Entry = std::pair<KeyIndex, ItemRef>;

  ItemRef Find(KeyIndex key) const {
    const size_t at = Place(key);
    return at == entries_.size() ? kNoItem : entries_[at].second;
  }
  // Whether the key is new.
  bool Set(KeyIndex key, ItemRef item) {
    const size_t at = Place(key);
    if (at < entries_.size()) {
      entries_[at].second = item;
      return false;
    }
    entries_.emplace_back(key, item);
    if (entries_.size() == kScanned + 1) {
      for (size_t i = 0; i < entries_.size(); ++i) places_.emplace(entries_[i].first, i);
    } else if (entries_.size() > kScanned) {
      places_.emplace(key, entries_.size() - 1);
    }
    return true;
  }
  size_t size() const { return entries_.size(); }
  const Entry& operator[](size_t at) const { return entries_[at]; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  uint64_t bytes() const {
    return sizeof(*this) + entries_.capacity() * sizeof(Entry) +
           places_.capacity() * (sizeof(KeyIndex) + sizeof(uint32_t) + 1);
  }

 private:
  static constexpr size_t kScanned = 8;

  size_t Place(KeyIndex key) const {
    if (entries_.size() <= kScanned) {
      size_t at = 0;
      while (at < entries_.size() && entries_[at].first != key) ++at;
      return at;
    }
    const auto found = places_.find(key);
    return found == places_.end() ? entries_.size() : found->second;
  }

  std::vector<Entry> entries_;
  absl::flat_hash_map<KeyIndex, uint32_t> places_;  // once there are more than a scan is quick for
};

// What a type is. A root is untyped until somebody asks for it as one kind; updates don't say.
enum class TypeKind : uint8_t { kArray, kMap, kText, kXmlElement, kXmlFragment, kXmlHook, kXmlText, kUntyped };

struct Type {
  TypeKind kind = TypeKind::kUntyped;
  bool has_formatting = false;  // a format came since it has its kind
  bool has_values = false;      // something came that IsForeignToText()
  bool free = false;            // its number may be given again
  uint32_t generation = 0;      // how often its number was given away before
  uint32_t depth = 0;           // of a root 0
  uint64_t changed_by = 0;      // number of the last transaction that changed it
  uint32_t changed_place = 0;   // where in Transaction::changed
  ItemRef item = kNoItem;       // that holds it; none for a root
  ItemRef start = kNoItem;
  uint32_t length = 0;                   // places that a reader sees
  KeyIndex name = 0;                     // of a root, XML element or hook
  std::unique_ptr<EntryTable> entries;   // null while it has none
  std::unique_ptr<PositionIndex> index;  // null until somebody asks by position

  std::unique_ptr<SearchMarkers> markers;  // only where they show, until a format comes

  ItemRef Entry(KeyIndex key) const { return entries == nullptr ? kNoItem : entries->Find(key); }
  // Whether the key is new.
  bool SetEntry(KeyIndex key, ItemRef item_of_key) {
    if (entries == nullptr) entries = std::make_unique<EntryTable>();
    return entries->Set(key, item_of_key);
  }
};

// Types by number; addresses hold.
class TypeTable {
 public:
  TypeTable() { blocks_.emplace_back(new Type[kBlock]); }

  Type& operator[](TypeIndex type) { return blocks_[type / kBlock][type % kBlock]; }
  const Type& operator[](TypeIndex type) const { return blocks_[type / kBlock][type % kBlock]; }
  TypeIndex Add() {
    if (free_.empty()) {
      if (size_ / kBlock == blocks_.size()) blocks_.emplace_back(new Type[kBlock]);
      return size_++;
    }
    const TypeIndex type = free_.back();
    free_.pop_back();
    (*this)[type].free = false;
    return type;
  }
  // Its number is given again.
  void Free(TypeIndex type) {
    const uint32_t generation = (*this)[type].generation + 1;
    (*this)[type] = Type();
    (*this)[type].generation = generation;
    (*this)[type].free = true;
    free_.push_back(type);
  }
  // One more than the highest number.
  TypeIndex size() const { return size_; }

 private:
  static constexpr TypeIndex kBlock = 8;

  std::vector<std::unique_ptr<Type[]>> blocks_;
  TypeIndex size_ = 1;  // number 0 is nobody's
  std::vector<TypeIndex> free_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_TYPE_TABLE_H_
