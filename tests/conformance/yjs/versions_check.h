// Does what a line of versions.mjs says in libs/crdt: snapshots, restored documents, deltas and values at snapshots,
// relative positions; and tells the first thing that came out otherwise than in yjs.
#ifndef RIVERMEET_YJS_VERSIONS_CHECK_H_
#define RIVERMEET_YJS_VERSIONS_CHECK_H_

#include <cstdint>
#include <map>
#include <string>

#include "crdt/any.h"

namespace rivermeet::yjs {

// Empty when all is the same. Counts what was compared by the name of the step.
std::string CheckVersions(const crdt::Any& document, std::map<std::string, uint64_t>& counts);

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_VERSIONS_CHECK_H_
