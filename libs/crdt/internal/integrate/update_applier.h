// Takes a checked update into a document (yjs: utils/encoding.js, integrateStructs and readAndApplyDeleteSet).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_UPDATE_APPLIER_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_UPDATE_APPLIER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "crdt/internal/integrate/integrator.h"
#include "crdt/internal/integrate/range_deletion.h"
#include "crdt/internal/integrate/update_check.h"
#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/pending.h"
#include "crdt/internal/wire/held_struct.h"

namespace rivermeet::crdt::internal {

// ApplyStructs(), then ApplyDeletes(). Each goes on when it is called again, and is true once it is done.
template <class Fields>
class UpdateApplier {
 public:
  // All outlive this; `update` passed its check before the first call.
  UpdateApplier(Document& document, Transaction& transaction, CheckedUpdate<Fields>& update)
      : document_(document),
        transaction_(transaction),
        update_(update),
        integrator_(document, transaction),
        deletion_(document, transaction) {}

  // Types that would lie deeper are dropped. To be said of what waited, whose place nobody knew when it was checked.
  void DropTypesBelow(int max_depth) { max_depth_ = max_depth; }
  // Integrates what can be, in yjs's order. What can't be is in TakeRest(), once.
  bool ApplyStructs(Budget& budget);
  std::vector<PendingRun> TakeRest();
  // Deletes what is there to delete. The ranges that aren't there yet are in `unknown`, each client's in order and
  // apart.
  bool ApplyDeletes(Budget& budget, WireDeleteSet& unknown);

 private:
  // Of one client, what could not be integrated: a struct and the ones after it.
  struct Rest {
    uint64_t client;
    HeldStruct first;
    UnitId missing;
    size_t block;  // where the following are
    uint64_t following;
  };
  // What waits for others of this update, or is put aside because it waits for those of another.
  struct Waits {
    std::vector<HeldStruct> stack;
    std::optional<HeldStruct> resumed;  // owns what the update's item views
    std::vector<Rest> rests;
    absl::flat_hash_map<uint64_t, size_t> rest_of;  // client -> place in `rests`
    BlockPass pass;                                 // over `rests`
    PendingRest written;                            // `rests`, as far as the pass has come
  };

  void Begin();
  UpdateBlock* FindBlock(uint64_t client);
  void ReadNext(UpdateBlock& block, WireStruct& out);
  std::optional<UnitId> Missing(const WireStruct& item) const;
  void MakeWait(const WireStruct& item);
  bool Settle(Budget& budget);
  bool NestsTooDeep(const WireStruct& item) const;
  void PutAside();
  bool WriteRest(Budget& budget);

  Document& document_;
  Transaction& transaction_;
  CheckedUpdate<Fields>& update_;
  Integrator integrator_;
  std::optional<int> max_depth_;  // of types

  bool begun_ = false;
  size_t roots_made_ = 0;          // of the update's new ones
  size_t to_apply_ = 0;            // blocks, from the first on
  bool settling_ = false;          // the update's item is on its way
  UpdateBlock* active_ = nullptr;  // whose place the reader has
  std::unique_ptr<Waits> waits_;

  bool deleting_ = false;
  typename UpdateReader<Fields>::DeletePlace delete_place_;
  RangeDeletion deletion_;
};

extern template class UpdateApplier<FieldsV1>;
extern template class UpdateApplier<FieldsV2>;

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_UPDATE_APPLIER_H_
