#include "crdt/internal/nesting_check.h"

#include <algorithm>

namespace rivermeet::crdt::internal {

void NestingCheck::Add(const WireStruct& item) {
  if (!item.is_item()) return;
  Node node;
  node.id = item.id;
  node.end = item.end_clock();
  node.is_type = item.content.kind == ContentKind::kType;
  if (item.has_origin) {
    LinkTo(node, item.origin, Link::kSibling);
  } else if (item.has_right_origin) {
    LinkTo(node, item.right_origin, Link::kSibling);
  } else if (item.parent_kind == WireStruct::Parent::kItem) {
    LinkTo(node, item.parent, Link::kHolder);
  }
  sorted_ &= nodes_.empty() || Precedes(nodes_.back(), node);
  nodes_.push_back(node);
}

// What the document has already is known at once.
void NestingCheck::LinkTo(Node& node, WireId id, Link link) const {
  const ClientIndex client = document_.structs.Find(id.client);
  if (client == kNoClient || id.clock >= document_.structs[client].state) {
    node.of = id;
    node.link = link;
    return;
  }
  const Item& item = document_.items[document_.RefAt({client, static_cast<uint32_t>(id.clock)})];
  if (item.is_gc()) return;
  if (link == Link::kSibling) {
    node.depth = document_.types[item.parent].depth;
  } else if (item.kind == ContentKind::kType) {
    node.depth = document_.types[item.extra].depth;
  }
}

NestingCheck::Node* NestingCheck::Find(WireId id) {
  const auto after = std::upper_bound(nodes_.begin(), nodes_.end(), id, [](const WireId& wanted, const Node& node) {
    return wanted.client != node.id.client ? wanted.client < node.id.client : wanted.clock < node.id.clock;
  });
  if (after == nodes_.begin()) return nullptr;
  Node& node = *(after - 1);
  return node.id.client == id.client && id.clock < node.end ? &node : nullptr;
}

bool NestingCheck::Resolve(Node& first, Budget& budget) {
  if (chain_.empty()) chain_.push_back(&first);
  while (chain_.back()->link != Link::kKnown) {
    if (!budget.Take()) return false;
    Node& node = *chain_.back();
    node.open = true;
    Node* of = Find(node.of);
    // What isn't here, or hangs on itself, isn't integrated now.
    if (of == nullptr || of->open) {
      node.link = Link::kKnown;
    } else {
      chain_.push_back(of);
    }
  }
  for (; chain_.size() > 1; chain_.pop_back()) {
    if (!budget.Take()) return false;
    Node& node = *chain_[chain_.size() - 2];
    node.depth = chain_.back()->depth + (node.link == Link::kHolder ? 1 : 0);
    node.link = Link::kKnown;
    node.open = false;
  }
  chain_.clear();
  return true;
}

bool NestingCheck::Step(Budget& budget) {
  if (!sorted_) std::sort(nodes_.begin(), nodes_.end(), Precedes);
  sorted_ = true;
  for (; next_ < nodes_.size(); ++next_) {
    if (chain_.empty() && !budget.Take()) return false;
    if (!nodes_[next_].is_type) continue;
    if (!Resolve(nodes_[next_], budget)) return false;
    deepest_ = std::max(deepest_, nodes_[next_].depth + 1);
  }
  return true;
}

}  // namespace rivermeet::crdt::internal
