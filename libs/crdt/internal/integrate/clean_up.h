// The end of a transaction (yjs: utils/Transaction.js, cleanupTransactions): what it deleted is collected, and what can
// be is merged.
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_CLEAN_UP_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_CLEAN_UP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"

namespace rivermeet::crdt::internal {

class CleanUp {
 public:
  // Both outlive this, and nothing else changes the document until it is done. The transaction's deleted ranges are in
  // order and apart.
  CleanUp(Document& document, const Transaction& transaction) : document_(document), transaction_(transaction) {}

  // Goes on. True once all is done.
  bool Step(Budget& budget);

 private:
  enum class Stage : uint8_t { kCollect, kMergeDeleted, kMergeNew, kMergeSplit, kCompact, kDone };

  void Enter(Stage stage);
  // Each is one stage, and goes on where `group_`, `place_` and `clock_` say.
  bool CollectDeleted(Budget& budget);
  bool MergeDeleted(Budget& budget);
  bool MergeNew(Budget& budget);
  bool MergeSplit(Budget& budget);
  bool CompactContents(Budget& budget);

  void Collect(ItemRef ref);
  bool CollectChildren(Budget& budget);
  void CollectChild(ItemRef ref);
  void NoteInside(const Item& item);
  void DropContent(Item& item);

  bool CanMerge(const Item& left, ItemRef right) const;
  // Merges the struct at `at`, which isn't the first, into those before it as far as they go together; then `at` is
  // where it is, and `merged_` how many were. False when the budget ends: it is to be called with the same struct
  // again.
  bool MergeWithLefts(ClientIndex client, StructList::Position& at, Budget& budget);
  bool MergeRun(ClientIndex client, StructList::Position& at, Budget& budget);
  // The same from `at` on to the left, of all that begin at `from` or later.
  bool MergeLeftwards(ClientIndex client, StructList::Position at, uint64_t from, Budget& budget);
  void MergePair(Item& left, ItemRef left_ref, ItemRef right_ref);
  void MergeContent(Item& left, const Item& right);

  // Contents on their way to a new arena.
  struct Compaction {
    ContentArena arena;
    absl::flat_hash_map<const char*, const char*> shared;  // values of formats
  };
  void MoveContent(Item& item);

  Document& document_;
  const Transaction& transaction_;
  Stage stage_ = Stage::kCollect;
  size_t group_ = 0;               // of the clients that the stage goes through
  size_t place_ = 0;               // how much of the client's is done
  std::optional<uint32_t> clock_;  // of the struct that is next
  uint32_t from_ = 0;              // MergeNew: where the client's new structs begin

  // Types whose content is being collected: those to do, and how far the one begun has come: through its list, then
  // through the chains of its keys.
  std::vector<TypeIndex> open_;
  TypeIndex collecting_ = kNoType;
  ItemRef next_child_ = kNoItem;
  size_t chains_ = 0;

  // What goes together: the clock of its first struct, how many follow that, and how many of those are merged.
  struct Run {
    uint32_t first = 0;
    uint32_t length = 0;
    uint32_t done = 0;
    bool found = false;  // none before it belongs to it
  };
  Run run_;
  uint32_t merged_ = 0;
  bool merges_left_ = false;  // MergeSplit: the struct's second half

  std::unique_ptr<Compaction> compaction_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_CLEAN_UP_H_
