// Contents of wire structs, cut (yjs: the contents' splice).
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_CONTENT_SLICE_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_CONTENT_SLICE_H_

#include <string>

#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// `content` from unit `offset` on, 0 < offset < length. Where the cut is behind a high surrogate, the first unit
// becomes U+FFFD. The result may be a view of `scratch`.
WireContent SliceFrom(const WireContent& content, uint64_t offset, std::string& scratch);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_CONTENT_SLICE_H_
