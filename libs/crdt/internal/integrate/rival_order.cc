#include "crdt/internal/integrate/rival_order.h"

#include <algorithm>
#include <cmath>

namespace rivermeet::crdt::internal {

namespace {

// Labels are below twice this; steps halve from level to level.
constexpr uint64_t kRootLabel = uint64_t{1} << 61;
constexpr uint64_t kEnd = kRootLabel * 2;

// Then something above has a child with more than two thirds of its nodes. Paths stay shorter than a label has bits.
bool IsTooDeep(uint32_t depth, uint32_t size) {
  constexpr double kBitsALevel = 0.5849;  // a little less than log2(3 / 2)
  return depth * kBitsALevel > std::log2(size);
}

uint64_t Packed(Id id) { return uint64_t{id.client} << 32 | id.clock; }

}  // namespace

RivalOrder::RivalOrder(const Document& document, ItemRef first) : document_(document), nodes_(1), first_(first) {
  for (ItemRef ref = first; ref != kNoItem; ref = document_.items[ref].right) {
    flat_.push_back(MakeNode(ref));
    NoteStop(document_.items[ref], ref);
    last_ = ref;
  }
  root_ = Build(0, flat_.size(), kNone, kRootLabel, kRootLabel / 2);
  CollectOrigins(root_);
}

RivalOrder::NodeIndex RivalOrder::MakeNode(ItemRef item) {
  const auto node = static_cast<NodeIndex>(nodes_.size());
  nodes_.emplace_back();
  nodes_.back().item = item;
  if (item >= nodes_of_.size()) nodes_of_.resize(std::max<size_t>(item + 1, nodes_of_.size() * 3 / 2));
  nodes_of_[item] = node;
  return node;
}

RivalOrder::Rank RivalOrder::RankOf(Id origin) const {
  if (origin.none()) return {1, 0};
  const NodeIndex node = NodeOf(document_.RefAt(origin));
  return node == kNone ? Rank{0, 0} : Rank{nodes_[node].label + 2, origin.clock};
}

bool RivalOrder::IsAtOrBefore(Id origin, uint64_t label) const { return RankOf(origin).first <= label + 2; }

void RivalOrder::AddOrigin(Id origin, uint64_t client, Origins& to) const {
  if (to.count > 0 && origin == to.first) {
    to.lowest_client = std::min(to.lowest_client, client);
  } else if (to.count == 0 || RankOf(origin) < RankOf(to.first)) {
    to.second = to.first;
    to.first = origin;
    to.lowest_client = client;
    to.count = std::min<uint32_t>(to.count + 1, 2);
  } else if (to.count == 1 || (origin != to.second && RankOf(origin) < RankOf(to.second))) {
    to.second = origin;
    to.count = 2;
  }
}

// Hangs nodes `from` to `to` of flat_ below `parent`, balanced.
RivalOrder::NodeIndex RivalOrder::Build(size_t from, size_t to, NodeIndex parent, uint64_t label, uint64_t step) {
  if (from == to) return kNone;
  const size_t middle = from + (to - from) / 2;
  const NodeIndex number = flat_[middle];
  nodes_[number].parent = parent;
  nodes_[number].label = label;
  nodes_[number].size = static_cast<uint32_t>(to - from);
  nodes_[number].left = Build(from, middle, number, label - step, step / 2);
  nodes_[number].right = Build(middle + 1, to, number, label + step, step / 2);
  return number;
}

void RivalOrder::Rebuild(NodeIndex top) {
  flat_.clear();
  std::vector<NodeIndex> open;
  for (NodeIndex at = top; at != kNone || !open.empty();) {
    for (; at != kNone; at = nodes_[at].left) open.push_back(at);
    at = open.back();
    open.pop_back();
    flat_.push_back(at);
    at = nodes_[at].right;
  }
  const NodeIndex parent = nodes_[top].parent;
  const bool is_left = parent != kNone && nodes_[parent].left == top;
  // The step below a label is its lowest bit's half.
  const uint64_t label = nodes_[top].label;
  const NodeIndex built = Build(0, flat_.size(), parent, label, (label & -label) / 2);
  if (parent == kNone) {
    root_ = built;
  } else {
    (is_left ? nodes_[parent].left : nodes_[parent].right) = built;
  }
  CollectOrigins(built);
}

// Of all below `top`, whose labels hold already: they tell which origin is before which.
void RivalOrder::CollectOrigins(NodeIndex top) {
  if (top == kNone) return;
  Node& node = nodes_[top];
  const Item& item = document_.items[node.item];
  node.origins = {};
  node.origins.behind = StandsBehind(item.origin, node.label);
  AddOrigin(item.origin, ClientOf(item), node.origins);
  for (const NodeIndex child : {node.left, node.right}) {
    if (child == kNone) continue;
    CollectOrigins(child);
    const Origins& below = nodes_[child].origins;
    node.origins.behind |= below.behind;
    AddOrigin(below.first, below.lowest_client, node.origins);
    if (below.count > 1) AddOrigin(below.second, ~uint64_t{0}, node.origins);
  }
}

void RivalOrder::Inserted(ItemRef ref) {
  const Item& item = document_.items[ref];
  if (item.right == kNoItem) last_ = ref;
  const NodeIndex node = MakeNode(ref);
  NoteStop(item, ref);
  if (root_ == kNone) {
    first_ = ref;
    nodes_[node].label = kRootLabel;
    AddOrigin(item.origin, ClientOf(item), nodes_[node].origins);
    root_ = node;
    return;
  }
  // Behind the left neighbour: as its right child, or left of all that is below it there.
  NodeIndex parent = root_;
  bool left = true;
  if (item.left == kNoItem) {
    first_ = ref;
  } else {
    parent = NodeOf(item.left);
    left = nodes_[parent].right != kNone;
    if (left) parent = nodes_[parent].right;
  }
  while (left && nodes_[parent].left != kNone) parent = nodes_[parent].left;
  Hang(node, parent, left);
}

void RivalOrder::Hang(NodeIndex node, NodeIndex parent, bool left) {
  const uint64_t above = nodes_[parent].label;
  const uint64_t step = (above & -above) / 2;
  nodes_[node].label = left ? above - step : above + step;
  nodes_[node].parent = parent;
  (left ? nodes_[parent].left : nodes_[parent].right) = node;
  const Item& item = document_.items[nodes_[node].item];
  const uint64_t client = ClientOf(item);
  uint32_t depth = 0;
  for (NodeIndex at = parent; at != kNone; at = nodes_[at].parent, ++depth) ++nodes_[at].size;
  const bool behind = StandsBehind(item.origin, nodes_[node].label);
  for (NodeIndex at = node; at != kNone; at = nodes_[at].parent) {
    AddOrigin(item.origin, client, nodes_[at].origins);
    nodes_[at].origins.behind |= behind;
  }
  if (!IsTooDeep(depth, nodes_[root_].size)) return;
  // The lowest node above that isn't balanced.
  NodeIndex child = node;
  NodeIndex top = parent;
  while (nodes_[top].parent != kNone && nodes_[child].size * 3 <= nodes_[top].size * 2) {
    child = top;
    top = nodes_[top].parent;
  }
  Rebuild(top);
}

void RivalOrder::NoteStop(const Item& item, ItemRef ref) {
  const auto key = std::make_tuple(Packed(item.origin), Packed(item.right_origin), ClientOf(item));
  // Whether it stands before the one that is known: it is new, so it does, unless the list is read for the first time
  // or it was cut off.
  const bool reads = root_ == kNone;
  const bool was_cut = item.origin == Id{item.id.client, item.id.clock - 1};
  if (reads || was_cut) {
    stops_.try_emplace(key, ref);
  } else {
    stops_.insert_or_assign(key, ref);
  }
}

template <class Fits, class MayFit>
ItemRef RivalOrder::FindFirst(Range range, Fits&& fits, MayFit&& may_fit) const {
  const auto find = [&](const auto& self, NodeIndex number, uint64_t low, uint64_t high) -> ItemRef {
    if (number == kNone || high <= range.from || low >= range.to) return kNoItem;
    const Node& node = nodes_[number];
    if (low >= range.from && high <= range.to && !may_fit(node.origins)) return kNoItem;
    const ItemRef left = self(self, node.left, low, node.label);
    if (left != kNoItem) return left;
    if (node.label > range.from && node.label < range.to && fits(document_.items[node.item], node.label))
      return node.item;
    return self(self, node.right, node.label, high);
  };
  return find(find, root_, 0, kEnd);
}

template <class Fits, class MayFit>
ItemRef RivalOrder::FindLast(Range range, Fits&& fits, MayFit&& may_fit) const {
  const auto find = [&](const auto& self, NodeIndex number, uint64_t low, uint64_t high) -> ItemRef {
    if (number == kNone || high <= range.from || low >= range.to) return kNoItem;
    const Node& node = nodes_[number];
    if (low >= range.from && high <= range.to && !may_fit(node.origins)) return kNoItem;
    const ItemRef right = self(self, node.right, node.label, high);
    if (right != kNoItem) return right;
    if (node.label > range.from && node.label < range.to && fits(document_.items[node.item], node.label))
      return node.item;
    return self(self, node.left, low, node.label);
  };
  return find(find, root_, 0, kEnd);
}

// The first item behind `item`'s origin that has its own before that, or not before itself: the walk ends there.
ItemRef RivalOrder::EndOfRegion(const Item& item) const {
  const Rank origin = RankOf(item.origin);
  return FindFirst(
      {item.left == kNoItem ? 0 : LabelOf(item.left), kEnd},
      [&](const Item& other, uint64_t label) {
        return RankOf(other.origin) < origin || StandsBehind(other.origin, label);
      },
      [&](const Origins& origins) { return RankOf(origins.first) < origin || origins.behind; });
}

// The first item before `end` that has both of `item`'s origins and no lower client: the walk ends there, too.
ItemRef RivalOrder::FirstStop(const Item& item, ItemRef end) {
  const uint64_t origin = Packed(item.origin), right = Packed(item.right_origin);
  auto stop = stops_.lower_bound({origin, right, ClientOf(item)});
  while (stop != stops_.end() && std::get<0>(stop->first) == origin && std::get<1>(stop->first) == right) {
    if (end == kNoItem || LabelOf(stop->second) < LabelOf(end)) return stop->second;
    stop = stops_.erase(stop);  // nobody with this origin gets there any more
  }
  return kNoItem;
}

ItemRef RivalOrder::PlaceOf(const Item& item) {
  const uint64_t from = item.left == kNoItem ? 0 : LabelOf(item.left);
  const uint64_t client = ClientOf(item);
  ItemRef end = EndOfRegion(item);
  const ItemRef stop = FirstStop(item, end);
  if (stop != kNoItem) end = stop;
  if (item.right != kNoItem && Has(item.right)) {
    const uint64_t right = LabelOf(item.right);
    if (right > from && (end == kNoItem || right < LabelOf(end))) end = item.right;
  }
  const uint64_t to = end == kNoItem ? kEnd : LabelOf(end);
  const auto is_sibling = [&](const Item& other, uint64_t) { return other.origin == item.origin; };
  const auto has_sibling = [&](const Origins& origins) { return origins.first == item.origin; };

  // It goes behind the last sibling of a lower client, and what goes on from there.
  ItemRef passed = FindLast(
      {from, to}, [&](const Item& other, uint64_t) { return other.origin == item.origin && ClientOf(other) < client; },
      [&](const Origins& origins) { return has_sibling(origins) && origins.lowest_client < client; });
  if (passed == kNoItem) return item.left;
  for (;;) {
    const ItemRef next = FindFirst({LabelOf(passed), to}, is_sibling, has_sibling);
    if (next == kNoItem) return LastBefore(end);
    passed = document_.items[next].left;
    // Never in what honest clients write: something behind that sibling goes on from what stands before it.
    const uint64_t label = LabelOf(passed);
    const ItemRef behind = FindLast(
        {LabelOf(next), to},
        [&](const Item& other, uint64_t) { return other.origin != item.origin && IsAtOrBefore(other.origin, label); },
        [&](const Origins& origins) {
          return has_sibling(origins) ? origins.count > 1 && IsAtOrBefore(origins.second, label)
                                      : IsAtOrBefore(origins.first, label);
        });
    if (behind == kNoItem) return passed;
    passed = behind;
  }
}

}  // namespace rivermeet::crdt::internal
