// The hashes that every timed region of tools/bench crdt ends with, so that no engine can put work off and all can be
// seen to agree. FNV-1a of 64 bits throughout (offset 0xcbf29ce484222325, prime 0x100000001b3).
//
//   of a text    hash of its UTF-8, "-", hash of a thousand UTF-16 units read at random indices, two bytes each, low
//                one first
//   of an array  hash of its JSON text, "-", hash of the JSON texts of a thousand elements read at random indices
//   of a map     hash of its JSON text, keys sorted
//
// Each hash as 16 hexadecimal digits. JSON texts have no spaces. The i-th index is the i-th Next() of an XorShift32
// with seed 1, modulo the length in UTF-16 units or elements; nothing is read when that is 0.
#ifndef RIVERMEET_LOAD_CRDT_READOUT_H_
#define RIVERMEET_LOAD_CRDT_READOUT_H_

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "table_inputs.h"

namespace rivermeet::load {

inline constexpr int kReads = 1'000;

class Fnv1a {
 public:
  constexpr void Add(std::string_view bytes) {
    for (const char byte : bytes) AddByte(static_cast<uint8_t>(byte));
  }
  constexpr void AddUnit(uint16_t unit) {
    AddByte(static_cast<uint8_t>(unit));
    AddByte(static_cast<uint8_t>(unit >> 8));
  }
  std::string Hex() const { return fmt::format("{:016x}", hash_); }

 private:
  constexpr void AddByte(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }

  uint64_t hash_ = 0xcbf29ce484222325;
};

// Calls `read(index)` for each of the random indices below `length`.
template <typename Read>
void ReadAtRandom(uint64_t length, Read read) {
  XorShift32 random(1);
  for (int i = 0; length > 0 && i < kReads; ++i) read(random.Next() % length);
}

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_READOUT_H_
