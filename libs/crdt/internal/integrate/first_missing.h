// What keeps a struct from being integrated (yjs: structs/Item.js, getMissing).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_FIRST_MISSING_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_FIRST_MISSING_H_

#include <optional>

#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// What `item` lacks of other clients: the client and the state that it must reach, or nothing. `state_of`(client) is
// how far each is known.
template <class StateOf>
std::optional<UnitId> FirstMissing(const WireStruct& item, StateOf&& state_of) {
  const auto lacks = [&](UnitId id) { return id.client != item.id.client && id.clock >= state_of(id.client); };
  const auto needed = [](UnitId id) { return UnitId{id.client, id.clock + 1}; };
  if (item.has_origin && lacks(item.origin)) return needed(item.origin);
  if (item.has_right_origin && lacks(item.right_origin)) return needed(item.right_origin);
  if (item.parent_kind == WireStruct::Parent::kItem && lacks(item.parent)) return needed(item.parent);
  return std::nullopt;
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_FIRST_MISSING_H_
