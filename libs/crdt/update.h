// What can be done with updates alone, without a document: merge, diff, convert, ask for the state they reach.
//
// Bytes in, bytes out, the same as yjs's functions of these names (yjs 13.6, utils/updates.js). All are free of side
// effects and may be called from any thread. Their errors:
//   INVALID_ARGUMENT    The bytes aren't such an update; the message has the byte offset. Don't retry.
//   RESOURCE_EXHAUSTED  A limit is passed; the message says which. Don't retry.
#ifndef RIVERMEET_CRDT_UPDATE_H_
#define RIVERMEET_CRDT_UPDATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crdt/limits.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt {

// Of so many updates at most a merge is yjs's to the byte.
inline constexpr size_t kMaxMergedExactly = 16'000;

// One update with the effect of all, in O(n log n) of the structs. A gap between structs of a client becomes a Skip.
// One update alone is given back as it came, unread. Of none: an update without effect.
//
// Where an update has an item and another, at the same clock, its collected form, yjs's order of the two is a property
// of V8's sort: as long as such a pair waits, each struct costs O(updates). Of more than kMaxMergedExactly updates
// only the effect is yjs's then.
absl::StatusOr<std::string> MergeUpdates(absl::Span<const std::string_view> updates, UpdateFormat format,
                                         const Limits& limits = {});

// What of `update` somebody lacks whose encoded state vector is `state_vector` (as EncodeStateVector gives it). The
// deletions always stay whole.
absl::StatusOr<std::string> DiffUpdate(std::string_view update, std::string_view state_vector, UpdateFormat format,
                                       const Limits& limits = {});

// The same update in the other format. Its delete set comes out as yjs writes it, clients descending, whatever their
// order was: there and back an update of somebody else may have other bytes.
absl::StatusOr<std::string> ConvertUpdate(std::string_view update, UpdateFormat from, UpdateFormat to,
                                          const Limits& limits = {});

// The state vector of who has just this update: of each client that it knows from clock 0 on, the clock up to which it
// has no gap. As in yjs a Skip that is the first struct of all, at clock 0, counts as if it were known.
absl::StatusOr<std::string> EncodeStateVectorFromUpdate(std::string_view update, UpdateFormat format,
                                                        const Limits& limits = {});

// The same update without what it says, to show others a document in which something fails: texts, values, keys, and
// names but those of roots are replaced, equal keys and formats by equal ones (yjs: obfuscateUpdate). Who made what
// when, and where, is still to be seen.
absl::StatusOr<std::string> ObfuscateUpdate(std::string_view update, UpdateFormat format, const Limits& limits = {});

// From which clock up to which an update has structs of a client; it may have holes between them.
struct ClientClocks {
  uint64_t client = 0;
  uint64_t from = 0;
  uint64_t to = 0;  // behind the last
  bool operator==(const ClientClocks&) const = default;
};
// Whose structs `update` has, in the order of its bytes (yjs: parseUpdateMeta). Who deleted something isn't in it.
absl::StatusOr<std::vector<ClientClocks>> ClientsOfUpdate(std::string_view update, UpdateFormat format,
                                                          const Limits& limits = {});

// OK when `update` can be read to its last byte and no struct has itself or a later one of its client as neighbour or
// parent: what every function here that reads an update, and Doc::Apply, check first. A document may still refuse it:
// at its limits, at clocks over 2^32 - 2, and where it contradicts what is known.
absl::Status CheckUpdate(std::string_view update, UpdateFormat format, const Limits& limits = {});

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_UPDATE_H_
