#include "crdt/internal/integrate/update_applier.h"

#include <algorithm>
#include <utility>

#include "crdt/internal/integrate/first_missing.h"
#include "crdt/internal/integrate/nesting_check.h"

namespace rivermeet::crdt::internal {

template <class Fields>
UpdateBlock* UpdateApplier<Fields>::FindBlock(uint64_t client) {
  const auto found = std::lower_bound(update_.blocks.begin(), update_.blocks.end(), client,
                                      [](const UpdateBlock& block, uint64_t id) { return block.client < id; });
  return found == update_.blocks.end() || found->client != client ? nullptr : &*found;
}

template <class Fields>
void UpdateApplier<Fields>::ReadNext(UpdateBlock& block, WireStruct& out) {
  if (active_ != &block) {
    if (active_ != nullptr && active_->left > 0) update_.places[active_->place] = update_.reader.place();
    update_.reader.Resume(update_.places[block.place]);
    active_ = &block;
  }
  update_.reader.ReadStruct(block.client, block.clock, out);
  block.clock = out.end_clock();
  --block.left;
}

template <class Fields>
void UpdateApplier<Fields>::Begin() {
  begun_ = true;
  auto& blocks = update_.blocks;
  if (blocks.size() > 1) {
    // Of a client that has two blocks the last counts (yjs keeps a map).
    size_t kept = 0;
    for (size_t b = 1; b < blocks.size(); ++b) {
      if (blocks[b].client != blocks[kept].client) ++kept;
      if (kept != b) blocks[kept] = blocks[b];
    }
    blocks.erase(blocks.begin() + kept + 1, blocks.end());
  }
  to_apply_ = blocks.size();
  if (update_.is_kept) {
    blocks[0].left = 0;
    blocks[0].clock = update_.item.end_clock();
    settling_ = true;
  }
}

template <class Fields>
bool UpdateApplier<Fields>::ApplyStructs(Budget& budget) {
  if (!begun_) Begin();
  for (; update_.new_roots != nullptr && roots_made_ < update_.new_roots->size(); ++roots_made_) {
    if (!budget.Take()) return false;
    document_.Root((*update_.new_roots)[roots_made_]);
  }
  for (;;) {
    if (settling_ && !Settle(budget)) return false;
    while (to_apply_ > 0 && update_.blocks[to_apply_ - 1].left == 0) --to_apply_;
    if (to_apply_ == 0) break;
    ReadNext(update_.blocks[to_apply_ - 1], update_.item);
    settling_ = true;
  }
  if (!document_.ContinueDelete(transaction_, budget)) return false;
  return waits_ == nullptr || WriteRest(budget);
}

template <class Fields>
std::vector<PendingRun> UpdateApplier<Fields>::TakeRest() {
  if (waits_ == nullptr) return {};
  std::vector<PendingRun> rest = waits_->written.TakeRuns();
  waits_.reset();
  return rest;
}

template <class Fields>
std::optional<UnitId> UpdateApplier<Fields>::Missing(const WireStruct& item) const {
  return FirstMissing(item, [this](uint64_t client) { return document_.structs.StateOf(client); });
}

template <class Fields>
void UpdateApplier<Fields>::MakeWait(const WireStruct& item) {
  if (waits_ == nullptr) waits_ = std::make_unique<Waits>();
  waits_->stack.emplace_back(item, update_.bytes);
}

// Integrates update_.item, first what it waits for as far as this update has it, or puts it aside with all that wait
// for it.
template <class Fields>
bool UpdateApplier<Fields>::Settle(Budget& budget) {
  WireStruct& head = update_.item;
  for (;;) {
    if (!document_.ContinueDelete(transaction_, budget) || !budget.TakeBytes(head.content.data.size())) return false;
    if (head.content.kind != ContentKind::kSkip) {
      const uint64_t state = document_.structs.StateOf(head.id.client);
      if (head.id.clock > state) {
        MakeWait(head);
        PutAside();
      } else if (const std::optional<UnitId> missing = Missing(head); missing.has_value()) {
        MakeWait(head);
        UpdateBlock* block = FindBlock(missing->client);
        if (block != nullptr && block->left > 0) {
          ReadNext(*block, head);
          continue;
        }
        PutAside();
      } else if (state < head.end_clock()) {
        if (!NestsTooDeep(head)) integrator_.Integrate(head, state - head.id.clock);
      } else {
        integrator_.Revisit(head);
      }
    }
    if (waits_ == nullptr || waits_->stack.empty()) break;
    waits_->resumed.emplace(std::move(waits_->stack.back()));
    waits_->stack.pop_back();
    head = **waits_->resumed;
  }
  if (waits_ != nullptr && waits_->resumed.has_value()) {
    head = WireStruct();
    waits_->resumed.reset();
  }
  settling_ = false;
  return true;
}

// A type that waited for its parent, which turns out to lie too deep: it is dropped. Others were refused with their
// update.
template <class Fields>
bool UpdateApplier<Fields>::NestsTooDeep(const WireStruct& item) const {
  return item.content.kind == ContentKind::kType && max_depth_.has_value() &&
         ParentDepth(document_, item) >= static_cast<uint32_t>(*max_depth_);
}

// Takes everything on the stack, and what follows it of the same clients, out of this update. Remembers of each what it
// waits for: the retry comes when one of these is there. (yjs notes less, and may wait for ever.)
template <class Fields>
void UpdateApplier<Fields>::PutAside() {
  std::vector<Rest>& rests = waits_->rests;
  for (HeldStruct& waiting : waits_->stack) {
    const WireStruct& item = *waiting;
    const uint64_t state = document_.structs.StateOf(item.id.client);
    const UnitId missing = item.id.clock > state ? item.id : Missing(item).value_or(UnitId{item.id.client, state + 1});
    UpdateBlock* block = FindBlock(item.id.client);
    if (const auto [place, made] = waits_->rest_of.try_emplace(item.id.client, rests.size()); !made) {
      // The client waits for itself by way of others. As in yjs, this struct alone stays of it; no honest client is
      // lost by that.
      Rest& rest = rests[place->second];
      rest.first = std::move(waiting);
      rest.missing = missing;
      rest.following = 0;
      continue;
    }
    const uint64_t following = block->left;
    if (active_ == block) update_.places[block->place] = update_.reader.place();
    block->left = 0;
    rests.push_back(
        {item.id.client, std::move(waiting), missing, static_cast<size_t>(block - update_.blocks.data()), following});
  }
  waits_->stack.clear();
}

template <class Fields>
bool UpdateApplier<Fields>::WriteRest(Budget& budget) {
  const std::vector<Rest>& rests = waits_->rests;
  BlockPass& pass = waits_->pass;
  for (; pass.block < rests.size(); ++pass.block, pass.begun = false) {
    const Rest& aside = rests[pass.block];
    if (!pass.begun) {
      if (!budget.Take()) return false;
      waits_->written.Begin(*aside.first, aside.missing);
      pass = {pass.block, aside.first->end_clock(), aside.following, /*begun=*/true};
      if (aside.following > 0) update_.reader.Resume(update_.places[update_.blocks[aside.block].place]);
    }
    for (; pass.left > 0; --pass.left) {
      if (!budget.TakeBytes(update_.item.content.data.size())) return false;
      update_.reader.ReadStruct(aside.client, pass.clock, update_.item);
      waits_->written.Add(update_.item);
      pass.clock = update_.item.end_clock();
    }
  }
  return true;
}

template <class Fields>
bool UpdateApplier<Fields>::ApplyDeletes(Budget& budget, WireDeleteSet& unknown) {
  if (!update_.has_deletes) return true;
  if (!deleting_) update_.reader.Resume(update_.deletes);
  if (update_.deletes_overlap) deletion_.ExpectOverlaps();
  deleting_ = true;
  for (ClockRange range;;) {
    if (!deletion_.Step(budget, unknown)) return false;
    if (!update_.reader.ReadDelete(delete_place_, range)) break;
    deletion_.Begin(delete_place_.client, range);
  }
  unknown.KeepApart();
  return true;
}

template class UpdateApplier<FieldsV1>;
template class UpdateApplier<FieldsV2>;

}  // namespace rivermeet::crdt::internal
