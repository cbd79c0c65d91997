// Events that come as rows.
#ifndef RIVERMEET_INGEST_ROW_DECODER_H_
#define RIVERMEET_INGEST_ROW_DECODER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "events/text_decoder.h"
#include "ingest/row_parser.h"

namespace rivermeet::ingest {

// Gives the rows of `message` to `sink` as batches, cut by their content alone, and faults of single rows to `errors`.
// Returns how many rows there were. `schema_version` goes into the batches.
//
// Errors:
//   INVALID_ARGUMENT  A bad stream or field name, a name twice, over 16,384 rows. Nothing counts.
//   what `sink` returned.
absl::StatusOr<uint64_t> DecodeRows(const RowsMessage& message, uint32_t schema_version, events::ErrorList& errors,
                                    events::ChunkSink sink);

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_ROW_DECODER_H_
