// All structs of a document as text: for tests that compare stores, and for who wants to see what is inside.
#ifndef RIVERMEET_CRDT_INTERNAL_READ_STRUCT_DUMP_H_
#define RIVERMEET_CRDT_INTERNAL_READ_STRUCT_DUMP_H_

#include <string>

#include "crdt/internal/store/document.h"

namespace rivermeet::crdt::internal {

// A JSON array of {"client", "structs"}, clients in the order in which they came, structs by clock. A struct is
// {"clock", "length", "kind": "gc"} or {"clock", "length", "kind": "item", "content": number of its kind on the wire,
// "deleted", "key": text or null, "left", "right", "origin", "right_origin"}; the last four are [client, clock] or
// null, of the unit right before or behind it.
std::string DumpStructs(const Document& document);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_STRUCT_DUMP_H_
