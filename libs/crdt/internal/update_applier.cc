#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>

#include "crdt/internal/integration.h"
#include "crdt/internal/nesting_check.h"
#include "crdt/internal/struct_stream.h"
#include "crdt/internal/update_writer.h"
#include "fmt/format.h"

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
      deletes_(reader_.place()) {}

template <class Columns>
absl::Status UpdateApplier<Columns>::Check() {
  const uint64_t blocks = reader_.ReadCount();
  WireStruct& item = item_;
  for (uint64_t b = 0; b < blocks && reader_.ok(); ++b) {
    const auto read = reader_.ReadBlock();
    Block block{read.client, read.clock, read.structs, reader_.place()};
    const uint64_t known = document_.structs.StateOf(read.client);
    if (known == 0) ++new_clients_;
    uint64_t clock = read.clock;
    for (uint64_t s = 0; s < read.structs; ++s) {
      reader_.ReadStruct(read.client, clock, item);
      if (!reader_.ok()) return reader_.status();
      ++structs_;
      CheckStruct(item, known);
      clock = item.end_clock();
      if (clock > known) ++new_structs_;
      if (item.content.kind == ContentKind::kType) ++new_types_;
    }
    blocks_.push_back(std::move(block));
  }
  deletes_ = reader_.place();
  reader_.ReadDeletes([this](uint64_t client, uint64_t clock, uint64_t length) { NoteDelete(client, clock, length); });
  reader_.Finish();
  RM_RETURN_IF_ERROR(reader_.status());
  if (was_pending_) return absl::OkStatus();
  RM_RETURN_IF_ERROR(CheckLimits());
  return new_types_ > 0 || document_.pending.brings_types ? CheckNesting() : absl::OkStatus();
}

template <class Columns>
void UpdateApplier<Columns>::NoteDelete(uint64_t client, uint64_t clock, uint64_t length) {
  ++new_structs_;
  const bool goes_on = !deleting_.empty() && client == last_deleted_;
  deletes_overlap_ |= goes_on ? clock < last_end_ : !deleting_.insert(client).second;
  last_deleted_ = client;
  last_end_ = clock + length;
}

template <class Columns>
void UpdateApplier<Columns>::CheckPending() {
  was_pending_ = true;
  RM_CHECK_OK(Check());
}

template <class Columns>
absl::Status UpdateApplier<Columns>::CheckLimits() const {
  constexpr uint64_t kStructBytes = sizeof(Item) + 2 * sizeof(StructList::Entry);
  const uint64_t structs = new_structs_ + document_.pending.struct_count + document_.pending.delete_count;
  const uint64_t clients = new_clients_ + document_.pending.client_count;
  const auto too_much = [](std::string_view what) {
    return absl::ResourceExhaustedError(fmt::format("with this update a document would pass {}", what));
  };
  if (document_.items.live() + structs > limits_.max_structs) return too_much("max_structs");
  if (document_.structs.size() + clients > limits_.max_clients) return too_much("max_clients");
  const uint64_t bytes =
      structs * kStructBytes + clients * sizeof(StructStore::Client) + new_types_ * sizeof(Type) + update_.size();
  if (document_.growing_bytes() + bytes > limits_.max_document_bytes) return too_much("max_document_bytes");
  return absl::OkStatus();
}

// What waits may come with this update, and hang below it.
template <class Columns>
void UpdateApplier<Columns>::AddPending(NestingCheck& nesting) const {
  if (document_.pending.structs.empty()) return;
  const Limits limits = NoLimits();
  StructStream<ColumnsV2> stream(document_.pending.structs, limits);
  for (WireStruct item; stream.Next(item);) nesting.Add(item);
}

template <class Columns>
absl::Status UpdateApplier<Columns>::CheckNesting() {
  NestingCheck nesting(document_);
  WireStruct item;
  for (const Block& block : blocks_) {
    reader_.Resume(block.place);
    uint64_t clock = block.clock;
    for (uint64_t s = 0; s < block.left; ++s) {
      reader_.ReadStruct(block.client, clock, item);
      nesting.Add(item);
      clock = item.end_clock();
    }
  }
  AddPending(nesting);
  structs_ = 0;  // what item_ views has been read over
  if (nesting.DeepestType() <= static_cast<uint32_t>(limits_.max_depth)) return absl::OkStatus();
  return absl::ResourceExhaustedError("with this update a document would nest shared types deeper than max_depth");
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
    if (!document_.HasRoot(item.root) && new_root_names_.emplace(item.root).second) new_roots_.emplace_back(item.root);
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
void UpdateApplier<Columns>::ApplyStructs(Pending& rest) {
  for (const std::string& root : new_roots_) document_.Root(root);
  if (blocks_.empty()) return;
  const bool is_one_struct = structs_ == 1 && blocks_.size() == 1;
  if (blocks_.size() > 1) {
    std::stable_sort(blocks_.begin(), blocks_.end(),
                     [](const Block& a, const Block& b) { return a.client < b.client; });
    // Of a client that has two blocks the last counts (yjs keeps a map).
    size_t kept = 0;
    for (size_t b = 1; b < blocks_.size(); ++b) {
      if (blocks_[b].client != blocks_[kept].client) ++kept;
      if (kept != b) blocks_[kept] = blocks_[b];
    }
    blocks_.erase(blocks_.begin() + kept + 1, blocks_.end());
  }
  rest_ = &rest;
  WireStruct& item = item_;
  if (is_one_struct) {  // Check() left it there
    blocks_[0].left = 0;
    blocks_[0].clock = item.end_clock();
    Settle(item);
  }
  for (size_t b = blocks_.size(); b-- > 0;) {
    while (blocks_[b].left > 0) {
      ReadNext(blocks_[b], item);
      Settle(item);
    }
  }
  if (!rests_.empty()) WriteRest(rest);
}

// Integrates `head`, first what it waits for as far as this update has it, or puts it aside with all that wait for it.
template <class Columns>
void UpdateApplier<Columns>::Settle(WireStruct& head) {
  std::optional<Waiting> resumed;  // owns what `head` views
  for (;;) {
    if (head.content.kind != ContentKind::kSkip) {
      const uint64_t state = document_.structs.StateOf(head.id.client);
      if (head.id.clock > state) {
        stack_.emplace_back(head, update_);
        PutAside(*rest_);
      } else if (const std::optional<WireId> missing = integrator_.FirstMissing(head); missing.has_value()) {
        stack_.emplace_back(head, update_);
        Block* block = FindBlock(missing->client);
        if (block != nullptr && block->left > 0) {
          ReadNext(*block, head);
          continue;
        }
        PutAside(*rest_);
      } else if (state < head.end_clock()) {
        integrator_.Integrate(head, state - head.id.clock);
      } else {
        integrator_.Revisit(head);
      }
    }
    if (stack_.empty()) {
      if (resumed.has_value()) head = WireStruct();
      return;
    }
    resumed.emplace(std::move(stack_.back()));
    stack_.pop_back();
    head = resumed->item;
  }
}

// Takes everything on the stack, and what follows it of the same clients, out of this update. Remembers of each what it
// waits for: the retry comes when one of these is there. (yjs notes less, and may wait for ever.)
template <class Columns>
void UpdateApplier<Columns>::PutAside(Pending& rest) {
  for (Waiting& waiting : stack_) {
    const WireStruct& item = waiting.item;
    const WireId missing = item.id.clock > document_.structs.StateOf(item.id.client)
                               ? item.id
                               : integrator_.FirstMissing(item).value_or(WireId{item.id.client, item.id.clock});
    const auto [least, made] = rest.missing.try_emplace(missing.client, missing.clock);
    if (!made) least->second = std::min(least->second, missing.clock);
    Block* block = FindBlock(item.id.client);
    if (block->rest != kNoRest) {
      // The client waits for itself by way of others. As in yjs, this struct alone stays of it; no honest client is
      // lost by that.
      rests_[block->rest].first = std::move(waiting);
      rests_[block->rest].following = 0;
      continue;
    }
    block->rest = rests_.size();
    const uint64_t following = block->left;
    if (active_ == block) block->place = reader_.place();
    block->left = 0;
    rests_.push_back({item.id.client, std::move(waiting), static_cast<size_t>(block - blocks_.data()), following});
  }
  stack_.clear();
}

template <class Columns>
void UpdateApplier<Columns>::WriteRest(Pending& rest) {
  std::stable_sort(rests_.begin(), rests_.end(), [](const Rest& a, const Rest& b) { return a.client > b.client; });
  WriterV2 writer;
  WriteVarUint(writer.rest(), rests_.size());
  WireStruct item;
  for (const Rest& aside : rests_) {
    const WireStruct& first = aside.first.item;
    WriteVarUint(writer.rest(), 1 + aside.following);
    writer.WriteClient(aside.client);
    WriteVarUint(writer.rest(), first.id.clock);
    WriteStruct(writer, first, 0);
    Block& block = blocks_[aside.block];
    block.left = aside.following;
    if (aside.following > 0) active_ = nullptr;
    uint64_t clock = first.end_clock();
    if (aside.following > 0) reader_.Resume(block.place);
    for (uint64_t i = 0; i < aside.following; ++i) {
      reader_.ReadStruct(aside.client, clock, item);
      WriteStruct(writer, item, 0);
      clock = item.end_clock();
    }
  }
  WriteVarUint(writer.rest(), 0);  // deletes nothing
  rest.structs = writer.Take();
}

template <class Columns>
void UpdateApplier<Columns>::ApplyDeletes(std::string& rest) {
  reader_.Resume(deletes_);
  WireDeleteSet unknown;
  reader_.ReadDeletes(
      [&](uint64_t client, uint64_t clock, uint64_t length) { DeleteRangeOf(client, clock, length, unknown); });
  if (unknown.empty()) return;
  unknown.KeepApart();
  WriterV2 writer;
  WriteVarUint(writer.rest(), 0);  // no structs
  WriteDeleteSet(writer, unknown);
  rest = writer.Take();
}

template <class Columns>
void UpdateApplier<Columns>::DeleteRangeOf(uint64_t client_id, uint64_t clock, uint64_t length,
                                           WireDeleteSet& unknown) {
  const uint64_t end = clock + length;
  const ClientIndex client = document_.structs.Find(client_id);
  const uint64_t state = client == kNoClient ? 0 : document_.structs[client].state;
  if (clock >= state) {
    unknown.RangesOf(client_id).push_back({clock, length});
    return;
  }
  if (state < end) unknown.RangesOf(client_id).push_back({state, end - state});
  if (!deletes_overlap_) return DeleteKnown(client, clock, end);
  // What one range has deleted the next needn't look at.
  absl::btree_map<uint64_t, uint64_t>& done = deleted_[client];
  uint64_t from = clock, to = std::min(end, state);
  auto next = done.upper_bound(clock);
  if (next != done.begin() && std::prev(next)->second >= clock) --next;
  uint64_t first = clock;
  while (next != done.end() && next->first <= to) {
    if (from < next->first) DeleteKnown(client, from, next->first);
    from = std::max(from, next->second);
    first = std::min(first, next->first);
    next = done.erase(next);
  }
  if (from < to) DeleteKnown(client, from, to);
  done[first] = std::max(from, to);
}

template <class Columns>
void UpdateApplier<Columns>::DeleteKnown(ClientIndex client, uint64_t clock, uint64_t end) {
  const StructList& list = document_.structs[client].structs;
  StructList::Position at = list.Find(static_cast<uint32_t>(clock));
  document_.items.Reserve(4);
  {
    const Item& first = document_.items[list.ItemAt(at)];
    if (!first.deleted() && first.id.clock < clock)
      at = document_.Split(transaction_, client, at, static_cast<uint32_t>(clock) - first.id.clock);
  }
  for (; list.Valid(at) && list[at].clock < end; at = list.Next(at)) {
    const ItemRef ref = list.ItemAt(at);
    const Item& item = document_.items[ref];
    if (item.deleted()) continue;
    if (end < item.end_clock()) {
      at = list.Previous(document_.Split(transaction_, client, at, static_cast<uint32_t>(end) - item.id.clock));
    }
    document_.Delete(transaction_, ref);
  }
}

template class UpdateApplier<ColumnsV1>;
template class UpdateApplier<ColumnsV2>;

}  // namespace rivermeet::crdt::internal
