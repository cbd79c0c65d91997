// CSV bodies as events (RFC 4180, with a header line).
#ifndef RIVERMEET_EVENTS_INTERNAL_CSV_DECODER_H_
#define RIVERMEET_EVENTS_INTERNAL_CSV_DECODER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "events/internal/event_assembler.h"

namespace rivermeet::events::internal {

// Feeds every line of `body` to `assembler`; how many events there were. A column that the schema doesn't know
// is a measure when all its cells are numbers or empty.
//
// Errors:
//   INVALID_ARGUMENT  No header, or the header isn't CSV or names a column twice.
absl::StatusOr<uint64_t> DecodeCsv(std::string_view body, const DecodeOptions& options, EventAssembler& assembler);

}  // namespace rivermeet::events::internal

#endif  // RIVERMEET_EVENTS_INTERNAL_CSV_DECODER_H_
