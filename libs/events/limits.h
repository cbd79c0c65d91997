// How large a batch and its parts may be. Every encoder, decoder and receive limit follows from these numbers.
#ifndef RIVERMEET_EVENTS_LIMITS_H_
#define RIVERMEET_EVENTS_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace rivermeet::events {

inline constexpr size_t kMaxBatchEvents = 16'384;
inline constexpr size_t kMaxBatchBytes = 1 << 20;
// A request around a batch: its other fields and gRPC's framing. Receive limits are at least this.
inline constexpr size_t kMaxRequestBytes = kMaxBatchBytes + 4'096;
// A JSON, NDJSON or CSV body, decompressed.
inline constexpr size_t kMaxBodyBytes = 8 << 20;
// Batches that one body may become; a body that needs more has to be sent in pieces.
inline constexpr size_t kMaxBatchesPerBody = 64;

inline constexpr size_t kMaxNameBytes = 63;
inline constexpr size_t kMaxDimensionValueBytes = 1'024;
inline constexpr size_t kMaxIdBytes = 128;
inline constexpr size_t kMaxAttributesBytes = 16'384;
inline constexpr size_t kMaxAttributesDepth = 32;
// Dimensions and measures together. A stream's own limit is lower, and configured.
inline constexpr size_t kMaxBatchColumns = 10'000;

// An upper bound of the encoded size of so many events with so many columns and so many bytes of distinct texts: by it
// decoders cut bodies into batches, the same way whatever the schema says.
constexpr size_t BatchSizeBound(size_t events, size_t columns, size_t text_bytes) {
  return 256 + events * (20 + 11 * columns) + 80 * columns + text_bytes;
}

// Errors that are told in detail; the others are counted.
inline constexpr size_t kMaxDetailedErrors = 100;

// What a stream's times must lie in besides the limit on the future: from 1970 to the end of the year 9999.
inline constexpr int64_t kMinTimeUs = 0;
inline constexpr int64_t kMaxTimeUs = 253'402'300'799'999'999;

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_LIMITS_H_
