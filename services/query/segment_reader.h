// Stored rollups, as query sees them.
#ifndef RIVERMEET_QUERY_SEGMENT_READER_H_
#define RIVERMEET_QUERY_SEGMENT_READER_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "query/owners.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"

namespace rivermeet::query {

// Thread-safe.
class SegmentReader {
 public:
  virtual ~SegmentReader() = default;

  // Gets rows; an error ends the reading.
  using Sink = std::function<absl::Status(const aggregation::v1::Partials& partials)>;

  // Reads what `query` asks for from `segments`, grouped, filtered and rolled up to the query's step as an owner
  // would; `sink` is called on this thread.
  //
  // Errors:
  //   NOT_FOUND  A segment is gone: retention or compaction removed it since the owner named it. Ask the owner again.
  //   DATA_LOSS  A segment is damaged; the message names it.
  //   CANCELLED, DEADLINE_EXCEEDED
  virtual absl::Status Read(const aggregation::v1::PartialsQuery& query,
                            const std::vector<aggregation::v1::SegmentReference>& segments, const Call& call,
                            const Sink& sink) = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_SEGMENT_READER_H_
