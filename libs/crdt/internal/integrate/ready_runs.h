// Which runs of what waits go on together, once clients have come forward.
//
// yjs tries all that waits in one go, clients descending, and what a struct misses before the struct itself; the order
// shows, as that of a map's keys. Here only that is tried which goes on, or which in that order asks for it.
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_READY_RUNS_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_READY_RUNS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/pending.h"
#include "crdt/internal/wire/struct_stream.h"

namespace rivermeet::crdt::internal {

class ReadyRuns {
 public:
  // It outlives this, and doesn't change.
  explicit ReadyRuns(const Document& document);

  // Those that go on, wholly or in part, now that `clients` may have come forward, and with them up to kMostAsking that
  // wait for these. Empty when none goes on. In O(n log n) of what goes on; to be called once.
  std::vector<PendingStructs::Place> Find(std::vector<uint64_t> clients);

  // Beyond these the order may be another than that of yjs.
  static constexpr size_t kMostAsking = 32;

 private:
  // A run, read up to the struct that has to wait.
  struct Trial {
    Trial(const PendingRun& run, const Limits& limits) : stream(run.update, limits) { stream.Next(item); }

    StructStream<FieldsV2> stream;
    WireStruct item;
  };

  uint64_t StateOf(uint64_t client) const;
  void Wake(uint64_t client);
  void Try(size_t trial);
  void AddThoseAsking();

  const Document& document_;
  const Limits limits_;
  std::vector<PendingStructs::Place> found_;
  std::vector<std::unique_ptr<Trial>> trials_;              // of `found_`
  absl::btree_set<std::pair<RangeStart, size_t>> blocked_;  // what a trial misses, and its number
  absl::flat_hash_map<uint64_t, uint64_t> states_;          // that clients will have
  absl::flat_hash_map<uint64_t, uint64_t> woken_;           // client -> the state up to which runs were woken
  std::vector<uint64_t> advanced_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_READY_RUNS_H_
