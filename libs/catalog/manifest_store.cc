#include "catalog/manifest_store.h"

#include "base/status.h"
#include "base/strings.h"
#include "catalog/internal/segment_rows.h"

namespace rivermeet::catalog {

absl::StatusOr<std::vector<Segment>> ManifestStore::List(const SegmentFilter& filter, absl::Time deadline) {
  // A window starts at most one resolution before it ends, so starts alone decide.
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      database_.Execute(deadline,
                        fmt::format("SELECT {} FROM segments WHERE removed_version IS NULL"
                                    " AND ($1::bigint = 0 OR stream_id = $1) AND ($2::integer = -1 OR partition = $2)"
                                    " AND last_window_us >= $3 AND first_window_us < $4"
                                    " ORDER BY stream_id, resolution_us, partition, first_offset",
                                    kSegmentColumns),
                        {filter.stream_id, filter.partition, filter.from_us, filter.to_us}));
  return SegmentsOf(rows);
}

absl::StatusOr<ManifestChanges> ManifestStore::Changes(int64_t since, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const int64_t now, Version(deadline));
  ManifestChanges changes{.version = now, .added = {}, .removed = {}};
  if (now == since) return changes;
  // Later commits than `now` are left for the next call. A row that came and went in between is in neither list.
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      database_.Execute(deadline,
                        fmt::format("SELECT {} FROM segments WHERE (added_version > $1 AND added_version <= $2"
                                    " AND removed_version IS NULL) OR (removed_version > $1 AND removed_version <= $2"
                                    " AND added_version <= $1) ORDER BY stream_id, resolution_us, partition,"
                                    " first_offset",
                                    kSegmentColumns),
                        {since, now}));
  for (Segment& segment : SegmentsOf(rows)) {
    (segment.removed_version == 0 ? changes.added : changes.removed).push_back(std::move(segment));
  }
  return changes;
}

absl::StatusOr<int64_t> ManifestStore::Version(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      database_.Execute(deadline, "SELECT version FROM versions WHERE name = 'manifest'"));
  return rows[0].Int(0);
}

absl::StatusOr<std::vector<Segment>> ManifestStore::Removed(absl::Duration grace, int limit, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      database_.Execute(deadline,
                                        fmt::format("SELECT {} FROM segments WHERE removed_version IS NOT NULL"
                                                    " AND removed_at <= now() - $1::bigint * interval '1 microsecond'"
                                                    " ORDER BY removed_version LIMIT $2",
                                                    kSegmentColumns),
                                        {absl::ToInt64Microseconds(grace), limit}));
  return SegmentsOf(rows);
}

absl::Status ManifestStore::Purge(const std::vector<std::string>& objects, absl::Time deadline) {
  return database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    for (const std::string& object : objects) {
      RM_RETURN_IF_ERROR(
          transaction.Execute("DELETE FROM segments WHERE object = $1 AND removed_version IS NOT NULL", {object})
              .status());
    }
    return absl::OkStatus();
  });
}

}  // namespace rivermeet::catalog
