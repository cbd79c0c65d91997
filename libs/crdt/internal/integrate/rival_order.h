// Places items among many rivals in logarithmic time (yjs: structs/Item.js, integrate, which walks past each of them).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_RIVAL_ORDER_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_RIVAL_ORDER_H_

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "crdt/internal/store/document.h"

namespace rivermeet::crdt::internal {

// All items of one list, or of one key's chain, in a balanced tree whose subtrees know the two leftmost origins in
// them. Made when walking has become too slow, and kept up to date as long as an update adds to the list; what is
// deleted meanwhile stays.
//
// A scapegoat tree: a node's label is its path from the root, so that two numbers tell which item stands before which.
class RivalOrder {
 public:
  // Of the list that begins with `first`. `document` outlives this, and no item of it is freed meanwhile.
  RivalOrder(const Document& document, ItemRef first);

  bool Has(ItemRef item) const { return NodeOf(item) != kNone; }
  // `item` is new in the list, linked, or was cut off from its left neighbour.
  void Inserted(ItemRef item);
  // The item that `item` goes behind, none for the list's start. `item` isn't linked yet, left and right are as its
  // origins say.
  ItemRef PlaceOf(const Item& item);
  ItemRef first() const { return first_; }

 private:
  using NodeIndex = uint32_t;
  static constexpr NodeIndex kNone = 0;

  // The two leftmost origins of some items, and the lowest client of the items that have the first.
  struct Origins {
    uint32_t count = 0;
    Id first;
    Id second;
    uint64_t lowest_client = 0;
    bool behind = false;  // of some item the origin isn't before it, so that every walk ends there
  };
  struct Node {
    uint64_t label = 0;
    NodeIndex left = kNone;
    NodeIndex right = kNone;
    NodeIndex parent = kNone;
    uint32_t size = 1;
    ItemRef item = kNoItem;
    Origins origins;  // of the subtree
  };
  // Labels strictly between the two.
  struct Range {
    uint64_t from;
    uint64_t to;
  };
  // Where an origin stands: those that the list lacks first, then no origin, then the list's by item and unit.
  using Rank = std::pair<uint64_t, uint32_t>;

  NodeIndex NodeOf(ItemRef item) const { return item < nodes_of_.size() ? nodes_of_[item] : kNone; }
  uint64_t LabelOf(ItemRef item) const { return nodes_[NodeOf(item)].label; }
  uint64_t ClientOf(const Item& item) const { return document_.structs[item.id.client].id; }
  Rank RankOf(Id origin) const;
  bool IsAtOrBefore(Id origin, uint64_t label) const;
  bool StandsBehind(Id origin, uint64_t label) const { return RankOf(origin).first >= label + 2; }
  void AddOrigin(Id origin, uint64_t client, Origins& to) const;
  NodeIndex MakeNode(ItemRef item);
  void Hang(NodeIndex node, NodeIndex parent, bool left);
  NodeIndex Build(size_t from, size_t to, NodeIndex parent, uint64_t label, uint64_t step);
  void Rebuild(NodeIndex top);
  void CollectOrigins(NodeIndex top);
  void NoteStop(const Item& item, ItemRef ref);
  ItemRef FirstStop(const Item& item, ItemRef end);
  template <class Fits, class MayFit>
  ItemRef FindFirst(Range range, Fits&& fits, MayFit&& may_fit) const;
  template <class Fits, class MayFit>
  ItemRef FindLast(Range range, Fits&& fits, MayFit&& may_fit) const;
  ItemRef EndOfRegion(const Item& item) const;
  ItemRef LastBefore(ItemRef end) const { return end == kNoItem ? last_ : document_.items[end].left; }

  const Document& document_;
  std::vector<Node> nodes_;          // the first is nobody's
  std::vector<NodeIndex> nodes_of_;  // by item
  NodeIndex root_ = kNone;
  ItemRef first_ = kNoItem;
  ItemRef last_ = kNoItem;
  std::vector<NodeIndex> flat_;  // of a subtree that is built anew
  // By origin, right origin and client: the first item that has all three. In the list such items of one origin and
  // right origin are in the order of their clients, and of one client the latest is first.
  absl::btree_map<std::tuple<uint64_t, uint64_t, uint64_t>, ItemRef> stops_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_RIVAL_ORDER_H_
