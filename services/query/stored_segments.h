// Segments of the object store, through libs/segments.
#ifndef RIVERMEET_QUERY_STORED_SEGMENTS_H_
#define RIVERMEET_QUERY_STORED_SEGMENTS_H_

#include "query/segment_reader.h"
#include "segments/segment_reader.h"

namespace rivermeet::query {

// Thread-safe.
class StoredSegments : public SegmentReader {
 public:
  // `reader` outlives this.
  explicit StoredSegments(segments::SegmentReader& reader) : reader_(reader) {}

  absl::Status Read(const aggregation::v1::PartialsQuery& query,
                    const std::vector<aggregation::v1::SegmentReference>& segments, const Call& call,
                    const Sink& sink) override {
    const auto cancelled = [&call] { return call.cancellation != nullptr && call.cancellation->cancelled(); };
    return reader_.Read(query, segments, call.deadline, cancelled, sink);
  }

 private:
  segments::SegmentReader& reader_;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_STORED_SEGMENTS_H_
