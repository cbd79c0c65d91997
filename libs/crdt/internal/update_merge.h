// Merges updates (yjs: utils/updates.js, mergeUpdatesV2), with a heap where yjs sorts anew for every struct.
#ifndef RIVERMEET_CRDT_INTERNAL_UPDATE_MERGE_H_
#define RIVERMEET_CRDT_INTERNAL_UPDATE_MERGE_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace rivermeet::crdt::internal {

// `updates` were checked.
template <class Columns, class Writer>
std::string Merge(absl::Span<const std::string_view> updates);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_UPDATE_MERGE_H_
