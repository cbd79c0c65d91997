// What local edits add to a document, reckoned before they are made.
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_EDIT_COST_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_EDIT_COST_H_

#include <algorithm>
#include <cstdint>

#include "crdt/any.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/room.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// At most.
struct EditCost : Addition {
  uint64_t units = 0;   // clocks of texts and values
  int depth = 0;        // how deep new types nest
  int value_depth = 0;  // how deep arrays and objects nest in a value

  void AddStruct(uint64_t its_units, uint64_t its_bytes) {
    ++structs;
    units += its_units;
    bytes += its_bytes;
  }
  // What is inserted beside this.
  void Add(const EditCost& other) {
    structs += other.structs;
    types += other.types;
    names += other.names;
    bytes += other.bytes;
    units += other.units;
    depth = std::max(depth, other.depth);
    value_depth = std::max(value_depth, other.value_depth);
  }
  void AddValue(const Any& value, std::string_view encoded) {
    if (value.array() == nullptr && value.object() == nullptr) return;
    value_depth = std::max(value_depth, NestingOf(encoded));
  }
};

// Of a text that cuts what stands where it goes.
inline EditCost CostOf(const WireContent& text) {
  EditCost cost{{.structs = 1}};
  cost.AddStruct(text.length, text.data.size());
  return cost;
}

// Of cutting off a stretch of `type`, at both ends unless it ends there.
inline EditCost CostOfCuts(const Type& type, uint64_t index, uint64_t length) {
  return {{.structs = (index > 0 ? 1u : 0u) + (index < type.length && length < type.length - index ? 1u : 0u)}};
}

// How much of a text lies behind the place that a delta has come to.
class TextBehind {
 public:
  TextBehind(const Type& text, uint64_t index)
      : units_(text.length - std::min<uint64_t>(index, text.length)), has_values_(text.has_values) {}

  // Steps over `length` units, at most Document::kMaxClock; what goes past the end is new lines.
  void Retain(uint64_t length, EditCost& cost) {
    const uint64_t inside = std::min(units_, length);
    units_ -= inside;
    if (length > inside) cost.AddStruct(length - inside, length - inside);
  }
  // Values that are no text are passed without being counted: nothing may be left.
  void Delete(uint64_t length) { units_ = has_values_ ? 0 : units_ - std::min(units_, length); }

 private:
  uint64_t units_;
  const bool has_values_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_EDIT_COST_H_
