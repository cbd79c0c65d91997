#include "crdt/internal/integrate/update_check.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "base/status.h"

namespace rivermeet::crdt::internal {

namespace {

// Whether `item`, of which the document has a part already, says of its parent what can't be: another than that
// part's.
bool Contradicts(Document& document, const WireStruct& item) {
  const ClientIndex client = document.structs.Find(item.id.client);
  const Item& own = document.items[document.RefAt({client, document.structs[client].state - 1})];
  if (own.is_gc()) return false;
  const auto is_known = [&](UnitId id) { return id.clock < document.structs.StateOf(id.client); };
  TypeIndex parent = kNoType;
  switch (item.parent_kind) {
    case WireStruct::Parent::kFromNeighbour: {
      const UnitId id = item.has_origin ? item.origin : item.right_origin;
      if (!is_known(id)) return false;
      const Item& neighbour = document.ItemWith(id);
      if (neighbour.is_gc()) return false;
      return neighbour.parent != own.parent || neighbour.is_entry() != own.is_entry() ||
             (own.is_entry() && neighbour.place != own.place);
    }
    case WireStruct::Parent::kRoot:
      if (!document.HasRoot(item.root)) return true;
      parent = document.Root(item.root);
      break;
    case WireStruct::Parent::kItem: {
      if (!is_known(item.parent)) return false;
      const Item& holder = document.ItemWith(item.parent);
      if (holder.kind != ContentKind::kType) return false;
      parent = holder.extra;
      break;
    }
  }
  return parent != own.parent || item.has_parent_sub != own.is_entry() ||
         (own.is_entry() && document.keys.Find(item.parent_sub) != own.place);
}

}  // namespace

template <class Fields>
bool UpdateCheck<Fields>::Step(Budget& budget) {
  UpdateReader<Fields>& reader = update_.reader;
  switch (stage_) {
    case Stage::kBegin:
      blocks_left_ = reader.ReadCount();
      stage_ = Stage::kStructs;
      [[fallthrough]];
    case Stage::kStructs:
      if (!CheckStructs(budget)) return false;
      update_.deletes = reader.place();
      stage_ = Stage::kDeletes;
      [[fallthrough]];
    case Stage::kDeletes:
      if (!CheckDeletes(budget)) return false;
      reader.Finish();
      status_ = reader.ok() ? absl::OkStatus() : reader.status();
      if (status_.ok()) {
        status_ = CheckRoom(document_, limits_, adds_);
      }
      update_.is_kept = update_.structs == 1 && update_.blocks.size() == 1;
      stage_ = Stage::kDone;
      if (!status_.ok()) return true;
      if (update_.blocks.size() > 1) SortBlocks();
      if (was_pending_ || !has_types_) return true;
      update_.is_kept = false;  // what it views is read over
      pass_ = {};
      stage_ = Stage::kNesting;
      [[fallthrough]];
    case Stage::kNesting:
      if (!CheckNesting(budget)) return false;
      stage_ = Stage::kDone;
      [[fallthrough]];
    case Stage::kDone:
      return true;
  }
  return true;
}

template <class Fields>
void UpdateCheck<Fields>::PassPending() {
  was_pending_ = true;
  Budget unlimited = Budget::Unlimited();
  Step(unlimited);
  RM_CHECK_OK(status_);
}

template <class Fields>
bool UpdateCheck<Fields>::CheckStructs(Budget& budget) {
  UpdateReader<Fields>& reader = update_.reader;
  WireStruct& item = update_.item;
  for (;;) {
    for (; pass_.left > 0; --pass_.left) {
      if (!budget.TakeBytes(item.content.data.size())) return false;
      reader.ReadStruct(update_.blocks.back().client, pass_.clock, item);
      if (!reader.ok()) return true;
      ++update_.structs;
      CheckStruct(item, known_);
      pass_.clock = item.end_clock();
      if (pass_.clock > known_) Reckon(item);
    }
    if (blocks_left_ == 0 || !reader.ok()) return true;
    --blocks_left_;
    const auto read = reader.ReadBlock();
    update_.blocks.push_back({read.client, read.clock, read.structs, update_.places.size()});
    update_.places.push_back(reader.place());
    known_ = document_.structs.StateOf(read.client);
    if (known_ == 0) ++adds_.clients;
    pass_.clock = read.clock;
    pass_.left = read.structs;
  }
}

template <class Fields>
void UpdateCheck<Fields>::CheckStruct(const WireStruct& item, uint64_t known) {
  UpdateReader<Fields>& reader = update_.reader;
  if (item.content.kind != ContentKind::kSkip && item.end_clock() > Document::kMaxClock) {
    return reader.FailExhausted("a clock is over 2^32 - 2, the most that a document takes");
  }
  if (!was_pending_ && item.is_item() && item.id.clock < known && known < item.end_clock() &&
      Contradicts(document_, item)) {
    return reader.Fail("a struct that is known in part is now under another parent");
  }
  if (item.is_item() && item.parent_kind == WireStruct::Parent::kRoot && !document_.HasRoot(item.root)) {
    NoteRoot(item.root);
  }
}

// Counts what a struct, which is new as a whole or in part, adds to the document at most.
template <class Fields>
void UpdateCheck<Fields>::Reckon(const WireStruct& item) {
  ++adds_.structs;
  if (item.has_parent_sub) ++adds_.names;
  switch (item.content.kind) {
    case ContentKind::kType:
      has_types_ = true;
      ++adds_.types;
      [[fallthrough]];
    case ContentKind::kFormat:
      NoteName(item.content.name);
      return;
    case ContentKind::kDoc:
      adds_.bytes += sizeof(SubdocumentState);
      return;
    default:
      return;
  }
}

// A name that comes again soon is counted once.
template <class Fields>
void UpdateCheck<Fields>::NoteName(std::string_view name) {
  if (name.empty() || document_.keys.Find(name) != 0) return;
  if (new_names_ == nullptr) new_names_ = std::make_unique<std::array<size_t, 64>>();
  const size_t hash = absl::HashOf(name);
  size_t& last = (*new_names_)[hash % new_names_->size()];
  if (last == hash) return;
  last = hash;
  ++adds_.names;
}

template <class Fields>
void UpdateCheck<Fields>::NoteRoot(std::string_view root) {
  if (new_root_names_ == nullptr) {
    new_root_names_ = std::make_unique<absl::flat_hash_set<std::string>>();
    update_.new_roots = std::make_unique<std::vector<std::string>>();
  }
  if (!new_root_names_->emplace(root).second) return;
  update_.new_roots->emplace_back(root);
  ++adds_.types;
  ++adds_.names;
}

template <class Fields>
bool UpdateCheck<Fields>::CheckDeletes(Budget& budget) {
  for (ClockRange range;;) {
    if (!budget.Take()) return false;
    if (!update_.reader.ReadDelete(delete_place_, range)) return true;
    NoteDelete(delete_place_.client, range);
  }
}

template <class Fields>
void UpdateCheck<Fields>::NoteDelete(uint64_t client, ClockRange range) {
  ++adds_.structs;
  update_.has_deletes = true;
  if (client == last_deleted_) {
    update_.deletes_overlap |= range.clock < last_end_;
  } else {
    if (last_deleted_.has_value()) deleting_.insert(*last_deleted_);
    update_.deletes_overlap |= deleting_.contains(client);
    last_deleted_ = client;
  }
  last_end_ = range.clock + range.length;
}

template <class Fields>
void UpdateCheck<Fields>::SortBlocks() {
  auto& blocks = update_.blocks;
  std::stable_sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.client < b.client; });
}

template <class Fields>
bool UpdateCheck<Fields>::CheckNesting(Budget& budget) {
  if (nesting_ == nullptr) nesting_ = std::make_unique<NestingCheck>(document_, update_.structs);
  WireStruct& item = update_.item;
  for (; pass_.block < update_.blocks.size(); ++pass_.block, pass_.begun = false) {
    const UpdateBlock& block = update_.blocks[pass_.block];
    if (!pass_.begun) {
      update_.reader.Resume(update_.places[block.place]);
      pass_ = {pass_.block, block.clock, block.left, /*begun=*/true};
    }
    for (; pass_.left > 0; --pass_.left) {
      if (!budget.TakeBytes(item.content.data.size())) return false;
      update_.reader.ReadStruct(block.client, pass_.clock, item);
      nesting_->Add(item);
      pass_.clock = item.end_clock();
    }
  }
  if (!nesting_->Step(budget)) return false;
  if (nesting_->deepest_type() > static_cast<uint32_t>(limits_.max_depth)) {
    status_ = absl::ResourceExhaustedError("with this update a document would nest shared types deeper than max_depth");
  }
  nesting_.reset();
  return true;
}

template class UpdateCheck<FieldsV1>;
template class UpdateCheck<FieldsV2>;

}  // namespace rivermeet::crdt::internal
