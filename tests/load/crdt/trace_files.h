// The data files that tools/bench crdt feeds to every engine. Integers are lib0's varUints: 7 bits a byte, the low ones
// first, 0x80 on all but the last; lengths count bytes.
//
//   b4-editing-trace.bin   count, then as often: 1, index, length, UTF-8 (an insertion) or 2, index, length (a
//                          deletion). Indices and the length of a deletion count UTF-16 units.
//   single-edit updates    count, then as often: length, a V1 update. Made by peers/js: each edit of B4 as the update
//                          that a yjs document with the client id ClientIdOf(0) gives for its transaction.
//
// Errors of all three: NOT_FOUND when the file can't be opened, DATA_LOSS with the byte offset when it isn't such a
// file.
#ifndef RIVERMEET_LOAD_CRDT_TRACE_FILES_H_
#define RIVERMEET_LOAD_CRDT_TRACE_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::load {

// One keystroke: an insertion of `text`, or a deletion of `deleted` units when `text` is empty.
struct Edit {
  uint32_t index = 0;
  uint32_t deleted = 0;
  std::string text;
};

absl::StatusOr<std::string> ReadWholeFile(const std::string& path);
absl::StatusOr<std::vector<Edit>> ReadEdits(const std::string& path);
absl::StatusOr<std::vector<std::string>> ReadUpdates(const std::string& path);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_TRACE_FILES_H_
