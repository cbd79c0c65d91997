// What one transaction changes.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_TRANSACTION_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_TRANSACTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "crdt/internal/store/item.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// Who made a transaction: any text; empty is nobody in particular (yjs: null). Or an undo manager, whatever the text.
struct Origin {
  std::string_view name;
  const void* undo_manager = nullptr;
};

// Kept from its beginning until its results were told to everybody (yjs: Transaction). Another may begin while the
// observers of this one are called.
class Transaction {
 public:
  struct Touched {
    ClientIndex client;
    uint32_t before;  // its state when the transaction began
  };
  struct Deleted {
    ClientIndex client = 0;
    std::vector<ClockRange> ranges;
  };
  struct Changed {
    TypeIndex type = kNoType;
    bool list = false;           // elements came or went
    std::vector<KeyIndex> keys;  // whose values changed, some more than once; kept only with records_keys
  };

  // Makes an empty one a new one. `number` is that of no other.
  void Begin(uint64_t number, bool local, Origin origin);
  // Forgets what it changed, which everybody was told, and gives back the memory that only a large one needs.
  void Clear();

  uint64_t number() const { return number_; }
  // Not so when it takes in an update of somebody else.
  bool local = true;
  // Somebody will be told of its structs one by one: they stay apart until then.
  bool observed = false;
  // Somebody may ask for what it deletes: that stays as it is until then.
  bool keeps_deleted = false;
  Origin origin() const { return {origin_name_, undo_manager_}; }

  // Whether Changed::keys are kept.
  bool records_keys = false;

  // Clients that got structs.
  std::vector<Touched> touched;
  // The state of each of these when the transaction ended; kept only while somebody listens for that.
  std::vector<uint32_t> touched_after;
  // What was deleted, by client in the order of the first deletion of each. In order and apart once the transaction
  // ends.
  absl::Span<const Deleted> deleted() const { return {deleted_.data(), deleted_count_}; }
  absl::Span<Deleted> deleted() { return {deleted_.data(), deleted_count_}; }
  void AddDeleted(ClientIndex client);
  // Notes that text with this first clock became one with the last struct of a client, the one at `place` in `touched`:
  // to yjs the two are apart until the transaction ends.
  void AddSeam(uint32_t place, uint32_t clock);
  // The last seam at or before `clock`; 0 when there is none.
  uint32_t LastSeam(uint32_t place, uint32_t clock) const;
  bool has_changes() const { return !touched.empty() || deleted_count_ > 0; }

  // Whether something that it deleted had content until then: else there is nothing to collect.
  bool deletes_content = false;
  // Structs to try to merge at the end (yjs: _mergeStructs).
  std::vector<Id> merge_later;
  // Types, in the order of the first change of each. One that was deleted since has kNoType.
  std::vector<Changed> changed;
  bool needs_formatting_cleanup = false;
  // Subdocuments by number, in the order in which they came or went.
  std::vector<uint32_t> subdocuments_added;    // kNoSubdocument for one that went again
  std::vector<uint32_t> subdocuments_removed;  // not those that it had added itself
  std::vector<uint32_t> subdocuments_loaded;

 private:
  uint64_t number_ = 0;
  std::string origin_name_;
  const void* undo_manager_ = nullptr;
  std::vector<Deleted> deleted_;  // the rest was of earlier ones, and is there for its memory
  size_t deleted_count_ = 0;
  // By place in `touched`, each ascending; may be shorter. A seam at Touched::before needs no note.
  std::vector<std::vector<uint32_t>> seams_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_TRANSACTION_H_
