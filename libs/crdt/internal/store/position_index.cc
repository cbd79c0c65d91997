#include "crdt/internal/store/position_index.h"

#include <algorithm>
#include <utility>

namespace rivermeet::crdt::internal {

PositionIndex::PositionIndex(ItemArena& items, ItemRef start) : items_(&items) {
  // Segments three quarters full, then level by level the nodes above them.
  constexpr uint32_t kFull = kSegmentItems * 3 / 4;
  std::vector<uint32_t> level;
  for (ItemRef ref = start; ref != kNoItem; ref = items[ref].right) {
    __builtin_prefetch(&items[ref] + 2, 1);  // neighbours were often made one after the other
    if (level.empty() || segments_.back().items == kFull) {
      level.push_back(AddSegment());
      segments_.back().first = ref;
    }
    Segment& segment = segments_.back();
    ++segment.items;
    segment.extent.Add(ExtentOf(items[ref]));
    items[ref].place = level.back();
  }
  if (level.empty()) level.push_back(AddSegment());
  bool leaf = true;
  do {
    std::vector<uint32_t> above;
    for (size_t i = 0; i < level.size(); ++i) {
      if (i % (kFanout * 3 / 4) == 0) above.push_back(AddNode(leaf));
      Node& node = nodes_[above.back()];
      Extent sum;
      if (leaf) {
        sum = segments_[level[i]].extent;
        segments_[level[i]].node = above.back();
      } else {
        const Node& child = nodes_[level[i]];
        for (uint32_t c = 0; c < child.count; ++c) sum.Add(child.extent[c]);
        nodes_[level[i]].parent = above.back();
      }
      node.child[node.count] = level[i];
      node.extent[node.count++] = sum;
      if (leaf) total_.Add(sum);
    }
    level = std::move(above);
    leaf = false;
  } while (level.size() > 1);
  root_ = level[0];
}

uint32_t PositionIndex::AddSegment() {
  if (!free_segments_.empty()) {
    const uint32_t segment = free_segments_.back();
    free_segments_.pop_back();
    segments_[segment] = Segment();
    return segment;
  }
  segments_.emplace_back();
  return static_cast<uint32_t>(segments_.size() - 1);
}

uint32_t PositionIndex::AddNode(bool leaf) {
  uint32_t node;
  if (!free_nodes_.empty()) {
    node = free_nodes_.back();
    free_nodes_.pop_back();
  } else {
    node = static_cast<uint32_t>(nodes_.size());
    nodes_.emplace_back();
  }
  nodes_[node].parent = kNone;
  nodes_[node].count = 0;
  nodes_[node].leaf = leaf;
  nodes_[node].formats.reset();
  return node;
}

uint32_t PositionIndex::SlotOf(const Node& node, uint32_t child) const {
  uint32_t slot = 0;
  while (node.child[slot] != child) ++slot;
  return slot;
}

void PositionIndex::AddTo(uint32_t segment, const Extent& more, const Extent& less) {
  Extent change = more;
  change.Subtract(less);
  if (change.formats != 0) ForgetSummaries(segment);
  segments_[segment].extent.Add(change);
  total_.Add(change);
  if (segment != unsettled_segment_) Settle();
  unsettled_segment_ = segment;
  unsettled_.Add(change);
}

// Lets the nodes count what changed; before they are asked, or rearranged.
void PositionIndex::Settle() const {
  if (unsettled_segment_ == kNone) return;
  uint32_t child = unsettled_segment_;
  for (uint32_t node = segments_[child].node; node != kNone; node = nodes_[node].parent) {
    nodes_[node].extent[SlotOf(nodes_[node], child)].Add(unsettled_);
    child = node;
  }
  unsettled_segment_ = kNone;
  unsettled_ = {};
}

void PositionIndex::Inserted(ItemRef ref) {
  KeepCursor(ref);
  Item& item = (*items_)[ref];
  uint32_t at;
  if (item.left != kNoItem) {
    at = (*items_)[item.left].place;
  } else if (item.right != kNoItem) {
    at = (*items_)[item.right].place;
    segments_[at].first = ref;
  } else {  // the list was empty: there is the one segment with nothing in it
    at = nodes_[root_].child[0];
    segments_[at].first = ref;
  }
  item.place = at;
  ++segments_[at].items;
  AddTo(at, ExtentOf(item), {});
  if (segments_[at].items > kSegmentItems) SplitSegment(at);
}

void PositionIndex::Split(ItemRef right, const Extent& before) {
  KeepCursor(right);
  Item& item = (*items_)[right];
  const Item& left = (*items_)[item.left];
  item.place = left.place;
  Extent now = ExtentOf(left);
  now.Add(ExtentOf(item));
  if (now != before) AddTo(item.place, now, before);  // a surrogate pair became two other characters
  if (++segments_[item.place].items > kSegmentItems) SplitSegment(item.place);
}

void PositionIndex::Merging(ItemRef right) {
  KeepCursor(right);
  if (right == cursor_.item) cursor_.item = kNoItem;
  const Item& item = (*items_)[right];
  const uint32_t from = item.place;
  const uint32_t to = (*items_)[item.left].place;
  if (from != to) {
    const Extent extent = ExtentOf(item);
    AddTo(from, {}, extent);
    AddTo(to, extent, {});
    segments_[from].first = item.right;
  }
  if (--segments_[from].items == 0) RemoveSegment(from);
}

void PositionIndex::Changed(ItemRef item, const Extent& before) {
  KeepCursor(item);
  AddTo((*items_)[item].place, ExtentOf((*items_)[item]), before);
}

void PositionIndex::SplitSegment(uint32_t segment) {
  Settle();
  const uint32_t right = AddSegment();
  segments_[segment].formats.reset();
  const uint32_t keep = segments_[segment].items / 2;
  ItemRef ref = segments_[segment].first;
  for (uint32_t i = 0; i < keep; ++i) ref = (*items_)[ref].right;
  segments_[right].first = ref;
  segments_[right].items = segments_[segment].items - keep;
  Extent moved;
  for (uint32_t i = 0; i < segments_[right].items; ++i, ref = (*items_)[ref].right) {
    (*items_)[ref].place = right;
    moved.Add(ExtentOf((*items_)[ref]));
  }
  segments_[segment].items = keep;
  segments_[segment].extent.Subtract(moved);
  segments_[right].extent = moved;
  const uint32_t node = segments_[segment].node;
  const uint32_t slot = SlotOf(nodes_[node], segment);
  nodes_[node].extent[slot].Subtract(moved);
  InsertChild(node, slot + 1, right, moved);
}

void PositionIndex::SetParent(const Node& node, uint32_t number, uint32_t child) {
  if (node.leaf) {
    segments_[child].node = number;
  } else {
    nodes_[child].parent = number;
  }
}

// `extent` was taken out of the child's left neighbour already, but out of nothing above: sums there don't change.
void PositionIndex::InsertChild(uint32_t at, uint32_t slot, uint32_t child, const Extent& extent) {
  if (nodes_[at].count == kFanout) {
    constexpr uint32_t kHalf = kFanout / 2;
    const uint32_t right = SplitNode(at, kHalf, slot > kHalf ? extent : Extent());
    if (slot > kHalf) {
      at = right;
      slot -= kHalf;
    }
  }
  Node& node = nodes_[at];
  for (uint32_t i = node.count; i > slot; --i) {
    node.child[i] = node.child[i - 1];
    node.extent[i] = node.extent[i - 1];
  }
  node.child[slot] = child;
  node.extent[slot] = extent;
  ++node.count;
  SetParent(node, at, child);
}

// Moves the children from `from` on to a new right neighbour, which will get a child of extent `coming` too.
uint32_t PositionIndex::SplitNode(uint32_t at, uint32_t from, const Extent& coming) {
  const uint32_t right = AddNode(nodes_[at].leaf);
  nodes_[at].formats.reset();
  Extent moved = coming;
  for (uint32_t i = from; i < nodes_[at].count; ++i) {
    Node& to = nodes_[right];
    to.child[to.count] = nodes_[at].child[i];
    to.extent[to.count++] = nodes_[at].extent[i];
    moved.Add(nodes_[at].extent[i]);
    SetParent(to, right, nodes_[at].child[i]);
  }
  nodes_[at].count = static_cast<uint16_t>(from);
  if (at == root_) {
    root_ = AddNode(false);
    Node& root = nodes_[root_];
    root.count = 1;
    root.child[0] = at;
    root.extent[0] = total_;
    nodes_[at].parent = root_;
  }
  const uint32_t parent = nodes_[at].parent;
  const uint32_t slot = SlotOf(nodes_[parent], at);
  nodes_[parent].extent[slot].Subtract(moved);
  InsertChild(parent, slot + 1, right, moved);
  return right;
}

void PositionIndex::RemoveSegment(uint32_t segment) {
  if (nodes_[root_].leaf && nodes_[root_].count == 1) return;  // the last one stays, empty
  RemoveChild(segments_[segment].node, segment);
  free_segments_.push_back(segment);
}

void PositionIndex::RemoveChild(uint32_t at, uint32_t child) {
  for (;;) {
    Node& node = nodes_[at];
    for (uint32_t i = SlotOf(node, child); i + 1 < node.count; ++i) {
      node.child[i] = node.child[i + 1];
      node.extent[i] = node.extent[i + 1];
    }
    if (--node.count > 0 || at == root_) break;
    child = at;
    at = node.parent;
    free_nodes_.push_back(child);
  }
  while (!nodes_[root_].leaf && nodes_[root_].count == 1) {
    free_nodes_.push_back(root_);
    root_ = nodes_[root_].child[0];
    nodes_[root_].parent = kNone;
  }
}

// Who types, or reads on, asks for places one behind the other.
bool PositionIndex::FindNearCursor(uint32_t index, Place& place) const {
  if (cursor_.item == kNoItem || index < cursor_.before.units) return false;
  constexpr int kSteps = 4;
  place = cursor_;
  for (int step = 0; step < kSteps && place.item != kNoItem; ++step) {
    const Item& item = (*items_)[place.item];
    const Extent extent = ExtentOf(item);
    if (index - place.before.units < extent.units) return true;
    place.before.Add(extent);
    place.item = item.right;
  }
  return false;
}

// `changed` is about to change, has changed or is new. What is before the cursor stays if it is that item or one of the
// next two: whoever deletes on cuts one and merges the other with what was deleted before.
void PositionIndex::KeepCursor(ItemRef changed) {
  for (int step = 0; step < 3 && changed != kNoItem; ++step) {
    if (changed == cursor_.item) return;
    changed = (*items_)[changed].left;
  }
  cursor_.item = kNoItem;
}

PositionIndex::Place PositionIndex::Find(uint32_t index, Unit unit) const {
  switch (unit) {
    case Unit::kUtf16: {
      Place place;
      if (!FindNearCursor(index, place)) place = FindIn<Unit::kUtf16>(index);
      if (place.item != kNoItem) cursor_ = place;
      return place;
    }
    case Unit::kUtf8:
      return FindIn<Unit::kUtf8>(index);
    case Unit::kCodePoint:
      return FindIn<Unit::kCodePoint>(index);
  }
  return {};
}

template <PositionIndex::Unit kUnit>
PositionIndex::Place PositionIndex::FindIn(uint32_t index) const {
  Place place;
  if (index >= total_.In(kUnit)) {
    place.before = total_;
    return place;
  }
  Settle();
  Extent before;  // the place itself would be written at every step
  uint32_t at = root_;
  for (bool leaf = false; !leaf;) {
    const Node& node = nodes_[at];
    const Extent* extent = node.extent;
    for (; index >= extent->In(kUnit); ++extent) {
      index -= extent->In(kUnit);
      before.Add(*extent);
    }
    at = node.child[extent - node.extent];
    leaf = node.leaf;
  }
  const ItemArena& items = *items_;
  ItemRef ref = segments_[at].first;
  for (;;) {
    const Item& item = items[ref];
    const Extent extent = ExtentOf(item);
    if (index < extent.In(kUnit)) break;
    index -= extent.In(kUnit);
    before.Add(extent);
    ref = item.right;
  }
  place.item = ref;
  place.before = before;
  return place;
}

Extent PositionIndex::Before(ItemRef item) const {
  Settle();
  Extent before;
  const uint32_t segment = (*items_)[item].place;
  for (ItemRef ref = segments_[segment].first; ref != item; ref = (*items_)[ref].right) {
    before.Add(ExtentOf((*items_)[ref]));
  }
  uint32_t child = segment;
  for (uint32_t at = segments_[segment].node; at != kNone; at = nodes_[at].parent) {
    const Node& node = nodes_[at];
    for (uint32_t slot = 0; node.child[slot] != child; ++slot) before.Add(node.extent[slot]);
    child = at;
  }
  return before;
}

ItemRef PositionIndex::Last() const {
  uint32_t at = root_;
  while (!nodes_[at].leaf) at = nodes_[at].child[nodes_[at].count - 1];
  ItemRef ref = segments_[nodes_[at].child[nodes_[at].count - 1]].first;
  while (ref != kNoItem && (*items_)[ref].right != kNoItem) ref = (*items_)[ref].right;
  return ref;
}

const FormatSummary& PositionIndex::SummaryOf(uint32_t number, bool is_segment) {
  std::unique_ptr<FormatSummary>& known = is_segment ? segments_[number].formats : nodes_[number].formats;
  if (known != nullptr) return *known;
  auto summary = std::make_unique<FormatSummary>();
  if (is_segment) {
    ItemRef ref = segments_[number].first;
    for (uint32_t i = 0; i < segments_[number].items; ++i, ref = (*items_)[ref].right) {
      if (ExtentOf((*items_)[ref]).formats > 0) summary->Append((*items_)[ref], ref);
    }
  } else {
    const Node& node = nodes_[number];
    for (uint32_t slot = 0; slot < node.count; ++slot) {
      if (node.extent[slot].formats > 0) summary->Append(SummaryOf(node.child[slot], node.leaf));
    }
  }
  known = std::move(summary);
  return *known;
}

void PositionIndex::ForgetSummaries(uint32_t segment) {
  segments_[segment].formats.reset();
  for (uint32_t node = segments_[segment].node; node != kNone; node = nodes_[node].parent) nodes_[node].formats.reset();
}

FormatSummary PositionIndex::FormatsUpTo(ItemRef last) {
  Settle();
  // From the root down to the segment: what is left of the way.
  const uint32_t segment = (*items_)[last].place;
  std::vector<std::pair<uint32_t, uint32_t>> way;  // nodes from below, each with the slot to go by
  uint32_t child = segment;
  for (uint32_t at = segments_[segment].node; at != kNone; child = at, at = nodes_[at].parent) {
    way.emplace_back(at, SlotOf(nodes_[at], child));
  }
  FormatSummary summary;
  for (auto step = way.rbegin(); step != way.rend(); ++step) {
    const Node& node = nodes_[step->first];
    for (uint32_t slot = 0; slot < step->second; ++slot) {
      if (node.extent[slot].formats > 0) summary.Append(SummaryOf(node.child[slot], node.leaf));
    }
  }
  for (ItemRef ref = segments_[segment].first;; ref = (*items_)[ref].right) {
    if (ExtentOf((*items_)[ref]).formats > 0) summary.Append((*items_)[ref], ref);
    if (ref == last) return summary;
  }
}

uint64_t PositionIndex::bytes() const {
  return sizeof(*this) + segments_.capacity() * sizeof(Segment) + nodes_.capacity() * sizeof(Node) +
         (free_segments_.capacity() + free_nodes_.capacity()) * sizeof(uint32_t);
}

}  // namespace rivermeet::crdt::internal
