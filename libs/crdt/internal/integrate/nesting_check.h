// How deep an update would nest shared types in a document, before anything of it is integrated.
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_NESTING_CHECK_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_NESTING_CHECK_H_

#include <cstdint>
#include <vector>

#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// How deep the parent of `item` lies, which the document has, with what `item` names.
uint32_t ParentDepth(const Document& document, const WireStruct& item);

// Most structs don't name their parent: it is that of a neighbour, which may come in the same update, before or after.
// Needed only for updates that bring types.
class NestingCheck {
 public:
  // `structs` is how many there will be.
  NestingCheck(const Document& document, uint64_t structs) : document_(document) { nodes_.reserve(structs); }

  // Every struct of the update; the quickest when the clients and then the clocks ascend.
  void Add(const WireStruct& item);
  // Goes on after the last Add. True once deepest_type() is known.
  bool Step(Budget& budget);
  // The depth of the deepest type among them; one in a root has depth 1.
  uint32_t deepest_type() const { return deepest_; }

 private:
  enum class Link : uint8_t { kKnown, kSibling, kHolder };
  struct Node {
    UnitId id;
    uint64_t end = 0;
    UnitId of;           // whom `link` means
    uint32_t depth = 0;  // of the parent, once it is known
    Link link = Link::kKnown;
    bool is_type = false;
    bool open = false;  // being found out
  };

  void LinkTo(Node& node, UnitId id, Link link) const;
  Node* Find(UnitId id);
  bool Resolve(Node& node, Budget& budget);
  static bool Precedes(const Node& a, const Node& b) {
    return a.id.client != b.id.client ? a.id.client < b.id.client : a.id.clock < b.id.clock;
  }

  const Document& document_;
  std::vector<Node> nodes_;
  bool sorted_ = true;
  size_t next_ = 0;           // of the nodes
  std::vector<Node*> chain_;  // from that one to one whose depth is known; on the way back it gets shorter
  uint32_t deepest_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_NESTING_CHECK_H_
