// Reads a serialized EventBatch (docs/formats/event-batch.md).
#ifndef RIVERMEET_EVENTS_DECODED_BATCH_H_
#define RIVERMEET_EVENTS_DECODED_BATCH_H_

#include <string_view>

#include "absl/status/status.h"
#include "events/arena.h"
#include "events/batch_view.h"
#include "events/event_error.h"

namespace rivermeet::events {

// A parsed batch, to be reused: parsing a batch like the last one allocates nothing and costs a few nanoseconds an
// event. Reads the wire format itself instead of through generated code, to name what is wrong (protobuf says
// only "no") and to skip the copies. Not thread-safe.
class DecodedBatch {
 public:
  // Parses a batch of which every event must be sound, as from the log. `bytes` is borrowed by view().
  //
  // Errors:
  //   INVALID_ARGUMENT  Not an EventBatch, over a limit, arrays of different lengths, an index out of range, a bad
  //                     or repeated name, text that isn't UTF-8. The message names the field. Don't retry.
  absl::Status Parse(std::string_view bytes);

  // Parses a batch from a sender: faults of single events (an index out of range, bad text in a value, id or
  // attributes) reject those events, after resetting `rejections`; the others stay. A rejected event's series index
  // in view() is in range but means nothing. Errors as above for what concerns the whole batch.
  absl::Status Parse(std::string_view bytes, Rejections& rejections);

  // The batch of the last Parse that returned OK.
  const BatchView& view() const { return view_; }

 private:
  BatchView view_;
  Arena arena_;
};

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_DECODED_BATCH_H_
