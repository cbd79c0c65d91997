// Runs transactions on a document, one inside or after the other (yjs: transact and cleanupTransactions).
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_TRANSACTOR_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_TRANSACTOR_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "crdt/internal/integrate/clean_up.h"
#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/transaction.h"

namespace rivermeet::crdt::internal {

// Hears of every transaction's end (yjs: afterTransaction).
class EndListener {
 public:
  virtual ~EndListener() = default;

  // The observers of `transaction` were called; nothing is tidied, collected or merged yet. May run transactions, which
  // end after it, and add and remove listeners.
  virtual void OnEnd(Transaction& transaction) = 0;
};

class Transactor {
 public:
  // What is called at the end of each transaction: first `observe_type`, then `observe`, then the end
  // listeners, last `done`.
  struct Hooks {
    // Of each type that it changed and that is still there; may run transactions, which end after it.
    std::function<void(Transaction&, const Transaction::Changed&)> observe_type;
    // All that observe more than one type; may run transactions, too.
    std::function<void(Transaction&)> observe;
    // It is cleaned up: its update can be had.
    std::function<void(Transaction&)> done;
  };

  Transactor(Document& document, uint64_t client) : document_(document), client_(client) {}

  // The client as which local edits are made.
  uint64_t client() const { return client_; }
  Hooks hooks;
  // Called in the order in which they were added; live until they are removed.
  void AddEndListener(EndListener* listener) { end_listeners_.push_back(listener); }
  void RemoveEndListener(EndListener* listener) { std::erase(end_listeners_, listener); }

  // Runs `body` in the running transaction, or in a new one, which then ends before this returns, unless it was begun
  // by an observer: then it ends once the observed one has. Only a new one takes the origin.
  void Run(bool local, absl::FunctionRef<void(Transaction&)> body) { Run(local, {}, body); }
  void Run(bool local, Origin origin, absl::FunctionRef<void(Transaction&)> body);
  // A new one, to be ended in steps: until End() was true nothing else may be run or changed.
  Transaction& Begin(bool local, Origin origin);
  // Goes on ending it. Observers and the tidying of formats count as one piece of work, whatever they do.
  bool End(Budget& budget);
  // Transactions keep which keys they change, or don't: this one, if it changed nothing yet, and those to come.
  void RecordKeys(bool records);

 private:
  bool EndAll(Budget& budget);
  bool EndOne(Transaction& transaction, Budget& budget);
  bool SortDeleted(Transaction& transaction, Budget& budget);
  void CallObservers(Transaction& transaction);
  void CallEndListeners(Transaction& transaction);

  Document& document_;
  uint64_t client_;
  std::vector<EndListener*> end_listeners_;
  Transaction* current_ = nullptr;
  // The first of them are begun and not told of yet, but for the first `ended_`; the rest wait to be used again.
  std::vector<std::unique_ptr<Transaction>> transactions_;
  size_t begun_ = 0;
  size_t ended_ = 0;
  // Of the one that is ending now.
  size_t sorted_ = 0;  // of its deletions, by client
  std::optional<CleanUp> clean_up_;
};

// A client id as yjs draws one: 32 random bits.
uint64_t RandomClient();

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_TRANSACTOR_H_
