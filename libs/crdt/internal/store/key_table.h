// Names that come again and again: keys of maps, attributes, roots and nodes.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_KEY_TABLE_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_KEY_TABLE_H_

#include <deque>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/item.h"

namespace rivermeet::crdt::internal {

// Numbers names from 1 on; a name is never forgotten.
class KeyTable {
 public:
  KeyIndex Add(std::string_view name) {
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return found->second;
    names_.emplace_back(name);
    bytes_ += name.size();
    const KeyIndex key = static_cast<KeyIndex>(names_.size());
    numbers_.emplace(names_.back(), key);
    return key;
  }
  // 0 when it is unknown.
  KeyIndex Find(std::string_view name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? 0 : found->second;
  }
  std::string_view operator[](KeyIndex key) const { return names_[key - 1]; }

  size_t size() const { return names_.size(); }
  uint64_t bytes() const {
    return bytes_ + names_.size() * sizeof(std::string) +
           numbers_.capacity() * (sizeof(std::string_view) + sizeof(KeyIndex) + 1);
  }

 private:
  std::deque<std::string> names_;
  absl::flat_hash_map<std::string_view, KeyIndex> numbers_;
  uint64_t bytes_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_KEY_TABLE_H_
