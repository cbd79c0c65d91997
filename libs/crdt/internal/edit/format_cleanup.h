// Taking away formats that say nothing any more (yjs: types/YText.js, cleanupFormattingGap and what uses it).
#ifndef RIVERMEET_CRDT_INTERNAL_EDIT_FORMAT_CLEANUP_H_
#define RIVERMEET_CRDT_INTERNAL_EDIT_FORMAT_CLEANUP_H_

#include "absl/container/flat_hash_set.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/transaction.h"

namespace rivermeet::crdt::internal {

class FormatCleanup {
 public:
  // Deletes in `transaction`. Both outlive this.
  FormatCleanup(Document& document, Transaction& transaction) : document_(document), transaction_(transaction) {}

  // What yjs does after somebody else's change (cleanupYTextAfterTransaction): in `brought`, the transaction that
  // brought it, for each text that it changed.
  void After(Transaction& brought);

  // From `start` to the next visible item: formats that another overrides before it, or that repeat what holds at
  // `start`. `at_current` are the attributes at `current`, which lies in the gap or behind it; they follow what is
  // taken away.
  void CleanUpGap(ItemRef start, ItemRef current, const AttributeMap& at_start, AttributeMap& at_current);

 private:
  bool Holds(ItemRef ref) const;
  void CleanUpContextless(ItemRef ref, absl::flat_hash_set<ItemRef>& tidied);
  void CleanUpText(TypeIndex text);

  Document& document_;
  Transaction& transaction_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_EDIT_FORMAT_CLEANUP_H_
