// Which of a merge's updates comes next: the order of the array of decoders that yjs sorts before every struct it
// writes (utils/updates.js, mergeUpdatesV2), without sorting it where that isn't needed.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_MERGE_ORDER_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_MERGE_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/btree_set.h"

namespace rivermeet::crdt::internal {

// The struct that an update comes to next.
struct MergeHead {
  uint64_t client = 0;
  uint64_t clock = 0;
  uint32_t source = 0;  // which update
  bool gc = false;      // a GC, not an Item
};

// Higher clients come first, then lower clocks. Of equals it is the order that was, in which the one in front, whose
// head has just changed, precedes all: a stable sort.
//
// But where a GC and an Item have the same clock, yjs's comparator says of either that it comes before the other. What
// such a pair's order is, and what it becomes at each further sort, depends on where both are in the array and on the
// steps of the engine's sort. So from such a pair on the array is sorted as V8 does it, step by step, until there is
// none any more. Without such pairs a step is O(log n), with them O(n): of more than kMaxMergedExactly updates
// (update.h) they are taken for equal.
class MergeOrder {
 public:
  // `heads`: of each update with structs, in the order in which they were given.
  explicit MergeOrder(std::vector<MergeHead> heads);

  bool empty() const { return size_ == 0; }
  const MergeHead& front() const { return front_; }
  // The update in front came to `head`, of the same source.
  void ReplaceFront(const MergeHead& head);
  // It came to its end.
  void RemoveFront();

 private:
  struct Place {
    MergeHead head;
    int64_t stamp;  // lower is further in front
  };
  struct ByPlace {
    bool operator()(const Place& a, const Place& b) const;
  };

  void TakeFront();
  bool MakesPair(const MergeHead& head) const;
  void GatherArray();
  void SortAnew();

  size_t size_;
  const bool exact_;
  bool has_items_ = false;  // seen so far
  bool has_gcs_ = false;
  MergeHead front_;

  // With such a pair: yjs's array, from `first_` on, the front included. Without: of what was so ordered last, those
  // that haven't been in front since; those that have are in the tree, precede their equals, and the front is in
  // neither.
  std::vector<MergeHead> array_;
  size_t first_ = 0;
  absl::btree_set<Place, ByPlace> tree_;
  int64_t lowest_stamp_ = 0;
  bool has_pair_ = false;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_MERGE_ORDER_H_
