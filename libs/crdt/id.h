// How the format names what clients wrote.
#ifndef RIVERMEET_CRDT_ID_H_
#define RIVERMEET_CRDT_ID_H_

#include <cstdint>

namespace rivermeet::crdt {

// One unit of all that a client wrote: a UTF-16 unit of a text, an element, a type, a format. A client numbers its
// units from 0 on, its clock. Both are below 2^53.
struct UnitId {
  uint64_t client = 0;
  uint64_t clock = 0;
  bool operator==(const UnitId&) const = default;
};

// Up to which clock a client is known: its next one. A state vector is one of these a client.
struct ClientState {
  uint64_t client = 0;
  uint64_t clock = 0;
  bool operator==(const ClientState&) const = default;
};

// `length` units of a client, from `clock` on.
struct ClockRange {
  uint64_t clock = 0;
  uint64_t length = 0;
  bool operator==(const ClockRange&) const = default;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_ID_H_
