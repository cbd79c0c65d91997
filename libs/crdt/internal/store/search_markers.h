// yjs's shortcuts into a list (types/AbstractType.js), for the cases in which they show in what is written.
//
// A root that gets its kind late, with formats in it already, has markers in yjs; what gets a format later has none.
// With a marker yjs looks for a place from there, and a text doesn't see the formats before it: what it then inserts or
// takes away depends on where its markers stand. An array counts a format as a place when it deletes, but not when it
// looks for one, so that its markers are wrong from then on. So are those of a text without formats that holds what no
// text is given, since others take its root for a list: deleting text leaves that, but moves the markers behind it as
// if it were gone. Elsewhere the position index finds the same places.
//
// Reading leaves no markers, where yjs's get() of an array does.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_SEARCH_MARKERS_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_SEARCH_MARKERS_H_

#include <cstdint>
#include <vector>

#include "crdt/internal/store/item.h"

namespace rivermeet::crdt::internal {

class SearchMarkers {
 public:
  struct Marker {
    ItemRef item = kNoItem;
    int64_t index = 0;  // of the item's first unit
    uint64_t used = 0;  // when, in this list's own count
  };

  // The marker for `index` in the list from `start` on with `length` units: the nearest one, moved there, or a new one.
  // Null when the list is empty or `index` is 0.
  const Marker* Find(ItemArena& items, ItemRef start, uint32_t length, uint64_t index);
  // `units` were inserted, or, when negative, deleted at `index`.
  void Changed(ItemArena& items, uint64_t index, int64_t units);
  // `right` becomes a part of its left neighbour, which is still without it.
  void Merging(const ItemArena& items, ItemRef left, ItemRef right);
  // Somebody else changed the list, or an undoing did.
  void Clear() { markers_.clear(); }

 private:
  static constexpr size_t kMost = 80;

  void Move(ItemArena& items, Marker& marker, ItemRef item, int64_t index);
  const Marker* Mark(ItemArena& items, ItemRef item, int64_t index);

  std::vector<Marker> markers_;
  uint64_t clock_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_SEARCH_MARKERS_H_
