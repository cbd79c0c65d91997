// A document with what runs its transactions and hears of them: what Doc and the handles of shared types work on.
#ifndef RIVERMEET_CRDT_INTERNAL_SESSION_H_
#define RIVERMEET_CRDT_INTERNAL_SESSION_H_

#include <memory>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "crdt/internal/edit/transactor.h"
#include "crdt/internal/listeners.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/room.h"
#include "crdt/internal/wire/update_writer.h"
#include "crdt/limits.h"
#include "crdt/shared_types.h"

namespace rivermeet::crdt {

class Doc;

namespace internal {

class Observers;

struct Session {
  Session(std::optional<uint64_t> client, bool gc, const Limits& session_limits)
      : limits(session_limits), document(gc), transactor(document, client.has_value() ? *client : RandomClient()) {}

  const Limits limits;
  Document document;
  Transactor transactor;
  EditRoom edit_room;                    // to be forgotten by whatever else adds to the document
  std::shared_ptr<Observers> observers;  // null while nobody ever observed
  Listeners<std::string_view, std::string_view> update_listeners[2];  // of V1 and of V2
  Listeners<const SubdocumentsEvent&> subdocument_listeners;

  // Runs `edit` in a transaction with that origin, in which it may come to observe. An exception of `edit`
  // leaves the transaction, and so the document, half done.
  void Transact(absl::FunctionRef<void()> edit, std::string_view origin);
  // The observers, made when there are none.
  Observers& Observed();
  // Gives those who listen what `transaction` changed.
  void TellListeners(const Transaction& transaction);
  void TellSubdocuments(const Transaction& transaction);

 private:
  WriterV1 writer_;  // of the update told last: kept for its memory
};

// What is behind a handle.
struct HandleAccess {
  static Session& SessionOf(const SharedType& type) { return *type.session_; }
  static Session& SessionOf(const Doc& doc);
  static SharedType Make(Session& session, TypeIndex type) { return {session, type}; }
  static TypeIndex TypeOf(const SharedType& type) { return type.type_; }
  // Also when it was deleted but not collected.
  static bool Exists(const SharedType& type) {
    return type.session_->document.types[type.type_].generation == type.generation_;
  }
  // Its number in `session`; nothing when it belongs to another, or was thrown away.
  static std::optional<TypeIndex> NumberIn(const Session& session, const SharedType& type) {
    if (type.session_ != &session || !Exists(type)) return std::nullopt;
    return type.type_;
  }
};

}  // namespace internal
}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_INTERNAL_SESSION_H_
