// Who wrote and who deleted what in a document, and when: a table beside it. Updates don't say when, nor who deletes.
#ifndef RIVERMEET_CRDT_ATTRIBUTION_H_
#define RIVERMEET_CRDT_ATTRIBUTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crdt/limits.h"

namespace rivermeet::crdt {

// Doc::KeepAttribution makes a document note its transactions here. Times are kept in milliseconds, as runs of clocks:
// a client that types on costs 12 bytes whenever the time differs from that of the transaction before, so a caller who
// gives whole seconds or minutes saves most of it; a deleted range costs some 40 bytes, less where neighbours went
// together.
//
// A value. Encode it beside a snapshot of the document's updates, and give it back to KeepAttribution.
class Attribution {
 public:
  // What was noted of one unit that is gone.
  struct Removal {
    std::optional<uint64_t> client;  // who deleted it, where the caller said
    std::optional<absl::Time> time;

    bool operator==(const Removal&) const = default;
  };

  // Notes that units [`from`, `to`) of `client` were written at `time`, or that nobody said when. What is known already
  // stays; a gap before `from` has no time. Of both notes: from <= to <= 2^32 - 1, where clocks end; what is outside of
  // that isn't noted. Clients are up to 2^53 - 1; a larger one counts as not said.
  void NoteWritten(uint64_t client, uint64_t from, uint64_t to, std::optional<absl::Time> time);
  // Notes that these units were deleted. The first who deleted a unit stays.
  void NoteRemoved(uint64_t client, uint64_t from, uint64_t to, const Removal& removal);

  // When unit `clock` of `client` was written; nothing where that wasn't noted. In O(log n).
  std::optional<absl::Time> WrittenAt(uint64_t client, uint64_t clock) const;
  // Who deleted it and when; nothing where that wasn't noted. In O(log n).
  std::optional<Removal> RemovedBy(uint64_t client, uint64_t clock) const;
  // The end of the run of units from `clock` on for which both answers are the same, or `limit` if that is less.
  uint64_t SameUntil(uint64_t client, uint64_t clock, uint64_t limit) const;

  // In a form of its own (docs/formats/attribution.md), a few bytes a run.
  std::string Encode() const;
  // Errors:
  //   INVALID_ARGUMENT    The bytes are no such table, to their last; the message has the byte offset. Don't retry.
  //   RESOURCE_EXHAUSTED  More clients than max_clients, or runs than max_structs, or bytes than max_update_bytes.
  static absl::StatusOr<Attribution> Decode(std::string_view bytes, const Limits& limits = {});

  // All memory it uses, in bytes.
  uint64_t MemoryBytes() const;

  bool operator==(const Attribution&) const = default;

 private:
  class Reader;

  // Run i has the units from ends[i - 1], or 0, to ends[i].
  struct Written {
    std::vector<uint32_t> ends;
    std::vector<int64_t> times;  // milliseconds since 1970, or kUnknown (attribution.cc)

    bool operator==(const Written&) const = default;
  };
  struct Removed {
    uint32_t end = 0;
    bool by_known = false;
    uint64_t by = 0;
    int64_t time = 0;  // as above

    bool operator==(const Removed&) const = default;
    bool SameAs(const Removed& other) const {
      return by_known == other.by_known && by == other.by && time == other.time;
    }
  };
  using Removals = absl::btree_map<uint32_t, Removed>;  // by first clock, apart

  static void Extend(Written& written, uint32_t end, int64_t time);
  static void Put(Removals& removals, uint32_t from, const Removed& removed);

  absl::flat_hash_map<uint64_t, Written> written_;
  absl::flat_hash_map<uint64_t, Removals> removed_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_ATTRIBUTION_H_
