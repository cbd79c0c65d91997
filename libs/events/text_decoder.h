// JSON, NDJSON and CSV bodies as batches. docs/formats/text-events.md says what an event looks like in each.
#ifndef RIVERMEET_EVENTS_TEXT_DECODER_H_
#define RIVERMEET_EVENTS_TEXT_DECODER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "events/batch_view.h"
#include "events/event_error.h"
#include "events/schema.h"

namespace rivermeet::events {

enum class TextFormat { kJson, kNdjson, kCsv };

// The format of a Content-Type, its parameters ignored but for a charset, which must be UTF-8.
//
// Errors:
//   INVALID_ARGUMENT  Another type or charset; the message lists the right ones.
absl::StatusOr<TextFormat> FormatOf(std::string_view content_type);

struct DecodeOptions {
  // Goes into the batches.
  std::string stream;
  // What the stream's fields are; null for a stream that isn't made yet: then a field is what its first value is.
  const Schema* schema = nullptr;
  // Different fields that one body may name.
  size_t max_fields = 512;
  // When the body arrived, in microseconds since 1970: the time of a JSON event that names none. 0: each has to.
  int64_t arrival_us = 0;
};

// A part of a body as a batch. Where a body is cut depends on its bytes alone, not on the schema nor on what is
// rejected: a body sent again is cut the same way.
struct DecodedChunk {
  // From 0. A chunk of which every event was rejected is not given, but its number is used up.
  uint32_t number = 0;
  // Borrowed for the call. All its events have good times, names and texts; its measures are not checked for what
  // BatchChecker checks.
  const BatchView* batch = nullptr;
  // Per event of the batch: its position in the body.
  const std::vector<uint64_t>* source_index = nullptr;
};

using ChunkSink = absl::FunctionRef<absl::Status(const DecodedChunk&)>;

// Decodes `body` and gives its good events to `sink`, in order; bad ones go to `errors` with their position in bytes.
// Returns how many events the body has, good and bad. One bad event costs no other: in NDJSON and CSV the next line
// goes on; in a JSON array the next element, except that what isn't JSON ends the reading there, as one error.
//
// Errors:
//   INVALID_ARGUMENT  Nothing to decode: an empty body, no CSV header, over 8 MiB, or more than 64 batches. Nothing of
//                     it counts, whatever `sink` was given.
//   what `sink` returned.
absl::StatusOr<uint64_t> DecodeText(TextFormat format, std::string_view body, const DecodeOptions& options,
                                    ErrorList& errors, ChunkSink sink);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_TEXT_DECODER_H_
