// A document that many edit at once and that comes out the same for all: a Yjs document (yjs 13.6).
#ifndef RIVERMEET_CRDT_DOC_H_
#define RIVERMEET_CRDT_DOC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crdt/events.h"
#include "crdt/limits.h"
#include "crdt/shared_types.h"

namespace rivermeet::crdt {

namespace internal {
class Transaction;
struct Session;
}  // namespace internal

struct DocOptions {
  // The client as which local edits are made; 0 draws one of 32 bits, as yjs does.
  uint64_t client_id = 0;
  // Whether deleted content is thrown away. Without it old snapshots can be restored.
  bool gc = true;
  Limits limits;
};

struct EncodedUpdate {
  std::string_view bytes;
  Format format = Format::kV1;
};

// Applies updates and gives its state, with the bytes that yjs gives after the same updates.
//
// One thread at a time; it may move to another thread between calls. Moving the object itself keeps handles valid.
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
  absl::Status ApplyAll(absl::Span<const EncodedUpdate> updates);

  // Calls `listener` at the end of every transaction that changed something, with what it changed as an update for
  // others. Applying one update may end in two transactions: yjs tidies the formats of texts in another.
  using UpdateListener = std::function<void(std::string_view update)>;
  void OnUpdate(Format format, UpdateListener listener);

  // The whole document as an update, or what of it somebody lacks whose state vector is `since`; with what is pending.
  // Errors: INVALID_ARGUMENT when `since` is no state vector.
  std::string EncodeState(Format format) const;
  absl::StatusOr<std::string> EncodeStateSince(Format format, std::string_view since) const;
  // How far each client is known; the same in both formats.
  std::string EncodeStateVector() const;
  // What is visible now, as a small description: for RestoreSnapshot, and to compare versions.
  std::string EncodeSnapshot(Format format) const;

  // The shared type under `name`, made when it is new, as one of that kind. Updates don't say of which kind a root is:
  // it is untyped until it is asked for here, and of that kind from then on.
  // Errors: FAILED_PRECONDITION when it already is of another kind.
  absl::StatusOr<SharedType> GetRoot(std::string_view name, SharedKind kind);
  absl::StatusOr<Text> GetText(std::string_view name);
  absl::StatusOr<List> GetArray(std::string_view name);
  absl::StatusOr<Map> GetMap(std::string_view name);

  // The root of that name as it is, nothing when there is none: for reading what updates brought.
  std::optional<SharedType> FindRoot(std::string_view name) const;

  // All roots that are of a kind, as yjs's JSON.stringify(doc.toJSON()). INVALID_ARGUMENT as of SharedType::ToJson.
  absl::StatusOr<std::string> ToJson(BigInts bigints = BigInts::kRefuse) const;

  // Calls `observer` at the end of each transaction, also one that changed nothing, once all observers of shared types
  // were called (yjs: afterTransaction). It may edit.
  Subscription OnTransaction(std::function<void(const TransactionEvent&)> observer);

  // Makes all edits inside `edit` one transaction. Inside another it is part of that one.
  void Transact(absl::FunctionRef<void()> edit);
  // The client as which local edits are made. Drawn anew when somebody else's update shows that he uses it.
  uint64_t client_id() const;

  // Whether updates wait for others that didn't come yet.
  bool HasPending() const;
  // All memory it uses, in bytes.
  uint64_t MemoryBytes() const;
  uint64_t StructCount() const;

 private:
  absl::Status ApplyOne(internal::Transaction& transaction, std::string_view update, Format format);
  template <class Columns>
  absl::Status ApplyChecked(internal::Transaction& transaction, std::string_view update);
  void RetryPendingDeletes(internal::Transaction& transaction, std::string& unknown);

  std::unique_ptr<internal::Session> session_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_DOC_H_
