// How deep an update would nest shared types in a document, before anything of it is integrated.
#ifndef RIVERMEET_CRDT_INTERNAL_NESTING_CHECK_H_
#define RIVERMEET_CRDT_INTERNAL_NESTING_CHECK_H_

#include <cstdint>
#include <vector>

#include "crdt/internal/document.h"
#include "crdt/internal/wire.h"

namespace rivermeet::crdt::internal {

// Most structs don't name their parent: it is that of a neighbour, which may come in the same update, before or after.
// Needed only for updates that bring types.
class NestingCheck {
 public:
  explicit NestingCheck(const Document& document) : document_(document) {}

  // Every struct of the update.
  void Add(const WireStruct& item);
  // The depth of the deepest type among them; one in a root has depth 1. Call it once, after the last Add.
  uint32_t DeepestType();

 private:
  enum class Link : uint8_t { kKnown, kSibling, kHolder };
  struct Node {
    WireId id;
    uint64_t end = 0;
    WireId of;           // whom `link` means
    uint32_t depth = 0;  // of the parent, once it is known
    Link link = Link::kKnown;
    bool is_type = false;
    bool open = false;  // being found out
  };

  void LinkTo(Node& node, WireId id, Link link) const;
  Node* Find(WireId id);
  void Resolve(Node& node);

  const Document& document_;
  std::vector<Node> nodes_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_NESTING_CHECK_H_
