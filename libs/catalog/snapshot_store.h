// Where each partition's fold can start again, committed together with the segments it closed.
#ifndef RIVERMEET_CATALOG_SNAPSHOT_STORE_H_
#define RIVERMEET_CATALOG_SNAPSHOT_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/database.h"
#include "catalog/manifest_store.h"

namespace rivermeet::catalog {

struct Snapshot {
  int32_t partition = 0;
  // Of the owner that wrote it.
  int64_t epoch = 0;
  // Records below this offset are in it.
  int64_t offset = 0;
  // Its name in the object store.
  std::string object;
  int64_t bytes = 0;
  // Set by the store.
  absl::Time committed;
};

struct SnapshotCommit {
  Snapshot snapshot;
  std::vector<Segment> added;
  // Rows to take out: compacted, past retention, or, when the fold started from an older snapshot than the newest,
  // every segment that ends beyond that snapshot's offset, because the fold makes them anew and may cut them
  // differently. Only stream_id, partition, resolution and offsets are looked at. Taken out before `added` goes in.
  std::vector<Segment> removed;
  // When the fold started from an older snapshot than the newest: that one's offset, 0 for the log's beginning. The
  // snapshots beyond it count on segments in `removed`, and go with them.
  int64_t replayed_from = INT64_MAX;
};

struct Committed {
  // The manifest's version after this commit; unchanged when no segments were added or removed.
  int64_t manifest_version = 0;
  // Objects that nothing refers to: other snapshots, and added segments whose stream has been deleted. Delete them.
  std::vector<std::string> obsolete_objects;
};

// The snapshots of one log. Keeps the last three of each partition, so that a damaged one can be passed over.
//
// Thread-safe. Every call is one transaction and blocks until its deadline at most; errors besides the named ones
// are those of Database::Run().
class SnapshotStore {
 public:
  // `database` outlives this.
  explicit SnapshotStore(Database& database, std::string log = "events") : database_(database), log_(std::move(log)) {}

  // Newest first, at most three. None: start at the log's beginning.
  absl::StatusOr<std::vector<Snapshot>> List(int32_t partition, absl::Time deadline);

  // The snapshot's pointer, its offset and the manifest's changes, all or nothing. Repeating a commit whose outcome
  // is unknown is harmless.
  //
  // Errors:
  //   FAILED_PRECONDITION  `snapshot.epoch` is not the epoch of the partition's lease (somebody else owns it), or its
  //                        offset is below the last one: stop owning this partition.
  absl::StatusOr<Committed> Commit(const SnapshotCommit& commit, absl::Time deadline);

 private:
  Database& database_;
  const std::string log_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_SNAPSHOT_STORE_H_
