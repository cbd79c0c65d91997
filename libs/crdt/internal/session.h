// A document with what runs its transactions and hears of them: what Doc and the handles of shared types work on.
#ifndef RIVERMEET_CRDT_INTERNAL_SESSION_H_
#define RIVERMEET_CRDT_INTERNAL_SESSION_H_

#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/internal/document.h"
#include "crdt/internal/transactor.h"
#include "crdt/limits.h"
#include "crdt/shared_types.h"

namespace rivermeet::crdt::internal {

struct Session {
  Session(std::optional<uint64_t> client, bool gc, const Limits& session_limits)
      : limits(session_limits), document(gc), transactor(document, client.has_value() ? *client : RandomClient()) {}

  const Limits limits;
  Document document;
  Transactor transactor;
  std::vector<std::pair<Format, std::function<void(std::string_view)>>> update_listeners;

  // Gives those who listen what `transaction` changed.
  void TellListeners(const Transaction& transaction) const;
};

// A handle of the type of that number.
SharedType MakeHandle(Session& session, TypeIndex type);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_SESSION_H_
