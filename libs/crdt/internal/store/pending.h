// What can't be applied yet because something before it is missing (yjs: StructStore.pendingStructs and pendingDs).
//
// yjs merges each update that comes to wait into one that holds all, and with every update tries again to delete what
// waits. Here the same bytes come about when somebody asks for them, so that n updates that wait take O(n log n).
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_PENDING_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_PENDING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/wire/clock_ranges.h"
#include "crdt/internal/wire/wire.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

class StructStore;

// What of one update could not be integrated.
struct UpdateRest {
  struct Range {
    uint64_t client = 0;
    uint64_t from = 0;
    uint64_t to = 0;
  };

  // Adds a struct, which was put aside, behind those of its client.
  void Count(const WireStruct& item);
  // The client waits for that clock; of several the least counts.
  void Misses(uint64_t client, uint64_t clock);

  bool empty() const { return ranges.empty(); }

  std::string update;                               // V2, without deletions
  std::vector<Range> ranges;                        // of its structs, no holes inside; each client's in order and apart
  absl::flat_hash_map<uint64_t, uint64_t> missing;  // client -> the least state that lets something of it go on
  uint64_t structs = 0;
  bool has_items = false;
  bool has_gcs = false;
};

class PendingStructs {
 public:
  bool empty() const { return updates_.empty(); }
  // How much they may add to a document at most.
  uint64_t structs() const { return structs_; }
  uint64_t clients() const { return clients_; }
  uint64_t bytes() const;
  // client -> the least state that lets something of it go on.
  const absl::flat_hash_map<uint64_t, uint64_t>& missing() const { return missing_; }

  // Puts `rest` to what waits. True when some of this may go on now: something waited before, and one of `moved`, the
  // clients that the update may have brought forward, has come to where it was missing.
  bool Add(UpdateRest rest, const std::vector<uint64_t>& moved, const StructStore& structs);
  // All that waits as yjs has it, an update of V2; empty when nothing does.
  std::string Encode() const;
  // The same, and from here on nothing waits.
  std::string Take();

 private:
  enum class Overlap : uint8_t { kNone, kWhole, kPart };

  Overlap OverlapOf(const UpdateRest& rest) const;
  void Cover(const UpdateRest::Range& range);
  void Append(std::string update);
  void MergeIn(const UpdateRest& rest);
  bool HasCome(uint64_t client, const StructStore& structs) const;

  // Of structs apart, each less than half as long as the one before it.
  std::vector<std::string> updates_;
  ClockRanges covered_;  // what waits
  absl::flat_hash_map<uint64_t, uint64_t> missing_;
  bool ready_ = false;  // what was missing had come already when the first began to wait
  uint64_t structs_ = 0;
  uint64_t clients_ = 0;
  bool has_items_ = false;
  bool has_gcs_ = false;
  uint64_t update_bytes_ = 0;
};

class PendingDeletes {
 public:
  bool empty() const { return ends_.empty(); }
  uint64_t size() const { return ends_.size(); }
  uint64_t bytes() const { return ends_.size() * sizeof(decltype(ends_)::value_type); }

  // Adds what an update deletes and the document lacks; of each client in order and apart.
  void Add(const WireDeleteSet& unknown);
  // Takes out what waits of `client` and begins before `state`, in order.
  std::vector<DeleteRange> TakeBelow(uint64_t client, uint64_t state);
  // Puts back what is left of such a range, of clock `state` on.
  void PutBack(uint64_t client, DeleteRange range) {
    ends_.emplace(RangeStart{client, range.clock}, range.clock + range.length);
  }
  // As an update of V2; empty when nothing waits.
  std::string Encode() const;

 private:
  ClockRanges ends_;
  bool merged_ = false;  // ranges that touch are one; not those of the first update
};

struct Pending {
  PendingStructs structs;
  PendingDeletes deletes;

  bool empty() const { return structs.empty() && deletes.empty(); }
  uint64_t bytes() const { return structs.bytes() + deletes.bytes(); }
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_PENDING_H_
