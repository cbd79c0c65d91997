// Finds places in a list by index, in O(log n).
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_POSITION_INDEX_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_POSITION_INDEX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "crdt/internal/store/format_summary.h"
#include "crdt/internal/store/item.h"
#include "crdt/text_unit.h"

namespace rivermeet::crdt::internal {

// What a reader sees of a run of items.
struct Extent {
  uint32_t units = 0;    // elements, or UTF-16 units
  uint32_t bytes = 0;    // UTF-8 bytes of text
  uint32_t astral = 0;   // characters of two units; code points = units - astral
  uint32_t formats = 0;  // format items that hold; they take no place

  bool operator==(const Extent&) const = default;

  // How much of it there is, in that unit.
  uint32_t In(TextUnit unit) const {
    return unit == TextUnit::kUtf16 ? units : unit == TextUnit::kUtf8 ? bytes : units - astral;
  }

  void Add(const Extent& other) {
    units += other.units;
    bytes += other.bytes;
    astral += other.astral;
    formats += other.formats;
  }
  void Subtract(const Extent& other) {
    units -= other.units;
    bytes -= other.bytes;
    astral -= other.astral;
    formats -= other.formats;
  }
};

// Of one item.
inline Extent ExtentOf(const Item& item) {
  if (!item.visible()) return {0, 0, 0, item.kind == ContentKind::kFormat && !item.deleted() ? 1u : 0u};
  if (item.kind != ContentKind::kString) return {item.length, 0, 0, 0};
  return {item.length, item.size, item.extra, 0};
}

// The items of a list cut into segments of some neighbours, and a B-tree over the segments that knows the extent
// of every subtree. An item knows its segment (Item::place); inside one the list itself is walked, so that an item
// costs four bytes here and an insertion one addition a level. Whoever changes the list says so, after it is done,
// except for removals.
class PositionIndex {
 public:
  using Unit = TextUnit;

  // Of the list that begins with `start`.
  PositionIndex(ItemArena& items, ItemRef start);

  // `item` is new in the list, linked.
  void Inserted(ItemRef item);
  // `right` was cut off from its left neighbour, whose extent was `before`.
  void Split(ItemRef right, const Extent& before);
  // `right`, still linked, is about to be made part of its left neighbour, at first as it is.
  void Merging(ItemRef right);
  // What is visible of `item` changes: its extent before is `before`, and is now what it is.
  void Changed(ItemRef item, const Extent& before);

  struct Place {
    ItemRef item = kNoItem;  // the visible item that holds the index; none at or past the end
    Extent before;           // of everything before the item
  };
  Place Find(uint32_t index, Unit unit = Unit::kUtf16) const;
  // The next search may begin at `item`, with `before` before it: somebody is typing there.
  void Remember(ItemRef item, const Extent& before) { cursor_ = {item, before}; }
  // Of everything before `item`.
  Extent Before(ItemRef item) const;
  // The last of the list; none when it is empty.
  ItemRef Last() const;
  // What the formats from the start of the list up to and with `last` do, in O(log n) and the number of keys.
  FormatSummary FormatsUpTo(ItemRef last);
  Extent total() const { return total_; }

  uint64_t bytes() const;

 private:
  friend class IndexChecker;

  static constexpr uint32_t kSegmentItems = 16;
  static constexpr uint32_t kFanout = 16;
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Segment {
    ItemRef first = kNoItem;
    uint32_t items = 0;
    uint32_t node = kNone;
    Extent extent;
    std::unique_ptr<FormatSummary> formats;  // null when it isn't known; of nodes too
  };
  struct Node {
    uint32_t parent = kNone;
    uint16_t count = 0;
    bool leaf = true;  // its children are segments
    uint32_t child[kFanout];
    Extent extent[kFanout];
    std::unique_ptr<FormatSummary> formats;
  };

  bool FindNearCursor(uint32_t index, Place& place) const;
  void KeepCursor(ItemRef changed);
  template <Unit kUnit>
  Place FindIn(uint32_t index) const;
  uint32_t SlotOf(const Node& node, uint32_t child) const;
  const FormatSummary& SummaryOf(uint32_t child, bool is_segment);
  void ForgetSummaries(uint32_t segment);
  void AddTo(uint32_t segment, const Extent& more, const Extent& less);
  void Settle() const;
  void SplitSegment(uint32_t segment);
  void RemoveSegment(uint32_t segment);
  void InsertChild(uint32_t node, uint32_t slot, uint32_t child, const Extent& extent);
  uint32_t SplitNode(uint32_t node, uint32_t from, const Extent& coming);
  void RemoveChild(uint32_t node, uint32_t child);
  void SetParent(const Node& node, uint32_t number, uint32_t child);
  uint32_t AddSegment();
  uint32_t AddNode(bool leaf);

  ItemArena* items_;
  std::vector<Segment> segments_;
  mutable std::vector<Node> nodes_;
  std::vector<uint32_t> free_segments_;
  std::vector<uint32_t> free_nodes_;
  uint32_t root_ = kNone;
  Extent total_;
  // The segment that changed last, and by what: who types changes one many times. The nodes above don't count that yet.
  mutable uint32_t unsettled_segment_ = kNone;
  mutable Extent unsettled_;
  mutable Place cursor_;  // where the last search ended; none once something before it may have changed
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_POSITION_INDEX_H_
