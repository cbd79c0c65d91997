#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>

#include "crdt/internal/integrate/integration.h"
#include "crdt/internal/integrate/nesting_check.h"
#include "crdt/internal/store/room.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/internal/wire/update_writer.h"

namespace rivermeet::crdt::internal {

template <class Columns>
UpdateApplier<Columns>::Waiting::Waiting(const WireStruct& from, std::string_view update) : item(from) {
  for (std::string_view* view : {&item.root, &item.parent_sub, &item.content.data, &item.content.name}) {
    const bool in_update = std::less_equal<>()(update.data(), view->data()) &&
                           std::less_equal<>()(view->data() + view->size(), update.data() + update.size());
    if (in_update || view->empty()) continue;
    copies.emplace_back(new char[view->size()]);
    std::memcpy(copies.back().get(), view->data(), view->size());
    *view = {copies.back().get(), view->size()};
  }
}

template <class Columns>
UpdateApplier<Columns>::UpdateApplier(Document& document, Transaction& transaction, std::string_view update,
                                      const Limits& limits)
    : document_(document),
      transaction_(transaction),
      limits_(limits),
      update_(update),
      integrator_(document, transaction),
      reader_(update, limits),
      deletes_(reader_.place()),
      max_depth_(limits.max_depth),
      deletion_(document, transaction) {}

template <class Columns>
bool UpdateApplier<Columns>::Check(Budget& budget) {
  switch (stage_) {
    case Stage::kBegin:
      blocks_left_ = reader_.ReadCount();
      stage_ = Stage::kStructs;
      [[fallthrough]];
    case Stage::kStructs:
      if (!CheckStructs(budget)) return false;
      deletes_ = reader_.place();
      stage_ = Stage::kDeletes;
      [[fallthrough]];
    case Stage::kDeletes:
      if (!CheckDeletes(budget)) return false;
      reader_.Finish();
      status_ = reader_.ok() ? absl::OkStatus() : reader_.status();
      if (status_.ok()) status_ = CheckLimits();
      stage_ = Stage::kChecked;
      if (!status_.ok() || was_pending_) return true;
      if (new_types_ == 0) return true;
      SortBlocks();
      stage_ = Stage::kNesting;
      [[fallthrough]];
    case Stage::kNesting:
      if (!CheckNesting(budget)) return false;
      stage_ = Stage::kChecked;
      [[fallthrough]];
    default:
      return true;
  }
}

template <class Columns>
bool UpdateApplier<Columns>::CheckStructs(Budget& budget) {
  for (;;) {
    for (; pass_.left > 0; --pass_.left) {
      if (!budget.TakeBytes(item_.content.data.size())) return false;
      reader_.ReadStruct(blocks_.back().client, pass_.clock, item_);
      if (!reader_.ok()) return true;
      ++structs_;
      CheckStruct(item_, known_);
      pass_.clock = item_.end_clock();
      if (pass_.clock > known_) ++new_structs_;
      if (item_.content.kind == ContentKind::kType) ++new_types_;
    }
    if (blocks_left_ == 0 || !reader_.ok()) return true;
    --blocks_left_;
    const auto read = reader_.ReadBlock();
    blocks_.push_back({read.client, read.clock, read.structs, reader_.place()});
    known_ = document_.structs.StateOf(read.client);
    if (known_ == 0) ++new_clients_;
    pass_.clock = read.clock;
    pass_.left = read.structs;
  }
}

template <class Columns>
bool UpdateApplier<Columns>::CheckDeletes(Budget& budget) {
  for (DeleteRange range;;) {
    if (!budget.Take()) return false;
    if (!reader_.ReadDelete(delete_place_, range)) break;
    NoteDelete(delete_place_.client, range);
  }
  delete_place_ = {};
  return true;
}

template <class Columns>
void UpdateApplier<Columns>::NoteDelete(uint64_t client, DeleteRange range) {
  ++new_structs_;
  if (client == last_deleted_) {
    deletes_overlap_ |= range.clock < last_end_;
  } else {
    if (last_deleted_.has_value()) deleting_.insert(*last_deleted_);
    deletes_overlap_ |= deleting_.contains(client);
    last_deleted_ = client;
  }
  last_end_ = range.clock + range.length;
}

template <class Columns>
void UpdateApplier<Columns>::CheckPending(int max_depth) {
  was_pending_ = true;
  max_depth_ = max_depth;
  Budget unlimited = Budget::Unlimited();
  Check(unlimited);
  RM_CHECK_OK(status_);
}

template <class Columns>
absl::Status UpdateApplier<Columns>::CheckLimits() const {
  return CheckRoom(document_, limits_, {new_structs_, new_clients_, new_types_, update_.size()});
}

template <class Columns>
bool UpdateApplier<Columns>::CheckNesting(Budget& budget) {
  if (nesting_ == nullptr) {
    nesting_ = std::make_unique<NestingCheck>(document_, structs_);
    structs_ = 0;  // what item_ views is read over
    pass_ = {};
  }
  for (; pass_.block < blocks_.size(); ++pass_.block, pass_.begun = false) {
    const Block& block = blocks_[pass_.block];
    if (!pass_.begun) {
      reader_.Resume(block.place);
      pass_ = {pass_.block, block.clock, block.left, /*begun=*/true};
    }
    for (; pass_.left > 0; --pass_.left) {
      if (!budget.TakeBytes(item_.content.data.size())) return false;
      reader_.ReadStruct(block.client, pass_.clock, item_);
      nesting_->Add(item_);
      pass_.clock = item_.end_clock();
    }
  }
  if (!nesting_->Step(budget)) return false;
  if (nesting_->deepest_type() > static_cast<uint32_t>(max_depth_)) {
    status_ = absl::ResourceExhaustedError("with this update a document would nest shared types deeper than max_depth");
  }
  nesting_.reset();
  return true;
}

template <class Columns>
void UpdateApplier<Columns>::CheckStruct(const WireStruct& item, uint64_t known) {
  if (item.content.kind != ContentKind::kSkip && item.end_clock() > Document::kMaxClock) {
    return reader_.FailExhausted("a clock is over 2^32 - 2, the most that a document takes");
  }
  if (!was_pending_ && item.is_item() && item.id.clock < known && known < item.end_clock() &&
      integrator_.Contradicts(item)) {
    return reader_.Fail("a struct that is known in part is now under another parent");
  }
  if (item.is_item() && item.parent_kind == WireStruct::Parent::kRoot) {
    if (document_.HasRoot(item.root)) return;
    if (new_roots_ == nullptr) new_roots_ = std::make_unique<NewRoots>();
    if (new_roots_->known.emplace(item.root).second) new_roots_->names.emplace_back(item.root);
  }
}

template <class Columns>
typename UpdateApplier<Columns>::Block* UpdateApplier<Columns>::FindBlock(uint64_t client) {
  const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), client,
                                      [](const Block& block, uint64_t id) { return block.client < id; });
  return found == blocks_.end() || found->client != client ? nullptr : &*found;
}

template <class Columns>
void UpdateApplier<Columns>::ReadNext(Block& block, WireStruct& out) {
  if (active_ != &block) {
    if (active_ != nullptr) active_->place = reader_.place();
    reader_.Resume(block.place);
    active_ = &block;
  }
  reader_.ReadStruct(block.client, block.clock, out);
  block.clock = out.end_clock();
  --block.left;
}

template <class Columns>
void UpdateApplier<Columns>::SortBlocks() {
  std::stable_sort(blocks_.begin(), blocks_.end(), [](const Block& a, const Block& b) { return a.client < b.client; });
}

template <class Columns>
void UpdateApplier<Columns>::BeginApplying() {
  const bool is_one_struct = structs_ == 1 && blocks_.size() == 1;
  if (blocks_.size() > 1) {
    SortBlocks();
    // Of a client that has two blocks the last counts (yjs keeps a map).
    size_t kept = 0;
    for (size_t b = 1; b < blocks_.size(); ++b) {
      if (blocks_[b].client != blocks_[kept].client) ++kept;
      if (kept != b) blocks_[kept] = blocks_[b];
    }
    blocks_.erase(blocks_.begin() + kept + 1, blocks_.end());
  }
  to_apply_ = blocks_.size();
  if (is_one_struct) {  // Check() left it there
    blocks_[0].left = 0;
    blocks_[0].clock = item_.end_clock();
    settling_ = true;
  }
  pass_ = {};
}

template <class Columns>
bool UpdateApplier<Columns>::ApplyStructs(Budget& budget, UpdateRest& rest) {
  if (stage_ == Stage::kChecked) BeginApplying();
  stage_ = Stage::kApplying;
  rest_ = &rest;
  for (; new_roots_ != nullptr && new_roots_->made < new_roots_->names.size(); ++new_roots_->made) {
    if (!budget.Take()) return false;
    document_.Root(new_roots_->names[new_roots_->made]);
  }
  for (;;) {
    if (settling_ && !Settle(budget)) return false;
    while (to_apply_ > 0 && blocks_[to_apply_ - 1].left == 0) --to_apply_;
    if (to_apply_ == 0) break;
    ReadNext(blocks_[to_apply_ - 1], item_);
    settling_ = true;
  }
  if (!document_.ContinueDelete(transaction_, budget)) return false;
  return waits_ == nullptr || waits_->rests.empty() || WriteRest(budget);
}

template <class Columns>
void UpdateApplier<Columns>::MakeWait(const WireStruct& item) {
  if (waits_ == nullptr) waits_ = std::make_unique<Waits>();
  waits_->stack.emplace_back(item, update_);
}

// Integrates item_, first what it waits for as far as this update has it, or puts it aside with all that wait for it.
template <class Columns>
bool UpdateApplier<Columns>::Settle(Budget& budget) {
  WireStruct& head = item_;
  for (;;) {
    if (!document_.ContinueDelete(transaction_, budget) || !budget.TakeBytes(head.content.data.size())) return false;
    if (head.content.kind != ContentKind::kSkip) {
      const uint64_t state = document_.structs.StateOf(head.id.client);
      if (head.id.clock > state) {
        MakeWait(head);
        PutAside();
      } else if (const std::optional<WireId> missing = integrator_.FirstMissing(head); missing.has_value()) {
        MakeWait(head);
        Block* block = FindBlock(missing->client);
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
    head = waits_->resumed->item;
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
template <class Columns>
bool UpdateApplier<Columns>::NestsTooDeep(const WireStruct& item) const {
  return was_pending_ && item.content.kind == ContentKind::kType &&
         ParentDepth(document_, item) >= static_cast<uint32_t>(max_depth_);
}

// Takes everything on the stack, and what follows it of the same clients, out of this update. Remembers of each what it
// waits for: the retry comes when one of these is there. (yjs notes less, and may wait for ever.)
template <class Columns>
void UpdateApplier<Columns>::PutAside() {
  std::vector<Rest>& rests = waits_->rests;
  for (Waiting& waiting : waits_->stack) {
    const WireStruct& item = waiting.item;
    const WireId missing = item.id.clock > document_.structs.StateOf(item.id.client)
                               ? item.id
                               : integrator_.FirstMissing(item).value_or(WireId{item.id.client, item.id.clock});
    rest_->Misses(missing.client, missing.clock);
    Block* block = FindBlock(item.id.client);
    if (block->rest != kNoRest) {
      // The client waits for itself by way of others. As in yjs, this struct alone stays of it; no honest client is
      // lost by that.
      rests[block->rest].first = std::move(waiting);
      rests[block->rest].following = 0;
      continue;
    }
    block->rest = rests.size();
    const uint64_t following = block->left;
    if (active_ == block) block->place = reader_.place();
    block->left = 0;
    rests.push_back({item.id.client, std::move(waiting), static_cast<size_t>(block - blocks_.data()), following});
  }
  waits_->stack.clear();
}

template <class Columns>
bool UpdateApplier<Columns>::WriteRest(Budget& budget) {
  std::vector<Rest>& rests = waits_->rests;
  std::unique_ptr<WriterV2>& writer = waits_->writer;
  if (writer == nullptr) {
    std::stable_sort(rests.begin(), rests.end(), [](const Rest& a, const Rest& b) { return a.client > b.client; });
    writer = std::make_unique<WriterV2>();
    WriteVarUint(writer->rest(), rests.size());
  }
  for (; pass_.block < rests.size(); ++pass_.block, pass_.begun = false) {
    const Rest& aside = rests[pass_.block];
    if (!pass_.begun) {
      if (!budget.Take()) return false;
      const WireStruct& first = aside.first.item;
      WriteVarUint(writer->rest(), 1 + aside.following);
      writer->WriteClient(aside.client);
      WriteVarUint(writer->rest(), first.id.clock);
      WriteStruct(*writer, first, 0);
      rest_->Count(first);
      pass_ = {pass_.block, first.end_clock(), aside.following, /*begun=*/true};
      if (aside.following > 0) reader_.Resume(blocks_[aside.block].place);
    }
    for (; pass_.left > 0; --pass_.left) {
      if (!budget.TakeBytes(item_.content.data.size())) return false;
      reader_.ReadStruct(aside.client, pass_.clock, item_);
      WriteStruct(*writer, item_, 0);
      rest_->Count(item_);
      pass_.clock = item_.end_clock();
    }
  }
  WriteVarUint(writer->rest(), 0);  // deletes nothing
  rest_->update = writer->Take();
  waits_.reset();
  return true;
}

template <class Columns>
bool UpdateApplier<Columns>::ApplyDeletes(Budget& budget, WireDeleteSet& unknown) {
  if (!last_deleted_.has_value()) return true;  // none
  if (stage_ != Stage::kDeleting) reader_.Resume(deletes_);
  if (deletes_overlap_) deletion_.ExpectOverlaps();
  stage_ = Stage::kDeleting;
  for (DeleteRange range;;) {
    if (!deletion_.Step(budget, unknown)) return false;
    if (!reader_.ReadDelete(delete_place_, range)) break;
    deletion_.Begin(delete_place_.client, range);
  }
  unknown.KeepApart();
  return true;
}

template <class Columns>
std::vector<uint64_t> UpdateApplier<Columns>::clients() const {
  std::vector<uint64_t> clients;
  clients.reserve(blocks_.size() + 1);
  for (const Block& block : blocks_) clients.push_back(block.client);
  return clients;
}

template class UpdateApplier<ColumnsV1>;
template class UpdateApplier<ColumnsV2>;

}  // namespace rivermeet::crdt::internal
