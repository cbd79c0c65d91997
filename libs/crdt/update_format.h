// The two ways in which Yjs encodes (docs/formats/yjs-update.md).
#ifndef RIVERMEET_CRDT_UPDATE_FORMAT_H_
#define RIVERMEET_CRDT_UPDATE_FORMAT_H_

#include <cstdint>

namespace rivermeet::crdt {

// How an update, state vector or snapshot is encoded. The bytes don't tell: the sender does. The y-protocols use kV1.
enum class UpdateFormat : uint8_t { kV1 = 1, kV2 = 2 };

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_UPDATE_FORMAT_H_
