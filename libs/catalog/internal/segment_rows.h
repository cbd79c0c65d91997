// Rows of the table `segments`.
#ifndef RIVERMEET_CATALOG_INTERNAL_SEGMENT_ROWS_H_
#define RIVERMEET_CATALOG_INTERNAL_SEGMENT_ROWS_H_

#include <string_view>
#include <vector>

#include "catalog/manifest_store.h"

namespace rivermeet::catalog {

// The columns that SegmentsOf() reads, for a SELECT.
extern const std::string_view kSegmentColumns;

std::vector<Segment> SegmentsOf(const Result& rows);

// Adds or replaces the row of `segment`, which `version` adds. False when its stream has been deleted.
absl::StatusOr<bool> AddSegment(Transaction& transaction, const Segment& segment, int64_t version);

// Marks the row removed by `version`; no such row is fine.
absl::Status RemoveSegment(Transaction& transaction, const Segment& segment, int64_t version);

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_INTERNAL_SEGMENT_ROWS_H_
