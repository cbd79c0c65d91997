// A version of a document: which of what its clients wrote is there, and which of that is deleted (yjs: Snapshot).
#ifndef RIVERMEET_CRDT_SNAPSHOT_H_
#define RIVERMEET_CRDT_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crdt/id.h"
#include "crdt/limits.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt {

// Small beside the document: a few bytes a client and a deleted range. It has no content: the document that it was
// taken of, or one with the same updates, gives that, as long as it doesn't collect garbage (DocOptions::gc).
//
// A value; any thread may read one that none changes. Doc::TakeSnapshot gives one, Doc::RestoreSnapshot the document
// that was, versions.h what stood in a type then.
class Snapshot {
 public:
  // What was deleted of a client.
  struct Deleted {
    uint64_t client = 0;
    std::vector<ClockRange> ranges;  // at least one, in order, apart or touching
  };

  // Of a document with nothing in it.
  Snapshot() = default;
  // INVALID_ARGUMENT: a client comes twice, or ranges are empty, out of order, overlap or reach over 2^53 - 1.
  static absl::StatusOr<Snapshot> Make(std::vector<ClientState> states, std::vector<Deleted> deletes);

  // Reads what Encode gives, or yjs's encodeSnapshot and encodeSnapshotV2.
  //
  // Errors:
  //   INVALID_ARGUMENT    The bytes are no such snapshot, to their last; the message has the byte offset. Don't retry.
  //   RESOURCE_EXHAUSTED  Of the limits for an update one would be passed: bytes, clients, or structs (as ranges).
  static absl::StatusOr<Snapshot> Decode(std::string_view bytes, UpdateFormat format, const Limits& limits = {});
  // yjs's bytes.
  std::string Encode(UpdateFormat format) const;

  // In the order in which the document got to know them.
  const std::vector<ClientState>& states() const { return states_; }
  const std::vector<Deleted>& deletes() const { return deletes_; }

  // The same clients, clocks and ranges, in any order of clients (yjs: equalSnapshots).
  bool operator==(const Snapshot& other) const;

  // Whether whoever has this version learns nothing from `update` (yjs: snapshotContainsUpdate).
  // Errors: as those of CheckUpdate.
  absl::StatusOr<bool> ContainsUpdate(std::string_view update, UpdateFormat format, const Limits& limits = {}) const;

  // Whether the unit `clock` of `client` was there, deleted or not; and whether it was there and not deleted. In
  // O(clients + log ranges).
  bool Knows(uint64_t client, uint64_t clock) const;
  bool Shows(uint64_t client, uint64_t clock) const;

 private:
  friend class Doc;

  std::vector<ClientState> states_;
  std::vector<Deleted> deletes_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_SNAPSHOT_H_
