// Checks batches against a stream's schema and splits them by partition: what stands between a sender and the log.
#ifndef RIVERMEET_EVENTS_BATCH_CHECKER_H_
#define RIVERMEET_EVENTS_BATCH_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "events/arena.h"
#include "events/batch_view.h"
#include "events/event_error.h"
#include "events/schema.h"

namespace rivermeet::events {

// The accepted events of one stream partition.
struct BatchPart {
  uint32_t partition = 0;
  uint32_t event_count = 0;
  // Whether these are all events of the batch, as they came: its sender's bytes stand for them and `bytes` is empty.
  bool untouched = false;
  // Else the part as a serialized EventBatch.
  std::string bytes;
};

struct CheckLimits {
  absl::Time now;
  absl::Duration max_future = absl::Minutes(5);
};

// Not thread-safe: one for each thread, used again and again, so that memory is.
class BatchChecker {
 public:
  // Rejects into `rejections` (reset for `batch` by whoever made it) what breaks the schema or the limits on time,
  // and returns the rest by stream partition, ascending; nothing when nothing is left. The same batch, schema and
  // rejections always give the same bytes. A float64 sent for an int64 field is taken when it is a whole number
  // within +-2^53, an int64 sent for a float64 field when a float64 holds it exactly.
  // `has_source` says that `batch` came from serialized bytes, which a part may stand for.
  //
  // Errors:
  //   INVALID_ARGUMENT  A part is over the batch limit after its columns changed type. Send smaller batches.
  absl::StatusOr<std::vector<BatchPart>> CheckAndSplit(const BatchView& batch, const Schema& schema,
                                                       const CheckLimits& limits, bool has_source,
                                                       Rejections& rejections);

 private:
  void CheckTimes(const BatchView& batch, const CheckLimits& limits, Rejections& rejections);
  void CheckDimensions(const BatchView& batch, const Schema& schema, Rejections& rejections);
  void CheckMeasures(const BatchView& batch, const Schema& schema, Rejections& rejections);
  void CheckAttributes(const BatchView& batch, Rejections& rejections);
  absl::StatusOr<std::vector<BatchPart>> Split(uint32_t partitions, bool has_source, const Rejections& rejections);

  Arena arena_;
  // What is left of the batch's columns after the check, in the schema's types.
  BatchView checked_;
  std::vector<DimensionView> dimensions_;
  std::vector<MeasureView> measures_;
  bool changed_ = false;
  std::vector<uint32_t> partition_of_series_;
  std::vector<std::vector<uint32_t>> events_of_;
};

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_BATCH_CHECKER_H_
