// Writes structs as they come, when it isn't known beforehand how many there are (yjs: LazyStructWriter).
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_STRUCT_WRITER_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_STRUCT_WRITER_H_

#include <string>
#include <utility>
#include <vector>

#include "crdt/internal/wire/update_writer.h"

namespace rivermeet::crdt::internal {

// A block begins whenever the client changes.
template <class Writer>
class StructWriter {
 public:
  // Writes `item` without its first `offset` units.
  void Write(const WireStruct& item, uint64_t offset) {
    if (written_ > 0 && client_ != item.id.client) EndBlock();
    if (written_ == 0) {
      client_ = item.id.client;
      writer_.WriteClient(client_);
      WriteVarUint(writer_.rest(), item.id.clock + offset);
    }
    WriteStruct(writer_, item, offset);
    ++written_;
  }
  // Says that the structs of clocks [`from`, `to`) aren't there.
  void WriteSkip(UnitId from, uint64_t to) {
    WireStruct skip;
    skip.id = from;
    skip.content.kind = ContentKind::kSkip;
    skip.content.length = to - from.clock;
    Write(skip, 0);
  }

  // The update of all that was written and of `deletes`. Nothing may be called afterwards.
  std::string Finish(const WireDeleteSet& deletes) {
    EndBlock();
    std::string& rest = writer_.rest();
    WriteVarUint(rest, blocks_.size());
    for (const auto& [structs, bytes] : blocks_) {
      WriteVarUint(rest, structs);
      rest.append(bytes);
    }
    WriteDeleteSet(writer_, deletes);
    return writer_.Take();
  }

 private:
  void EndBlock() {
    if (written_ > 0) blocks_.emplace_back(written_, writer_.TakeRest());
    written_ = 0;
  }

  Writer writer_;
  uint64_t client_ = 0;
  uint64_t written_ = 0;
  std::vector<std::pair<uint64_t, std::string>> blocks_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_STRUCT_WRITER_H_
