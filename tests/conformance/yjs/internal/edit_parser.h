// Reads the edits of a transaction.
#ifndef RIVERMEET_YJS_INTERNAL_EDIT_PARSER_H_
#define RIVERMEET_YJS_INTERNAL_EDIT_PARSER_H_

#include <vector>

#include "yjs/history_stream.h"
#include "yjs/internal/record_cursor.h"

namespace rivermeet::yjs::internal {

// Up to and with the zero that ends them.
std::vector<Edit> ParseEdits(RecordCursor& cursor);

}  // namespace rivermeet::yjs::internal

#endif  // RIVERMEET_YJS_INTERNAL_EDIT_PARSER_H_
