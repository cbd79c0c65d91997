// Values that are compared without regard to the order of their keys.
#ifndef RIVERMEET_CRDT_TESTING_IN_ORDER_H_
#define RIVERMEET_CRDT_TESTING_IN_ORDER_H_

#include <algorithm>
#include <utility>

#include "crdt/any.h"

namespace rivermeet::crdt {

// The value with the members of all objects in order: peers may know a map's keys in different ones.
inline Any InOrder(Any value) {
  if (Any::Array* array = value.array()) {
    for (Any& element : *array) element = InOrder(std::move(element));
  } else if (Any::Object* object = value.object()) {
    for (auto& [key, member] : *object) member = InOrder(std::move(member));
    std::sort(object->begin(), object->end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  return value;
}

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_TESTING_IN_ORDER_H_
