// Names that mean something to every JavaScript object: yjs keeps in objects what has a name.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_OBJECT_NAMES_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_OBJECT_NAMES_H_

#include <algorithm>
#include <array>
#include <string_view>

namespace rivermeet::crdt::internal {

// What is set by that name is the object's prototype, and no member of it.
inline constexpr std::string_view kProto = "__proto__";

// Whether an object inherits a function of that name, and so is never without one.
inline bool IsInherited(std::string_view name) {
  constexpr std::array<std::string_view, 11> kFunctions = {
      "constructor",      "__defineGetter__", "__defineSetter__", "hasOwnProperty",
      "__lookupGetter__", "__lookupSetter__", "isPrototypeOf",    "propertyIsEnumerable",
      "toLocaleString",   "toString",         "valueOf"};
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_OBJECT_NAMES_H_
