// The structs of a document by client and clock.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_STRUCT_STORE_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_STRUCT_STORE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/item.h"

namespace rivermeet::crdt::internal {

// One client's structs, gapless from clock 0, in chunks of up to 256: found in O(log n), inserted and erased in the
// time of moving one chunk.
class StructList {
 public:
  struct Entry {
    uint32_t clock;
    ItemRef item;
  };
  // Where a struct stands; ends with the next insertion or erasure.
  struct Position {
    uint32_t chunk = 0;
    uint32_t slot = 0;
    bool operator==(const Position&) const = default;
  };

  bool empty() const { return chunks_.empty(); }
  uint32_t size() const { return size_; }
  const Entry& operator[](Position at) const { return chunks_[at.chunk].entries[at.slot]; }
  ItemRef ItemAt(Position at) const { return (*this)[at].item; }

  // The struct that holds `clock`, which must be below the client's state.
  Position Find(uint32_t clock) const;
  // The same, faster where it is a few structs away from the last one found, as when ranges are gone through in order.
  Position FindNear(uint32_t clock) const;
  Position first() const { return {0, 0}; }
  Position last() const { return {static_cast<uint32_t>(chunks_.size() - 1), chunks_.back().count - 1u}; }
  bool IsFirst(Position at) const { return at.chunk == 0 && at.slot == 0; }
  bool IsLast(Position at) const { return at == last(); }
  Position Next(Position at) const {
    return at.slot + 1 < chunks_[at.chunk].count ? Position{at.chunk, at.slot + 1} : Position{at.chunk + 1, 0};
  }
  Position Previous(Position at) const {
    return at.slot > 0 ? Position{at.chunk, at.slot - 1} : Position{at.chunk - 1, chunks_[at.chunk - 1].count - 1u};
  }
  // An item up to `distance` before (below 0) or behind `at`, for reading ahead.
  ItemRef ItemNear(Position at, int distance) const {
    const Chunk& chunk = chunks_[at.chunk];
    const int slot = static_cast<int>(at.slot) + distance;
    return chunk.entries[static_cast<uint32_t>(std::clamp(slot, 0, chunk.count - 1))].item;
  }
  // How many structs there are from `at` on.
  uint32_t CountFrom(Position at) const {
    uint32_t count = 0;
    for (size_t chunk = at.chunk; chunk < chunks_.size(); ++chunk) count += chunks_[chunk].count;
    return count - at.slot;
  }
  // False once Next() went past the last.
  bool Valid(Position at) const { return at.chunk < chunks_.size(); }

  void Append(Entry entry);
  // Returns where `entry` now is, right behind what is at `at`.
  Position InsertAfter(Position at, Entry entry);
  // The struct at `at` begins at `clock` instead, still between its neighbours.
  void MoveStart(Position at, uint32_t clock) {
    chunks_[at.chunk].entries[at.slot].clock = clock;
    if (at.slot == 0) chunks_[at.chunk].first_clock = clock;
  }
  // Erases the `count` structs from `from` on. Returns the position of the struct before `from`, of which there must be
  // one.
  Position Erase(Position from, uint32_t count);

  uint64_t bytes() const;

 private:
  static constexpr uint32_t kChunk = 256;
  struct Chunk {
    uint32_t first_clock = 0;
    uint16_t count = 0;
    uint16_t capacity = 0;
    std::unique_ptr<Entry[]> entries;
  };

  bool Holds(uint32_t chunk, uint32_t clock) const {
    return chunks_[chunk].first_clock <= clock &&
           (chunk + 1 == chunks_.size() || clock < chunks_[chunk + 1].first_clock);
  }
  uint32_t FindChunk(uint32_t clock) const;
  static void MakeRoom(Chunk& chunk);
  void Insert(Position at, Entry entry);
  void SplitChunk(uint32_t chunk);
  void JoinSmall(uint32_t chunk);

  std::vector<Chunk> chunks_;
  uint32_t size_ = 0;
  mutable uint32_t hint_ = 0;       // the chunk found last
  mutable uint32_t slot_hint_ = 0;  // where in it
};

// All clients of a document, numbered in the order in which their first struct came.
class StructStore {
 public:
  struct Client {
    uint64_t id = 0;
    uint32_t state = 0;  // the next clock
    StructList structs;
    // The last transaction that added structs of it, or deleted some: its number, and where in it that is noted.
    uint64_t touched_by = 0;
    uint64_t deleted_by = 0;
    uint32_t touched_place = 0;
    uint32_t deleted_place = 0;
  };

  // kNoClient when it has no struct.
  ClientIndex Find(uint64_t id) const {
    if (!clients_.empty() && clients_[last_found_].id == id) return last_found_;
    return FindSlow(id);
  }
  ClientIndex FindOrAdd(uint64_t id);
  Client& operator[](ClientIndex client) { return clients_[client]; }
  const Client& operator[](ClientIndex client) const { return clients_[client]; }
  size_t size() const { return clients_.size(); }
  // 0 for a client that it doesn't know.
  uint32_t StateOf(uint64_t id) const {
    const ClientIndex client = Find(id);
    return client == kNoClient ? 0 : clients_[client].state;
  }
  // All, in descending order of their ids: the order of everything that is encoded. Valid until one is added.
  const std::vector<ClientIndex>& Descending() const;

  uint64_t bytes() const;

 private:
  ClientIndex FindSlow(uint64_t id) const;

  std::vector<Client> clients_;
  absl::flat_hash_map<uint64_t, ClientIndex> numbers_;
  mutable std::vector<ClientIndex> descending_;  // of those that there were when somebody last asked
  mutable ClientIndex last_found_ = 0;
  mutable std::array<ClientIndex, 32> found_ = {};  // each the last one of those whose ids end in the same bits
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_STRUCT_STORE_H_
