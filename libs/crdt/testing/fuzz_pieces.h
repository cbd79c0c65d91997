// A fuzzer's bytes cut into updates.
#ifndef RIVERMEET_CRDT_TESTING_FUZZ_PIECES_H_
#define RIVERMEET_CRDT_TESTING_FUZZ_PIECES_H_

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "crdt/limits.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt::internal {

// The first byte is options(), one for all; then come pieces: a byte of flags (1: V2, 2: in one batch with the next),
// two of the length, low first, and so many bytes or what is left.
class FuzzPieces {
 public:
  struct Piece {
    UpdateFormat format = UpdateFormat::kV1;
    bool batched = false;
    std::string_view update;
  };

  FuzzPieces(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {
    options_ = TakeByte();
  }

  uint8_t options() const { return options_; }
  // False at the end.
  bool Next(Piece* piece) {
    if (rest_.size() < 3) return false;
    const uint8_t flags = TakeByte();
    piece->format = (flags & 1) != 0 ? UpdateFormat::kV2 : UpdateFormat::kV1;
    piece->batched = (flags & 2) != 0;
    const size_t low = TakeByte();
    const size_t length = std::min<size_t>(rest_.size() - 1, low | size_t{static_cast<uint8_t>(rest_[0])} << 8);
    piece->update = rest_.substr(1, length);
    rest_.remove_prefix(1 + length);
    return true;
  }

 private:
  uint8_t TakeByte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }

  std::string_view rest_;
  uint8_t options_ = 0;
};

// Small enough that what passes them is quick.
inline Limits FuzzLimits() {
  Limits limits;
  limits.max_structs = 1 << 12;
  limits.max_clients = 1 << 8;
  limits.max_depth = 64;
  return limits;
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_TESTING_FUZZ_PIECES_H_
