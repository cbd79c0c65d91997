// Which rollup segments exist: the list that readers trust and owners change together with their snapshots.
#ifndef RIVERMEET_CATALOG_MANIFEST_STORE_H_
#define RIVERMEET_CATALOG_MANIFEST_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/database.h"

namespace rivermeet::catalog {

// A closed rollup segment. (stream, partition, resolution, first offset, end offset) names it: writing it twice is
// harmless.
struct Segment {
  uint64_t stream_id = 0;
  std::string tenant;
  // Of the event log.
  int32_t partition = 0;
  absl::Duration resolution;
  // Starts of the first and last window in it, in microseconds since the Unix epoch.
  int64_t first_window_us = 0;
  int64_t last_window_us = 0;
  // Records [first_offset, end_offset) of the partition are what it was made from.
  int64_t first_offset = 0;
  int64_t end_offset = 0;
  // Its name in the object store, never used again for other content: have the writer's epoch in it.
  std::string object;
  int64_t rows = 0;
  int64_t bytes = 0;
  // The manifest version that added it, and the one that removed it (0: it is there). Set by the store.
  int64_t added_version = 0;
  int64_t removed_version = 0;
};

struct SegmentFilter {
  // 0: of all streams.
  uint64_t stream_id = 0;
  // -1: of all partitions.
  int32_t partition = -1;
  // Segments that may hold windows starting in [from_us, to_us).
  int64_t from_us = INT64_MIN;
  int64_t to_us = INT64_MAX;
};

struct ManifestChanges {
  // Through this version; pass it to the next call.
  int64_t version = 0;
  std::vector<Segment> added;
  std::vector<Segment> removed;
};

// Thread-safe. Every call is one transaction and blocks until its deadline at most; errors are those of
// Database::Run(). Segments are added and removed by SnapshotStore::Commit(), under the owner's epoch.
class ManifestStore {
 public:
  // `database` outlives this.
  explicit ManifestStore(Database& database) : database_(database) {}

  // By (stream, resolution, partition, first offset).
  absl::StatusOr<std::vector<Segment>> List(const SegmentFilter& filter, absl::Time deadline);

  // What was added and removed after `since` (0: everything that is there). Cheap when nothing was.
  absl::StatusOr<ManifestChanges> Changes(int64_t since, absl::Time deadline);

  // Grows with every change; versions are given out in commit order.
  absl::StatusOr<int64_t> Version(absl::Time deadline);

  // At most `limit` segments whose rows were removed longer than `grace` ago, so that no reader can still be at them:
  // delete their objects, then Purge() them.
  absl::StatusOr<std::vector<Segment>> Removed(absl::Duration grace, int limit, absl::Time deadline);

  // Forgets removed segments whose objects are gone, by object name.
  absl::Status Purge(const std::vector<std::string>& objects, absl::Time deadline);

 private:
  Database& database_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_MANIFEST_STORE_H_
