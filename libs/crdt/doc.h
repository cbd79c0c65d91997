// A document that many edit at once and that comes out the same for all: a Yjs document (yjs 13.6).
#ifndef RIVERMEET_CRDT_DOC_H_
#define RIVERMEET_CRDT_DOC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crdt/limits.h"

namespace rivermeet::crdt {

namespace internal {
class Document;
struct DocInside;
template <class Columns>
class UpdateApplier;
}  // namespace internal

struct DocOptions {
  // The client as which local edits are made; 0 draws one of 32 bits, as yjs does.
  uint64_t client_id = 0;
  // Whether deleted content is thrown away. Without it old snapshots can be restored.
  bool gc = true;
  Limits limits;
};

// Kinds of a root; what a document holds under a name is untyped until it is asked for as one of these.
enum class RootKind : uint8_t { kArray, kMap, kText, kXmlElement, kXmlFragment, kXmlHook, kXmlText };

// Applies updates and gives its state, with the bytes that yjs gives after the same updates.
//
// One thread at a time; it may move to another thread between calls. Views of its content end with the next change.
class Doc {
 public:
  explicit Doc(const DocOptions& options = {});
  Doc(Doc&&) noexcept;
  Doc& operator=(Doc&&) noexcept;
  ~Doc();

  // Takes in an update as one transaction, in whatever order updates come and however often: what needs something that
  // isn't there yet is kept and applied once it is. All or nothing: after an error the document is what it was.
  //
  // Errors:
  //   INVALID_ARGUMENT    It isn't such an update; the message has the byte offset. Don't retry.
  //   RESOURCE_EXHAUSTED  A limit would be passed; the message says which. Don't retry.
  absl::Status Apply(std::string_view update, Format format);
  // The same for many in one transaction, which is faster than one by one. At the first that fails it stops and gives
  // its error, with its number; those before it are applied.
  absl::Status ApplyAll(absl::Span<const std::string_view> updates, Format format);

  // What the last transaction changed, as an update for others; empty when it changed nothing.
  std::string LastUpdate(Format format) const;

  // The whole document as an update, or what of it somebody lacks whose state vector is `since`; with what is pending.
  // Errors: INVALID_ARGUMENT when `since` is no state vector.
  std::string EncodeState(Format format) const;
  absl::StatusOr<std::string> EncodeStateSince(Format format, std::string_view since) const;
  // How far each client is known; the same in both formats.
  std::string EncodeStateVector() const;
  // What is visible now, as a small description: for RestoreSnapshot, and to compare versions.
  std::string EncodeSnapshot(Format format) const;

  // Says of which kind the root `name` is, and makes it when it is new.
  // Errors: FAILED_PRECONDITION when it already is of another kind.
  absl::Status DefineRoot(std::string_view name, RootKind kind);

  // The text under a root, without embeds and formats. Empty when there is none.
  std::string RootText(std::string_view name) const;
  // Places in a root's list: UTF-16 units of a text, elements otherwise.
  uint64_t RootLength(std::string_view name) const;
  // The UTF-16 unit, or one past the end 0, at `index` of a root's text, in O(log n).
  char16_t RootUnitAt(std::string_view name, uint64_t index);

  // Whether updates wait for others that didn't come yet.
  bool HasPending() const;
  // All memory it uses, in bytes.
  uint64_t MemoryBytes() const;
  uint64_t StructCount() const;

 private:
  friend struct internal::DocInside;

  absl::Status ApplyOne(std::string_view update, Format format);
  template <class Columns>
  absl::Status CheckAndTake(std::string_view update);
  template <class Columns>
  bool Take(internal::UpdateApplier<Columns>& applier);
  void RetryPendingDeletes(std::string& rest);

  DocOptions options_;
  std::unique_ptr<internal::Document> document_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_DOC_H_
