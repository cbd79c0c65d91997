// Takes out of an update's structs what they say, and leaves how they lie (yjs: createObfuscator).
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_OBFUSCATOR_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_OBFUSCATOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// What stands for something is made of the number of the item in which that came first, so that equal names and
// formats stay equal.
class Obfuscator {
 public:
  // Its views then belong to this, until the next call.
  void Replace(WireStruct& item);

 private:
  using Names = absl::flat_hash_map<std::string, std::string>;

  void ReplaceContent(WireContent& content);
  std::string_view FormatValue(std::string_view value);
  // What stands for `name`; when that is new, `first`.
  static std::string_view Standing(Names& names, std::string_view name, std::string first);

  uint64_t items_ = 0;  // before this one
  Names keys_, nodes_, formats_, format_values_;
  std::string data_, guid_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_OBFUSCATOR_H_
