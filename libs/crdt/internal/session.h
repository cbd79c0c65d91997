// A document with what runs its transactions and hears of them: what Doc and the handles of shared types work on.
#ifndef RIVERMEET_CRDT_INTERNAL_SESSION_H_
#define RIVERMEET_CRDT_INTERNAL_SESSION_H_

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/internal/document.h"
#include "crdt/internal/transactor.h"
#include "crdt/limits.h"
#include "crdt/shared_types.h"

namespace rivermeet::crdt::internal {

class Observers;

struct Session {
  Session(uint64_t client, bool gc, const Limits& session_limits)
      : limits(session_limits), document(gc), transactor(document, client == 0 ? RandomClient() : client) {}

  const Limits limits;
  Document document;
  Transactor transactor;
  std::shared_ptr<Observers> observers;  // null while nobody ever observed
  std::vector<std::pair<Format, std::function<void(std::string_view)>>> update_listeners;

  // The observers, made when there are none.
  Observers& Observed();
  // Gives those who listen what `transaction` changed.
  void TellListeners(const Transaction& transaction) const;
};

// A handle of the type of that number.
SharedType MakeHandle(Session& session, TypeIndex type);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_SESSION_H_
