// What a history does to a document, for libs/crdt.
#ifndef RIVERMEET_YJS_EDIT_REPLAY_H_
#define RIVERMEET_YJS_EDIT_REPLAY_H_

#include <vector>

#include "absl/status/status.h"
#include "crdt/doc.h"
#include "yjs/history_stream.h"

namespace rivermeet::yjs {

// The updates that the step brings.
std::vector<crdt::EncodedUpdate> UpdatesOf(const Step& step);

// The engine's error when it refuses.
absl::Status DoEdit(crdt::Doc& doc, const Edit& edit);

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_EDIT_REPLAY_H_
