// Entries by key in the order in which they came.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_KEYED_LIST_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_KEYED_LIST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/item.h"

namespace rivermeet::crdt::internal {

// `Entry` has a `key`, of which there is one entry at most. Everything takes constant time, on the average.
template <class Entry>
class KeyedList {
 public:
  class Iterator {
   public:
    Iterator(const Entry* at, const Entry* end) : at_(at), end_(end) { PassErased(); }
    const Entry& operator*() const { return *at_; }
    Iterator& operator++() {
      ++at_;
      PassErased();
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    void PassErased() {
      while (at_ != end_ && at_->key == kErased) ++at_;
    }

    const Entry* at_;
    const Entry* end_;
  };

  bool empty() const { return entries_.size() == erased_; }
  Iterator begin() const { return {entries_.data(), entries_.data() + entries_.size()}; }
  Iterator end() const { return {entries_.data() + entries_.size(), entries_.data() + entries_.size()}; }

  // Null when there is none; else for as long as nothing is added or erased.
  const Entry* Find(KeyIndex key) const {
    const size_t place = PlaceOf(key);
    return place == entries_.size() ? nullptr : &entries_[place];
  }
  Entry* Find(KeyIndex key) {
    const size_t place = PlaceOf(key);
    return place == entries_.size() ? nullptr : &entries_[place];
  }
  // Behind all others. There is none of its key.
  void Add(const Entry& entry) {
    entries_.push_back(entry);
    if (entries_.size() > kScanned) NotePlaces();
  }
  void Erase(KeyIndex key) {
    const size_t place = PlaceOf(key);
    if (place == entries_.size()) return;
    if (places_.empty()) {
      entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(place));
      return;
    }
    places_.erase(key);
    entries_[place].key = kErased;
    if (2 * ++erased_ > entries_.size()) Compact();
  }

 private:
  static constexpr size_t kScanned = 16;
  static constexpr KeyIndex kErased = 0;  // no key has that number

  size_t PlaceOf(KeyIndex key) const {
    if (!places_.empty()) {
      const auto found = places_.find(key);
      return found == places_.end() ? entries_.size() : found->second;
    }
    size_t place = 0;
    while (place < entries_.size() && entries_[place].key != key) ++place;
    return place;
  }
  void NotePlaces() {
    for (size_t place = places_.empty() ? 0 : entries_.size() - 1; place < entries_.size(); ++place) {
      places_[entries_[place].key] = static_cast<uint32_t>(place);
    }
  }
  void Compact() {
    std::erase_if(entries_, [](const Entry& entry) { return entry.key == kErased; });
    erased_ = 0;
    places_.clear();
    if (entries_.size() > kScanned) NotePlaces();
  }

  std::vector<Entry> entries_;                      // erased ones keep their place for a while
  absl::flat_hash_map<KeyIndex, uint32_t> places_;  // once there are more than a scan is quick for
  size_t erased_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_KEYED_LIST_H_
