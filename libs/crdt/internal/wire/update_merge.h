// Merges updates (yjs: utils/updates.js, mergeUpdatesV2), in an order kept where yjs sorts anew for every struct.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_MERGE_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_MERGE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

// Each of `updates` is held against `limits`; the error of the first that fails says which it was.
template <class Fields, class Writer>
absl::StatusOr<std::string> Merge(absl::Span<const std::string_view> updates, const Limits& limits);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_MERGE_H_
