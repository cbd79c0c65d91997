// The structs of one update, one after the other.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_STRUCT_STREAM_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_STRUCT_STREAM_H_

#include <cstdint>
#include <limits>
#include <string_view>

#include "crdt/internal/wire/update_reader.h"

namespace rivermeet::crdt::internal {

// For updates that this library wrote itself: nothing of them can be refused.
inline Limits NoLimits() {
  constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  return {.max_update_bytes = kNone,
          .max_structs = kNone,
          .max_repeats = kNone,
          .max_clients = kNone,
          .max_depth = std::numeric_limits<int>::max(),
          .max_document_bytes = kNone};
}

template <class Fields>
class StructStream {
 public:
  // Both outlive this.
  StructStream(std::string_view update, const Limits& limits) : reader_(update, limits), blocks_(reader_.ReadCount()) {}

  // False at the end, and after an error, which is the reader's.
  bool Next(WireStruct& out) {
    while (structs_ == 0) {
      if (blocks_ == 0 || !reader_.ok()) return false;
      --blocks_;
      const auto block = reader_.ReadBlock();
      structs_ = block.structs;
      client_ = block.client;
      clock_ = block.clock;
    }
    --structs_;
    reader_.ReadStruct(client_, clock_, out);
    clock_ = out.end_clock();
    return reader_.ok();
  }
  // For what follows the structs.
  UpdateReader<Fields>& reader() { return reader_; }

 private:
  UpdateReader<Fields> reader_;
  uint64_t blocks_;       // after this one
  uint64_t structs_ = 0;  // of this one
  uint64_t client_ = 0;
  uint64_t clock_ = 0;  // of the next
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_STRUCT_STREAM_H_
