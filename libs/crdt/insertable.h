// What can be put into a list, a map or a text: a value, or a new shared type or document.
#ifndef RIVERMEET_CRDT_INSERTABLE_H_
#define RIVERMEET_CRDT_INSERTABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "crdt/any.h"

namespace rivermeet::crdt {

// Kinds of shared types.
enum class SharedKind : uint8_t { kArray, kMap, kText, kXmlElement, kXmlFragment, kXmlHook, kXmlText };

struct NewType;

// A document inside the document. Of `options` gc, autoLoad and meta are kept, as yjs does. `guid` is taken as it is,
// also an empty one: yjs draws a UUID where none is given.
struct NewSubdocument {
  std::string guid = {};
  Any options = Any(Any::Object());
};

struct Insertable {
  // An Any, or whatever one is made of: Set("count", 1), Push({"a", nullptr}), Set("key", Any::Bytes{"..."}).
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Insertable> && std::is_constructible_v<Any, T>) Insertable(T&& any)
      : value(Any(std::forward<T>(any))) {}                            // NOLINT(google-explicit-constructor)
  Insertable(NewType type);                                            // NOLINT(google-explicit-constructor)
  Insertable(NewSubdocument document) : value(std::move(document)) {}  // NOLINT(google-explicit-constructor)

  // Bytes by themselves become a binary element. Copies share a type, which holds more of these.
  std::variant<Any, std::shared_ptr<const NewType>, NewSubdocument> value;
};

// A shared type with what it starts with: of a text `text`; of an array, element or fragment `items`; of a map or hook,
// and as attributes of an element or text, `entries`. What its kind has no use for is dropped.
struct NewType {
  SharedKind kind = SharedKind::kMap;
  std::string name = {};  // of an XML element or hook
  std::string text = {};
  std::vector<Insertable> items = {};
  std::vector<std::pair<std::string, Insertable>> entries = {};
};

inline Insertable::Insertable(NewType type) : value(std::make_shared<const NewType>(std::move(type))) {}

// Attributes of text in the order in which they were given.
using Attributes = std::vector<std::pair<std::string, Any>>;

// One step of a delta, as Quill has them: insert something, or step over or delete `length` units.
struct DeltaStep {
  enum class Kind : uint8_t { kInsert, kRetain, kDelete };
  Kind kind = Kind::kRetain;
  uint64_t length = 0;
  Insertable insert = Any();   // a text by itself is inserted as such, anything else as one embed
  Attributes attributes = {};  // null takes an attribute away
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_INSERTABLE_H_
