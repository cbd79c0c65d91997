// A set of ids as an undo manager keeps it (yjs: utils/DeleteSet.js).
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_ID_SET_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_ID_SET_H_

#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/item.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// Ranges of clocks by client. The clients stay in the order in which they came: undoing goes through them in it, so
// that it decides the ids of what is made.
class IdSet {
 public:
  struct Client {
    ClientIndex client = 0;
    std::vector<ClockRange> ranges;  // in order and apart
  };

  // Adds ranges, which are in order and apart.
  void Add(ClientIndex client, const std::vector<ClockRange>& ranges);
  void Add(const IdSet& more);

  bool Contains(Id id) const;
  const std::vector<Client>& clients() const { return clients_; }
  // How many ids.
  uint64_t size() const;

 private:
  std::vector<Client> clients_;
  absl::flat_hash_map<ClientIndex, size_t> places_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_ID_SET_H_
