#include "catalog/internal/segment_rows.h"

#include "base/status.h"

namespace rivermeet::catalog {

const std::string_view kSegmentColumns =
    "stream_id, tenant, partition, resolution_us, first_window_us, last_window_us, first_offset, end_offset, object,"
    " rows, bytes, added_version, coalesce(removed_version, 0)";

std::vector<Segment> SegmentsOf(const Result& rows) {
  std::vector<Segment> segments;
  segments.reserve(static_cast<size_t>(rows.size()));
  for (const Row row : rows) {
    segments.push_back(Segment{.stream_id = static_cast<uint64_t>(row.Int(0)),
                               .tenant = std::string(row.Text(1)),
                               .partition = static_cast<int32_t>(row.Int(2)),
                               .resolution = absl::Microseconds(row.Int(3)),
                               .first_window_us = row.Int(4),
                               .last_window_us = row.Int(5),
                               .first_offset = row.Int(6),
                               .end_offset = row.Int(7),
                               .object = std::string(row.Text(8)),
                               .rows = row.Int(9),
                               .bytes = row.Int(10),
                               .added_version = row.Int(11),
                               .removed_version = row.Int(12)});
  }
  return segments;
}

absl::StatusOr<bool> AddSegment(Transaction& transaction, const Segment& segment, int64_t version) {
  // The stream's row is locked against deletion until this commits. A row that is there was written by an owner
  // that replayed the same records: the newer object takes its place.
  RM_ASSIGN_OR_RETURN(const Result stream,
                      transaction.Execute("SELECT 1 FROM streams WHERE id = $1 FOR KEY SHARE", {segment.stream_id}));
  if (stream.empty()) return false;
  RM_RETURN_IF_ERROR(
      transaction
          .Execute("INSERT INTO segments (stream_id, tenant, partition, resolution_us, first_window_us, last_window_us,"
                   " first_offset, end_offset, object, rows, bytes, added_version)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                   " ON CONFLICT (stream_id, partition, resolution_us, first_offset, end_offset) DO UPDATE SET"
                   " first_window_us = excluded.first_window_us, last_window_us = excluded.last_window_us,"
                   " object = excluded.object, rows = excluded.rows, bytes = excluded.bytes,"
                   " added_version = excluded.added_version, removed_version = NULL, removed_at = NULL",
                   {segment.stream_id, segment.tenant, segment.partition, absl::ToInt64Microseconds(segment.resolution),
                    segment.first_window_us, segment.last_window_us, segment.first_offset, segment.end_offset,
                    segment.object, segment.rows, segment.bytes, version})
          .status());
  return true;
}

absl::Status RemoveSegment(Transaction& transaction, const Segment& segment, int64_t version) {
  return transaction
      .Execute(
          "UPDATE segments SET removed_version = $6, removed_at = now() WHERE stream_id = $1 AND partition = $2"
          " AND resolution_us = $3 AND first_offset = $4 AND end_offset = $5 AND removed_version IS NULL",
          {segment.stream_id, segment.partition, absl::ToInt64Microseconds(segment.resolution), segment.first_offset,
           segment.end_offset, version})
      .status();
}

}  // namespace rivermeet::catalog
