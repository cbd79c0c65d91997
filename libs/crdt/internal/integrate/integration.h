// Takes structs and deletions of an update into a document (yjs: utils/encoding.js, structs/Item.js getMissing and
// integrate).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTEGRATION_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTEGRATION_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "crdt/internal/integrate/nesting_check.h"
#include "crdt/internal/integrate/range_deletion.h"
#include "crdt/internal/integrate/rival_order.h"
#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/pending.h"
#include "crdt/internal/wire/update_reader.h"
#include "crdt/internal/wire/update_writer.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

// A struct that a document's state lets in: its client's next one, or one that begins before that and ends after.
class Integrator {
 public:
  Integrator(Document& document, Transaction& transaction) : document_(document), transaction_(transaction) {}

  // What `item` lacks: the client and the state that it must reach, or nothing.
  std::optional<WireId> FirstMissing(const WireStruct& item) const;
  // Adds `item` without its first `offset` units, which are known. Nothing is missing. What it deletes is only begun:
  // Document::ContinueDelete() is to be called before anything else.
  void Integrate(const WireStruct& item, uint64_t offset);
  // Does to the document what yjs does on the way to seeing that it has `item` already: cuts at its origins. The pieces
  // merge again, but a surrogate pair that two items once brought doesn't survive it.
  void Revisit(const WireStruct& item);
  // Whether `item`, of which the document has a part already, says of its parent what can't be: another than that
  // part's.
  bool Contradicts(const WireStruct& item) const;
  // Puts `text` behind the last struct of a client, when it would be merged with that in the end: `right` is its right
  // neighbour. Returns that struct, or none when it can't be.
  ItemRef Grow(ClientIndex client, Id right, const WireContent& text);
  // Links an item whose fields are set, `left` and `right` as its origins say, and adds it.
  void Link(ItemRef ref);

 private:
  // Who stands beside an item and above it.
  struct Surroundings {
    ItemRef left = kNoItem;
    ItemRef right = kNoItem;
    TypeIndex parent = kNoType;
    KeyIndex key = 0;
    bool entry = false;
    bool collected = false;  // one of them is; so will the item be
  };

  Id ToId(WireId id) const { return {document_.structs.Find(id.client), static_cast<uint32_t>(id.clock)}; }
  Surroundings Find(const WireStruct& item);
  bool Append(const WireStruct& item);
  void FindNeighbours(const WireStruct& item, Surroundings& found);
  void FindParent(const WireStruct& item, Surroundings& found);
  void AddCollected(Id id, uint64_t length);
  void SetContent(Item& item, const WireContent& content, uint64_t offset);
  void BeginLink(ItemRef ref);
  void FinishDelete();
  bool HasRivals(const Item& item) const;
  RivalOrder* OrderOf(const Item& item) const;
  void NoteInOrder(ItemRef ref);
  ItemRef PlaceAmongRivals(const Item& item);
  ItemRef WalkPastRivals(const Item& item);
  void Place(Item& item, ItemRef ref);
  ItemRef FirstOf(const Item& item);

  Document& document_;
  Transaction& transaction_;
  uint64_t steps_ = 0;   // walked so far past rivals
  uint64_t placed_ = 0;  // items integrated so far
  // Of lists and chains in which walking took too long: by type, and key of a chain. None until it did.
  using RivalOrders = absl::flat_hash_map<std::pair<TypeIndex, KeyIndex>, std::unique_ptr<RivalOrder>>;
  std::unique_ptr<RivalOrders> orders_;
};

// One update on its way into a document: Check() it, then in a transaction ApplyStructs() and ApplyDeletes(). Each goes
// on when it is called again, and is true once it is done.
template <class Columns>
class UpdateApplier {
 public:
  // All outlive this.
  UpdateApplier(Document& document, Transaction& transaction, std::string_view update, const Limits& limits);

  // Reads everything and changes nothing. After an error in status() nothing else may be called.
  bool Check(Budget& budget);
  const absl::Status& status() const { return status_; }
  // The same at once for what was pending, which passed that once: whatever the document has become, it isn't refused.
  // Types that would lie deeper than `max_depth` are dropped.
  void CheckPending(int max_depth);
  int max_depth() const { return max_depth_; }
  // Integrates what can be, in yjs's order. What can't be is in `rest`.
  bool ApplyStructs(Budget& budget, UpdateRest& rest);
  // Deletes what is there to delete. The ranges that aren't there yet are in `unknown`, each client's in order and
  // apart.
  bool ApplyDeletes(Budget& budget, WireDeleteSet& unknown);
  // Of which it has structs; each once.
  std::vector<uint64_t> clients() const;

 private:
  struct Block {
    uint64_t client;
    uint64_t clock;  // of the next struct
    uint64_t left;   // structs not read yet
    Columns place;
    size_t rest = kNoRest;  // what of it was put aside, in Waits::rests
  };
  static constexpr size_t kNoRest = ~size_t{0};
  // A struct that outlives the reader's next read, not `update`, which it is from.
  struct Waiting {
    Waiting(const WireStruct& from, std::string_view update);
    Waiting(Waiting&&) = default;
    Waiting& operator=(Waiting&&) = default;

    WireStruct item;

   private:
    std::vector<std::unique_ptr<char[]>> copies;  // of what it views elsewhere
  };
  // Of one client, what could not be integrated: a struct and the ones after it.
  struct Rest {
    uint64_t client;
    Waiting first;
    size_t block;  // where the following are
    uint64_t following;
  };
  // How far a pass over a block's structs has come.
  struct Pass {
    size_t block = 0;
    uint64_t clock = 0;
    uint64_t left = 0;
    bool begun = false;
  };
  // What waits for others of this update, or is put aside because it waits for those of another.
  struct Waits {
    std::vector<Waiting> stack;
    std::optional<Waiting> resumed;  // owns what item_ views
    std::vector<Rest> rests;
    std::unique_ptr<WriterV2> writer;  // of `rests`
  };
  // Roots that the document hasn't, in the order of the update.
  struct NewRoots {
    std::vector<std::string> names;
    absl::flat_hash_set<std::string> known;
    size_t made = 0;
  };
  enum class Stage : uint8_t { kBegin, kStructs, kDeletes, kNesting, kChecked, kApplying, kDeleting };

  bool CheckStructs(Budget& budget);
  bool CheckDeletes(Budget& budget);
  absl::Status CheckLimits() const;
  bool CheckNesting(Budget& budget);
  // `known` is the state of its client.
  void CheckStruct(const WireStruct& item, uint64_t known);
  void SortBlocks();
  void BeginApplying();
  Block* FindBlock(uint64_t client);
  void ReadNext(Block& block, WireStruct& out);
  void MakeWait(const WireStruct& item);
  bool Settle(Budget& budget);
  bool NestsTooDeep(const WireStruct& item) const;
  void PutAside();
  bool WriteRest(Budget& budget);
  void NoteDelete(uint64_t client, DeleteRange range);

  Document& document_;
  Transaction& transaction_;
  const Limits& limits_;
  const std::string_view update_;
  Integrator integrator_;
  UpdateReader<Columns> reader_;
  Stage stage_ = Stage::kBegin;
  absl::Status status_;

  // --- checking
  absl::InlinedVector<Block, 1> blocks_;  // later in ascending order of clients, each once
  uint64_t blocks_left_ = 0;              // after those
  Pass pass_;
  uint64_t known_ = 0;  // of the block that is read
  Columns deletes_;
  typename UpdateReader<Columns>::DeletePlace delete_place_;
  WireStruct item_;  // the last one read
  std::unique_ptr<NewRoots> new_roots_;
  std::unique_ptr<NestingCheck> nesting_;
  uint64_t structs_ = 0;
  uint64_t new_structs_ = 0;
  uint64_t new_clients_ = 0;
  bool deletes_overlap_ = false;          // deleted ranges do, or may
  std::optional<uint64_t> last_deleted_;  // the client of the last range, and its end
  uint64_t last_end_ = 0;
  absl::flat_hash_set<uint64_t> deleting_;  // clients with ranges before that one's
  uint64_t new_types_ = 0;
  bool was_pending_ = false;
  int max_depth_;  // of types

  // --- integrating
  size_t to_apply_ = 0;      // blocks, from the first on
  bool settling_ = false;    // item_ is on its way
  Block* active_ = nullptr;  // whose place the reader has
  std::unique_ptr<Waits> waits_;
  UpdateRest* rest_ = nullptr;
  RangeDeletion deletion_;
};

extern template class UpdateApplier<ColumnsV1>;
extern template class UpdateApplier<ColumnsV2>;

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTEGRATION_H_
