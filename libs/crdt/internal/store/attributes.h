// Attributes of text, as JavaScript keeps them: their order decides the order of the formats that are written.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_ATTRIBUTES_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_ATTRIBUTES_H_

#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/item.h"
#include "crdt/internal/store/keyed_list.h"

namespace rivermeet::crdt::internal {

// A value as canonical Any; where the bytes lie is which JavaScript object it is.
using AttributeValue = std::string_view;
inline constexpr AttributeValue kNullValue = "\x7e";

struct Attribute {
  KeyIndex key;
  AttributeValue value;
};

// Whether yjs takes two values as the same (YText.js, equalAttrs): primitives by value, objects and arrays by identity
// or when their members are the same primitives.
bool SameValue(AttributeValue a, AttributeValue b);
// JavaScript's ===: primitives by value, objects and arrays by identity.
bool Identical(AttributeValue a, AttributeValue b);

// A JavaScript Map: a key keeps its place until it is erased.
class AttributeMap {
 public:
  std::optional<AttributeValue> Get(KeyIndex key) const {
    const Attribute* attribute = attributes_.Find(key);
    return attribute == nullptr ? std::nullopt : std::optional(attribute->value);
  }
  AttributeValue GetOrNull(KeyIndex key) const { return Get(key).value_or(kNullValue); }
  void Set(KeyIndex key, AttributeValue value) {
    Attribute* attribute = attributes_.Find(key);
    if (attribute == nullptr) {
      attributes_.Add({key, value});
    } else {
      attribute->value = value;
    }
  }
  void Erase(KeyIndex key) { attributes_.Erase(key); }
  // What a format means from its place on: null takes the attribute away.
  void Apply(KeyIndex key, AttributeValue value) {
    if (value == kNullValue) {
      Erase(key);
    } else {
      Set(key, value);
    }
  }
  bool empty() const { return attributes_.empty(); }
  auto begin() const { return attributes_.begin(); }
  auto end() const { return attributes_.end(); }

 private:
  KeyedList<Attribute> attributes_;
};

// A JavaScript object: as the map, but keys that are array indices come first, in ascending order.
class AttributeObject {
 public:
  // `name` is the key's.
  void Set(KeyIndex key, std::string_view name, AttributeValue value);
  // What JavaScript finds under `key`, whose name it is: also what every object inherits, such as "toString". That is
  // the same as no value of an attribute.
  std::optional<AttributeValue> Read(KeyIndex key, std::string_view name) const;
  std::vector<Attribute> InOrder() const;

 private:
  AttributeMap attributes_;                          // as they came
  absl::flat_hash_map<KeyIndex, uint32_t> indices_;  // keys that are
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_ATTRIBUTES_H_
