// Takes structs into a document (yjs: structs/Item.js getMissing and integrate).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTEGRATOR_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTEGRATOR_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/integrate/rival_order.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// A struct that a document's state lets in: its client's next one, or one that begins before that and ends after.
class Integrator {
 public:
  Integrator(Document& document, Transaction& transaction) : document_(document), transaction_(transaction) {}

  // Adds `item` without its first `offset` units, which are known. Nothing is missing. What it deletes is only begun:
  // Document::ContinueDelete() is to be called before anything else.
  void Integrate(const WireStruct& item, uint64_t offset);
  // Does to the document what yjs does on the way to seeing that it has `item` already: cuts at its origins. The pieces
  // merge again, but a surrogate pair that two items once brought doesn't survive it.
  void Revisit(const WireStruct& item);
  // Puts `text` behind the last struct of a client, when it would be merged with that in the end: `right` is its right
  // neighbour. Returns that struct, or none when it can't be.
  ItemRef Grow(ClientIndex client, Id right, const WireContent& text);
  // Links an item whose fields are set, `left` and `right` as its origins say, and adds it.
  void Link(ItemRef ref);

 private:
  // Who stands beside an item and above it.
  struct Surroundings {
    ItemRef left = kNoItem;
    ItemRef right = kNoItem;
    TypeIndex parent = kNoType;
    KeyIndex key = 0;
    bool entry = false;
    bool collected = false;  // one of them is; so will the item be
  };

  Id ToId(UnitId id) const { return {document_.structs.Find(id.client), static_cast<uint32_t>(id.clock)}; }
  Surroundings Find(const WireStruct& item);
  bool Append(const WireStruct& item);
  void FindNeighbours(const WireStruct& item, Surroundings& found);
  void FindParent(const WireStruct& item, Surroundings& found);
  void AddCollected(Id id, uint64_t length);
  void SetContent(Item& item, const WireContent& content, uint64_t offset);
  void BeginLink(ItemRef ref);
  void FinishDelete();
  bool HasRivals(const Item& item) const;
  RivalOrder* OrderOf(const Item& item) const;
  void NoteInOrder(ItemRef ref);
  ItemRef CutAtSeam(ItemRef ref);
  ItemRef PlaceAmongRivals(const Item& item);
  ItemRef WalkPastRivals(const Item& item);
  void Place(Item& item, ItemRef ref);
  ItemRef FirstOf(const Item& item);

  Document& document_;
  Transaction& transaction_;
  uint64_t steps_ = 0;   // walked so far past rivals
  uint64_t placed_ = 0;  // items integrated so far
  // Of lists and chains in which walking took too long: by type, and key of a chain. None until it did.
  using RivalOrders = absl::flat_hash_map<std::pair<TypeIndex, KeyIndex>, std::unique_ptr<RivalOrder>>;
  std::unique_ptr<RivalOrders> orders_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTEGRATOR_H_
