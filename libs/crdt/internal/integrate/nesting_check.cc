#include "crdt/internal/integrate/nesting_check.h"

#include <algorithm>

namespace rivermeet::crdt::internal {

namespace {

// Of the parent of what has that unit, which the document has, beside it, or above it. What is collected holds nothing.
uint32_t DepthBeside(const Document& document, UnitId id) {
  const Item& item = document.ItemWith(id);
  return item.is_gc() ? 0 : document.types[item.parent].depth;
}
uint32_t DepthInside(const Document& document, UnitId id) {
  const Item& item = document.ItemWith(id);
  return item.kind == ContentKind::kType ? document.types[item.extra].depth : 0;
}

}  // namespace

uint32_t ParentDepth(const Document& document, const WireStruct& item) {
  if (item.has_origin) return DepthBeside(document, item.origin);
  if (item.has_right_origin) return DepthBeside(document, item.right_origin);
  return item.parent_kind == WireStruct::Parent::kItem ? DepthInside(document, item.parent) : 0;
}

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
void NestingCheck::LinkTo(Node& node, UnitId id, Link link) const {
  if (id.clock >= document_.structs.StateOf(id.client)) {
    node.of = id;
    node.link = link;
  } else {
    node.depth = link == Link::kSibling ? DepthBeside(document_, id) : DepthInside(document_, id);
  }
}

NestingCheck::Node* NestingCheck::Find(UnitId id) {
  const auto after = std::upper_bound(nodes_.begin(), nodes_.end(), id, [](const UnitId& wanted, const Node& node) {
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
