// Any bytes as rows: what protobuf's own parser takes, ours takes alike; what only text at fault keeps it from, costs
// those rows alone.
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "ingest/row_parser.h"

using namespace rivermeet::ingest;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RowsMessage rows, stream_rows;
  const bool ours = ParseRows(bytes, rows).ok();
  (void)ParseStreamRows(bytes, stream_rows);
  v1::IngestRowsRequest theirs;
  if (theirs.ParseFromArray(data, static_cast<int>(size))) {
    RM_CHECK(ours && rows.unreadable.empty());
    RM_CHECK(rows.rows.events_size() == theirs.events_size() && rows.rows.stream() == theirs.stream());
  }
  for (const UnreadableRow& row : rows.unreadable) {
    RM_CHECK(row.index < static_cast<uint64_t>(rows.rows.events_size()));
  }
  return 0;
}
