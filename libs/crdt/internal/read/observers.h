// Who observes shared types, and telling them at the end of a transaction (yjs: callTypeObservers and what of
// cleanupTransactions calls observers).
#ifndef RIVERMEET_CRDT_INTERNAL_READ_OBSERVERS_H_
#define RIVERMEET_CRDT_INTERNAL_READ_OBSERVERS_H_

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "crdt/events.h"
#include "crdt/internal/listeners.h"
#include "crdt/internal/read/event_state.h"
#include "crdt/internal/session.h"

namespace rivermeet::crdt::internal {

// One callback: that which is set.
struct Observer : Listener {
  TypeIndex type = kNoType;  // none: it observes the document's transactions
  uint32_t generation = 0;
  std::function<void(const Event&)> event;
  std::function<void(absl::Span<const Event>)> events;
  std::function<void(const TransactionEvent&)> transaction;
};

// The order is yjs's: of each changed type, in the order of first changes, its own observers; then of each type that
// one lies in, in the order in which the first event reached it, its deep observers; then those of the transaction. An
// observer that is added on the way is called too when its list isn't done. One that is cancelled isn't, unlike in yjs.
// They don't throw.
class Observers final : public Announcer {
 public:
  explicit Observers(Session& session) : session_(session) {}

  Subscription Add(Observer observer);
  void Forget(const Listener& listener) override;

  // What the transactor calls: for each changed type that is still there, then once.
  void CallTypeObservers(Transaction& transaction, const Transaction::Changed& changed);
  void CallOtherObservers(Transaction& transaction);

 private:
  using List = std::vector<std::shared_ptr<Observer>>;
  // Observers of one type; of kNoType those of transactions.
  struct OfType {
    List shallow;
    List deep;
  };
  // A type that events happened in.
  struct Parent {
    TypeIndex type;
    std::vector<EventState*> events;
  };

  List* Find(TypeIndex type, bool deep);
  template <class Call>
  void CallAll(TypeIndex type, bool deep, Call call);
  bool IsStale(const Observer& observer) const;
  void CallDeep(Parent& parent);
  std::vector<PathStep> PathTo(TypeIndex from, TypeIndex to) const;
  void Erase(const Observer& observer);
  void DropStale();
  void EndCalls();

  Session& session_;
  absl::flat_hash_map<TypeIndex, OfType> observers_;
  size_t count_ = 0;
  size_t swept_count_ = 0;                            // when stale ones were dropped last
  int calling_ = 0;                                   // calls of callbacks that are under way
  std::vector<std::shared_ptr<Observer>> cancelled_;  // in lists that are being gone through

  // Of the transaction that ends.
  std::deque<EventState> events_;
  std::vector<Parent> parents_;
  absl::flat_hash_map<TypeIndex, size_t> parent_places_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_OBSERVERS_H_
