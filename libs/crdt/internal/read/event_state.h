// What an event tells, found when asked for (yjs: utils/YEvent.js, YTextEvent).
#ifndef RIVERMEET_CRDT_INTERNAL_READ_EVENT_STATE_H_
#define RIVERMEET_CRDT_INTERNAL_READ_EVENT_STATE_H_

#include <optional>
#include <vector>

#include "crdt/events.h"
#include "crdt/internal/session.h"

namespace rivermeet::crdt::internal {

// One transaction's changes in one type, shared by all who observe it.
class EventState {
 public:
  EventState(Session& session, const Transaction& transaction, const Transaction::Changed& changed)
      : session_(session), transaction_(transaction), changed_(changed) {}

  Session& session() { return session_; }
  const Transaction& transaction() const { return transaction_; }
  const Transaction::Changed& changed() const { return changed_; }
  TypeIndex target() const { return changed_.type; }

  std::vector<KeyIndex> TouchedKeys() const;
  const std::vector<KeyChange>& Keys();
  const std::vector<DeltaChange>& Delta();

  // Whether the transaction made that unit, or deleted it.
  bool Adds(const Item& item) const { return session_.document.IsNew(transaction_, item.id); }
  bool Deletes(const Item& item) const;

 private:
  void AddKeyChange(KeyIndex key, std::vector<KeyChange>& to) const;
  std::vector<DeltaChange> FindListDelta() const;

  Session& session_;
  const Transaction& transaction_;
  const Transaction::Changed& changed_;
  std::optional<std::vector<KeyChange>> keys_;
  std::optional<std::vector<DeltaChange>> delta_;
};

// How a text changed; deletes formats that say nothing more in a transaction of its own.
std::vector<DeltaChange> TextDelta(EventState& event);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_EVENT_STATE_H_
