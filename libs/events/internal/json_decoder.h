// JSON and NDJSON bodies as events.
#ifndef RIVERMEET_EVENTS_INTERNAL_JSON_DECODER_H_
#define RIVERMEET_EVENTS_INTERNAL_JSON_DECODER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "events/internal/event_assembler.h"

namespace rivermeet::events::internal {

// Feeds every event of `body` to `assembler`; how many there were. Errors are the assembler's.
absl::StatusOr<uint64_t> DecodeJson(std::string_view body, EventAssembler& assembler);
absl::StatusOr<uint64_t> DecodeNdjson(std::string_view body, EventAssembler& assembler);

}  // namespace rivermeet::events::internal

#endif  // RIVERMEET_EVENTS_INTERNAL_JSON_DECODER_H_
