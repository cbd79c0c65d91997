// Writes serialized EventBatches (docs/formats/event-batch.md).
#ifndef RIVERMEET_EVENTS_BATCH_ENCODER_H_
#define RIVERMEET_EVENTS_BATCH_ENCODER_H_

#include <cstdint>
#include <span>
#include <string>

#include "events/arena.h"
#include "events/batch_view.h"

namespace rivermeet::events {

// `batch` as bytes: the same columns always give the same bytes.
std::string EncodeBatch(const BatchView& batch);

// The events `chosen` (ascending positions) of `batch`, with a series table of only what they use, numbered by
// first use. Made in `arena`; borrows the texts of `batch`.
BatchView SelectEvents(const BatchView& batch, std::span<const uint32_t> chosen, Arena& arena);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_BATCH_ENCODER_H_
