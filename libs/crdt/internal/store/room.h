// Whether a document has room for what is to be added to it.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_ROOM_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_ROOM_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "crdt/internal/store/document.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

// RESOURCE_EXHAUSTED for more than one struct can hold.
absl::Status CheckContentSize(uint64_t bytes);
// The same of a text, key or name, which `what` calls; INVALID_ARGUMENT when it isn't UTF-8: no peer could read it.
absl::Status CheckText(std::string_view text, std::string_view what);

// What is to be added to a document, at most.
struct Addition {
  uint64_t structs = 0;
  uint64_t clients = 0;
  uint64_t types = 0;
  uint64_t names = 0;  // roots, keys of maps, formats and nodes, that may be new
  uint64_t bytes = 0;  // of texts, values, names and subdocuments

  uint64_t all_bytes() const {
    constexpr uint64_t kStructBytes = sizeof(Item) + 2 * sizeof(StructList::Entry);
    constexpr uint64_t kNameBytes = 128;  // in the table of names, and in that of a type's entries
    return structs * kStructBytes + clients * sizeof(StructStore::Client) + types * sizeof(Type) + names * kNameBytes +
           bytes;
  }
};

// RESOURCE_EXHAUSTED when the document would pass a limit with it, and with what waits in it already.
absl::Status CheckRoom(const Document& document, const Limits& limits, const Addition& adds);

// The room that a document has for edits: looked at once for many of them.
class EditRoom {
 public:
  // CheckRoom(), of edits one after the other, and RESOURCE_EXHAUSTED when `client`, who makes them, hasn't as many
  // clocks left.
  absl::Status Take(const Document& document, const Limits& limits, uint64_t client, uint64_t clocks, Addition cost) {
    const uint64_t state = document.structs.StateOf(client);
    if (state + clocks > Document::kMaxClock) return NoClocks();
    if (cost.structs == 0) return absl::OkStatus();  // what makes nothing goes through in a full document, too
    if (state == 0) cost.clients = 1;
    if (cost.clients > 0 || cost.structs > structs_ || cost.all_bytes() > bytes_) return Look(document, limits, cost);
    structs_ -= cost.structs;
    bytes_ -= cost.all_bytes();
    return absl::OkStatus();
  }
  // The document has grown otherwise.
  void Forget() { structs_ = bytes_ = 0; }

 private:
  static absl::Status NoClocks();
  absl::Status Look(const Document& document, const Limits& limits, const Addition& cost);

  // What is left of what was seen last.
  uint64_t structs_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_ROOM_H_
