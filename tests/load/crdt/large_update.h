// A large update as a server may find it on disk: the real documents S1, S3 and A1 again and again, each copy written
// by clients of its own, all in one root.
#ifndef RIVERMEET_LOAD_CRDT_LARGE_UPDATE_H_
#define RIVERMEET_LOAD_CRDT_LARGE_UPDATE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace rivermeet::load {

struct LargeUpdate {
  std::string bytes;  // V1
  uint64_t structs = 0;
  uint64_t text_bytes = 0;  // of their contents, as UTF-8
};

// Whole copies of the three, in turn, until they take at least `bytes`. `data` is the folder of yjs/S1.yjs.
// Errors: NOT_FOUND when a file can't be opened, what reading it as an update gives otherwise.
absl::StatusOr<LargeUpdate> MakeLargeUpdate(const std::string& data, uint64_t bytes);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_LARGE_UPDATE_H_
