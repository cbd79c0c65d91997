// What a document or an update may at most cost: each limit ends in an error, never in a crash.
#ifndef RIVERMEET_CRDT_LIMITS_H_
#define RIVERMEET_CRDT_LIMITS_H_

#include <cstdint>

namespace rivermeet::crdt {

// How an update, state vector or snapshot is encoded. The bytes don't tell: the sender does. The y-protocols use kV1.
enum class Format : uint8_t { kV1 = 1, kV2 = 2 };

// Every excess is RESOURCE_EXHAUSTED and leaves things as they were.
struct Limits {
  // Of one update, in bytes.
  uint64_t max_update_bytes = uint64_t{1} << 30;
  // Structs of one update, and of a document: runs of text or elements that were made together (each about 80 bytes).
  uint64_t max_structs = uint64_t{1} << 26;
  // Clients of one update, and of a document.
  uint64_t max_clients = uint64_t{1} << 20;
  // Arrays and objects nested in one value; shared types nested in a document.
  int max_depth = 512;
  // Of a document with all it needs, in bytes.
  uint64_t max_document_bytes = uint64_t{8} << 30;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_LIMITS_H_
