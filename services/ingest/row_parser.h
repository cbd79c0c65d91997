// Reads rows from their serialized form, the unreadable ones apart.
#ifndef RIVERMEET_INGEST_ROW_PARSER_H_
#define RIVERMEET_INGEST_ROW_PARSER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "rivermeet/ingest/v1/ingest.pb.h"

namespace rivermeet::ingest {

// A row with text that isn't UTF-8.
struct UnreadableRow {
  uint64_t index = 0;
  // The dimension's name, "id" or "attributes".
  std::string field;
};

struct RowsMessage {
  v1::IngestRowsRequest rows;
  // By index; in `rows` these are empty.
  std::vector<UnreadableRow> unreadable;
};

// `bytes` is a serialized IngestRowsRequest. Generated code refuses a message for one text that isn't UTF-8; this costs
// only the row it is in.
//
// Errors:
//   INVALID_ARGUMENT  Not an IngestRowsRequest, or the text is in a name.
absl::Status ParseRows(std::string_view bytes, RowsMessage& to);

// The same for a serialized IngestRowsStreamRequest.
absl::Status ParseStreamRows(std::string_view bytes, RowsMessage& to);

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_ROW_PARSER_H_
