// Loading a large document without keeping a thread for long.
#ifndef RIVERMEET_CRDT_DOC_LOADER_H_
#define RIVERMEET_CRDT_DOC_LOADER_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "crdt/doc.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt {

// Applies one update to a new document, in steps. The document is nobody else's until it is taken, and then is what
// Doc::Apply() makes of an empty one. Limits::max_repeats doesn't hold: whatever a document encodes is loaded again
// under the limits that the document had.
//
// One thread at a time; it may move to another thread between calls, and may be dropped at any time.
class DocLoader {
 public:
  // The unit of work is about what one struct costs, some hundred nanoseconds: this takes a few milliseconds.
  static constexpr uint64_t kDefaultWork = 16'384;

  // The bytes of `update` must stay as they are for as long as the loader is there. Of V2 the strings are checked here,
  // at once; nothing else is read yet.
  DocLoader(std::string_view update, UpdateFormat format, const DocOptions& options = {});
  DocLoader(DocLoader&&) noexcept;
  DocLoader& operator=(DocLoader&&) noexcept;
  ~DocLoader();

  // Goes on for about `work`. True once the document can be taken; a struct is passed four to seven times.
  // Not divided are: one struct, however long its text and however many others stand where it goes; putting in order
  // what an update has out of order (its clients, what is deleted of one of them); the growth of a table of names or
  // clients; and, where much has to wait for others, the last pass over what is kept of that.
  //
  // Errors: those of Doc::Apply(), again and again. Nothing can be taken then.
  // A `work` of 0, and any step after Take(), ends the program.
  absl::StatusOr<bool> Step(uint64_t work = kDefaultWork);

  // The document, once and after Step() was true: any sooner, or again, ends the program.
  Doc Take();

 private:
  struct Loading;
  std::unique_ptr<Loading> loading_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_DOC_LOADER_H_
