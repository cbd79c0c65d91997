// What can't be applied yet because something before it is missing (yjs: StructStore.pendingStructs and pendingDs).
//
// yjs merges each update that comes to wait into one that holds all, tries all of it again when a part may go on, and
// tries again with every update to delete what waits. Here structs wait in short runs, found by what each run misses,
// and the bytes of yjs come about when somebody asks for them: a struct that comes, and one that goes on, take
// O(log n) each.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_PENDING_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_PENDING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "crdt/internal/wire/clock_ranges.h"
#include "crdt/internal/wire/struct_writer.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// Structs of one client that wait together, in order, perhaps with holes between them.
struct PendingRun {
  static constexpr uint64_t kMostStructs = 32;
  static constexpr uint64_t kMostBytes = 4096;  // but for the last one

  UnitId id;           // of the first
  uint64_t end = 0;    // the clock behind the last
  UnitId missing;      // the least state of a client that lets the first one go on
  uint64_t units = 0;  // that the structs have in all
  uint64_t structs = 0;
  bool has_items = false;
  bool has_gcs = false;
  std::string update;  // V2, of these structs alone
};

// What of one update could not be integrated, put into runs.
class PendingRest {
 public:
  PendingRest() = default;
  explicit PendingRest(uint64_t most_structs) : most_structs_(most_structs) {}  // of a run

  // The first struct of another client, which waits for `missing`.
  void Begin(const WireStruct& item, UnitId missing);
  // The next one of this client, which waits for what is before it. Skips are passed over.
  void Add(const WireStruct& item);

  std::vector<PendingRun> TakeRuns();

 private:
  void Write(const WireStruct& item);
  void EndRun();

  std::vector<PendingRun> runs_;
  uint64_t most_structs_ = PendingRun::kMostStructs;
  PendingRun run_;
  std::optional<StructWriter<WriterV2>> writer_;  // of `run_`
  uint64_t written_bytes_ = 0;                    // at least
};

class PendingStructs {
 public:
  bool empty() const { return runs_.empty(); }
  // How much they may add to a document at most.
  uint64_t structs() const { return structs_; }
  uint64_t clients() const { return runs_of_.size(); }
  uint64_t bytes() const;
  // Of each client that something waits for the least state that lets it go on, in ascending order of clients.
  std::vector<UnitId> missing() const;

  void Add(PendingRun run);
  // The clients may have come forward. Kept until TakeAdvanced().
  void Advance(const std::vector<uint64_t>& clients);
  std::vector<uint64_t> TakeAdvanced() { return std::exchange(advanced_, {}); }

  using Place = RangeStart;  // of a run's first struct; ends when the run is taken or another is added
  const PendingRun& At(Place place) const { return runs_.find(place)->second; }
  // Those that wait for `client` to come to a state of [`from`, `to`].
  std::vector<Place> Missing(uint64_t client, uint64_t from, uint64_t to) const;
  // Up to `most` of other clients that wait for `client`.
  std::vector<Place> Asking(uint64_t client, size_t most) const;
  // Takes out these, at least one, as one update of V2.
  std::string Take(const std::vector<Place>& places);

  // All that waits as yjs has it, an update of V2; empty when nothing does.
  std::string Encode() const;

 private:
  using Runs = absl::btree_map<RangeStart, PendingRun>;  // by the first struct; none begins inside another

  void Insert(PendingRun run);
  PendingRun Remove(Runs::iterator& at);  // which then is at the next one

  Runs runs_;
  // What is missing of another client, and the run that misses it.
  absl::btree_set<std::pair<RangeStart, Place>> missing_;
  absl::flat_hash_map<uint64_t, uint64_t> runs_of_;  // how many of a client
  std::vector<uint64_t> advanced_;
  uint64_t structs_ = 0;
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
  std::vector<ClockRange> TakeBelow(uint64_t client, uint64_t state);
  // Puts back what is left of such a range, of clock `state` on.
  void PutBack(uint64_t client, ClockRange range) {
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
