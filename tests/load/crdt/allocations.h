// Counts what the process takes from malloc, on request, and reads what the system says of its memory.
//
// allocations.cc defines malloc and its family for the whole program, the C++ library included, and hands every call on
// to glibc's. While nothing counts that costs a load and a branch. One thread only. Under a sanitizer, which has a
// malloc of its own, nothing is counted.
#ifndef RIVERMEET_LOAD_CRDT_ALLOCATIONS_H_
#define RIVERMEET_LOAD_CRDT_ALLOCATIONS_H_

#include <cstdint>
#include <string_view>

namespace rivermeet::load {

// From here on, from zero. Counted is what malloc gives, which is up to 15 bytes a block more than what was asked for;
// a block that is moved counts twice while it is copied. Large blocks, which malloc maps, count as all others.
void StartCounting();
int64_t LiveBytes();
int64_t PeakBytes();

// A line of /proc/self/status in bytes: "VmRSS" or "VmHWM"; 0 when there is none.
int64_t StatusBytes(std::string_view name);
// From here on VmHWM is the largest VmRSS since now.
void ResetResidentPeak();

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_ALLOCATIONS_H_
