// A document that many edit at once and that comes out the same for all: a Yjs document (yjs 13.6).
#ifndef RIVERMEET_CRDT_DOC_H_
#define RIVERMEET_CRDT_DOC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "crdt/attribution.h"
#include "crdt/events.h"
#include "crdt/limits.h"
#include "crdt/shared_types.h"
#include "crdt/snapshot.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt {

namespace internal {
struct Session;
}  // namespace internal

class UndoManager;

struct DocOptions {
  // The client as which local edits are made, at most 2^53 - 1 (more ends the program); without one, 32 bits are drawn,
  // as yjs does.
  std::optional<uint64_t> client_id = {};
  // Whether deleted content is thrown away. Without it old snapshots can be restored.
  bool gc = true;
  Limits limits = {};
};

struct EncodedUpdate {
  std::string_view bytes;
  UpdateFormat format = UpdateFormat::kV1;
};

// Applies updates and gives its state, with the bytes that yjs gives after the same updates.
//
// One thread at a time; it may move to another thread between calls. Moving the object itself keeps handles valid; what
// it was moved from may only be destroyed or assigned to. Whoever is called at the end of a transaction doesn't throw
// and doesn't destroy the document: it makes a note, and its caller does once the call that told it has returned.
class Doc {
 public:
  explicit Doc(const DocOptions& options = {});
  Doc(Doc&&) noexcept;
  Doc& operator=(Doc&&) noexcept;
  ~Doc();

  // Takes in an update as one transaction, in whatever order updates come and however often: what needs something that
  // isn't there yet is kept and applied once it is. All or nothing: after an error the document is what it was.
  // `origin` says who made the transaction, for undo managers: any text; empty is nobody in particular (yjs: null), and
  // an undo manager takes that for one's own edits unless it is told otherwise.
  //
  // Errors:
  //   INVALID_ARGUMENT    It isn't such an update; the message has the byte offset. Don't retry.
  //   RESOURCE_EXHAUSTED  A limit would be passed; the message says which. Don't retry.
  absl::Status Apply(std::string_view update, UpdateFormat format, std::string_view origin = {});
  // The same for many in one transaction, which is faster than one by one. At the first that fails it stops and gives
  // its error, with its number, from 0; those before it are applied, and `applied`, when given, says how many.
  absl::Status ApplyAll(absl::Span<const EncodedUpdate> updates, std::string_view origin = {},
                        size_t* applied = nullptr);

  // Calls `listener` at the end of every transaction that changed something, with what it changed as an update for
  // others, and its origin, so that whoever sent it doesn't get it back. Applying one update may end in two
  // transactions: yjs tidies the formats of texts in another, which has no origin. It may edit: its edits are
  // transactions that end after this one.
  using UpdateListener = std::function<void(std::string_view update, std::string_view origin)>;
  Subscription OnUpdate(UpdateFormat format, UpdateListener listener);

  // Calls `listener` after the update listeners at the end of every transaction that brought subdocuments, took some
  // away or asked for the content of some. As in yjs a removal is told again in a transaction of its own, in which the
  // subdocument is destroyed. It may edit, too.
  using SubdocumentsListener = std::function<void(const SubdocumentsEvent& event)>;
  Subscription OnSubdocuments(SubdocumentsListener listener);
  // Those in the document, in the order in which they came.
  std::vector<Subdocument> Subdocuments() const;
  // Says that the content of all with that guid is wanted. One that was inserted here is wanted anyway, as is one that
  // has autoLoad among its options.
  void LoadSubdocument(std::string_view guid);

  // The whole document as an update, or what of it somebody lacks whose state vector is `since`; with what is pending.
  // Errors:
  //   INVALID_ARGUMENT    `since` is no state vector; the message has the byte offset. Don't retry.
  //   RESOURCE_EXHAUSTED  It has more clients than max_clients. Don't retry.
  std::string EncodeState(UpdateFormat format) const;
  absl::StatusOr<std::string> EncodeStateSince(UpdateFormat format, std::string_view since) const;
  // How far each client is known; the same in both formats.
  std::string EncodeStateVector() const;
  // What is visible now, as a small description: for RestoreSnapshot, and to compare versions.
  std::string EncodeSnapshot(UpdateFormat format) const;
  Snapshot TakeSnapshot() const;
  // The document as it was when `snapshot` was taken, as a new one (yjs: createDocFromSnapshot, the same bytes). As in
  // yjs this document's structs are cut at the snapshot's edge and joined again, which shows in two ways: structs there
  // that weren't joined before may be, and a character whose halves were typed apart, one of them later than the
  // snapshot, becomes two U+FFFD.
  //
  // A snapshot that was taken by somebody else is restored as well, once this document has all that he had.
  //
  // Errors:
  //   FAILED_PRECONDITION  This document collects garbage. Don't retry.
  //   INVALID_ARGUMENT     The document can't have been like that: the snapshot has more of a client than the document,
  //                        deletes what it doesn't have, or has something without what that builds on.
  //   RESOURCE_EXHAUSTED   A limit of `options` would be passed.
  absl::StatusOr<Doc> RestoreSnapshot(const Snapshot& snapshot, const DocOptions& options = {});

  // The shared type under `name`, made when it is new, as one of that kind. Updates don't say of which kind a root is:
  // it is untyped until it is asked for here, and of that kind from then on.
  // Errors: FAILED_PRECONDITION when it already is of another kind; INVALID_ARGUMENT when the name isn't UTF-8;
  // RESOURCE_EXHAUSTED when there is no room for a new one.
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

  // Makes all edits inside `edit` one transaction. Inside another it is part of that one, with that one's origin. When
  // `edit` throws, the transaction ends with what was done, and this throws the same.
  void Transact(absl::FunctionRef<void()> edit, std::string_view origin = {});
  // The client as which local edits are made. Drawn anew after an update that brought edits of it that weren't here, as
  // then somebody else uses it, or it is one's own of before: a client that starts again takes a new number.
  uint64_t client_id() const;

  // Notes from here on who wrote and who deleted what, and when. `known` is what was noted before of the same history,
  // by this document or one that is gone; nothing is known of the rest.
  void KeepAttribution(Attribution known = {});
  // What transactions that end from here on are noted with: their time, and who it is that deletes (who writes is known
  // anyway), up to 2^53 - 1: a larger one isn't noted. A server says so before it applies somebody's update; nothing
  // where it doesn't know.
  void AttributeTo(std::optional<uint64_t> deleting_client, std::optional<absl::Time> time);
  // Null before KeepAttribution.
  const Attribution* attribution() const;

  // Whether updates wait for others that didn't come yet.
  bool HasPending() const;
  // The memory it uses, in bytes, but for what reading by index keeps of formats.
  uint64_t MemoryBytes() const;
  uint64_t StructCount() const;

 private:
  friend struct internal::HandleAccess;
  friend class UndoManager;

  void ListenToEnds();

  std::unique_ptr<internal::Session> session_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_DOC_H_
