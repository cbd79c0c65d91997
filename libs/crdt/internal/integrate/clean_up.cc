#include "crdt/internal/integrate/clean_up.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

namespace {

constexpr int kAhead = 16;  // structs, that their items are fetched before they are read

}  // namespace

inline void CleanUp::Enter(Stage stage) {
  stage_ = stage;
  group_ = place_ = 0;
  clock_.reset();
}

bool CleanUp::Step(Budget& budget) {
  if (stage_ == Stage::kCollect && transaction_.deleted().empty()) Enter(Stage::kMergeNew);
  switch (stage_) {
    case Stage::kCollect:
      if (!CollectDeleted(budget)) return false;
      Enter(Stage::kMergeDeleted);
      [[fallthrough]];
    case Stage::kMergeDeleted:
      if (!MergeDeleted(budget)) return false;
      Enter(Stage::kMergeNew);
      [[fallthrough]];
    case Stage::kMergeNew:
      if (!MergeNew(budget)) return false;
      Enter(Stage::kMergeSplit);
      [[fallthrough]];
    case Stage::kMergeSplit:
      if (!transaction_.merge_later.empty() && !MergeSplit(budget)) return false;
      Enter(Stage::kCompact);
      [[fallthrough]];
    case Stage::kCompact:
      if ((compaction_ != nullptr || document_.contents.mostly_garbage()) && !CompactContents(budget)) return false;
      Enter(Stage::kDone);
      [[fallthrough]];
    case Stage::kDone:
      return true;
  }
  return true;
}

// --- collecting (yjs: Item.gc, tryGcDeleteSet)

bool CleanUp::CollectDeleted(Budget& budget) {
  if (!document_.gc() || !transaction_.deletes_content) return true;
  if (!CollectChildren(budget)) return false;
  for (const auto deleted = transaction_.deleted(); group_ < deleted.size(); ++group_, place_ = 0) {
    const auto& [client, ranges] = deleted[group_];
    const StructList& list = document_.structs[client].structs;
    for (; place_ < ranges.size(); ++place_, clock_.reset()) {
      const ClockRange range = ranges[ranges.size() - 1 - place_];
      StructList::Position at = list.FindNear(clock_.value_or(static_cast<uint32_t>(range.clock)));
      for (; list.Valid(at) && list[at].clock < range.clock + range.length; at = list.Next(at)) {
        const ItemRef ref = list.ItemAt(at);
        const Item& item = document_.items[ref];
        document_.items.Prefetch(list.ItemNear(at, -kAhead));
        const bool has_budget = budget.Take();
        if (has_budget && !item.is_gc() && item.deleted() && !item.keep()) Collect(ref);
        if (!has_budget || !CollectChildren(budget)) {
          clock_ = list[at].clock;
          return false;
        }
      }
    }
  }
  return true;
}

// What an item that is collected holds goes with it.
void CleanUp::NoteInside(const Item& item) {
  if (item.kind == ContentKind::kType) open_.push_back(item.extra);
  if (item.kind == ContentKind::kDoc) document_.subdocuments[item.extra].collected = true;
}

void CleanUp::DropContent(Item& item) {
  document_.contents.Release(item.size);
  item.data = nullptr;
  item.size = 0;
  item.extra = 0;
}

void CleanUp::Collect(ItemRef ref) {
  Item& item = document_.items[ref];
  NoteInside(item);
  DropContent(item);
  item.kind = ContentKind::kDeleted;
}

bool CleanUp::CollectChildren(Budget& budget) {
  TypeTable& types = document_.types;
  while (collecting_ != kNoType || !open_.empty()) {
    if (collecting_ == kNoType) {
      collecting_ = open_.back();
      open_.pop_back();
      next_child_ = types[collecting_].start;
      chains_ = 0;
    }
    while (next_child_ != kNoItem) {
      if (!budget.Take()) return false;
      const ItemRef ref = next_child_;
      next_child_ = chains_ == 0 ? document_.items[ref].right : document_.items[ref].left;
      CollectChild(ref);
    }
    const EntryTable* entries = types[collecting_].entries.get();
    if (entries != nullptr && chains_ < entries->size()) {
      next_child_ = (*entries)[chains_++].second;
    } else {
      document_.ForgetEntries(types[collecting_]);
      types.Free(collecting_);
      collecting_ = kNoType;
    }
  }
  return true;
}

void CleanUp::CollectChild(ItemRef ref) {
  Item& item = document_.items[ref];
  NoteInside(item);
  DropContent(item);
  if ((item.flags & Item::kRedone) != 0) document_.redone_.erase(ref);
  Item collected;
  collected.id = item.id;
  collected.length = item.length;
  collected.flags = Item::kDeleted;
  item = collected;
}

// --- merging (yjs: tryToMergeWithLefts and who calls it)

inline bool CleanUp::CanMerge(const Item& left, ItemRef right_ref) const {
  const Item& right = document_.items[right_ref];
  if (left.kind != right.kind || left.deleted() != right.deleted()) return false;
  if (left.is_gc()) return true;
  if (left.kind != ContentKind::kString && left.kind != ContentKind::kDeleted && left.kind != ContentKind::kAny &&
      left.kind != ContentKind::kJson) {
    return false;
  }
  if (uint64_t{left.size} + right.size > std::numeric_limits<uint32_t>::max()) return false;
  return document_.Continues(left, right_ref);
}

bool CleanUp::MergeWithLefts(ClientIndex client, StructList::Position& at, Budget& budget) {
  if (run_.length == 0) {
    if (!budget.Take()) return false;
    const StructList& list = document_.structs[client].structs;
    merged_ = 0;
    if (!CanMerge(document_.items[list.ItemAt(list.Previous(at))], list.ItemAt(at))) return true;
  }
  return MergeRun(client, at, budget);
}

bool CleanUp::MergeRun(ClientIndex client, StructList::Position& at, Budget& budget) {
  ItemArena& items = document_.items;
  StructList& list = document_.structs[client].structs;
  StructList::Position first = run_.length == 0 ? at : list.Find(run_.first);
  while (!run_.found) {
    if (run_.length > 0 && !budget.Take()) return false;
    first = list.Previous(first);
    run_.first = list[first].clock;
    ++run_.length;
    run_.found = list.IsFirst(first) || !CanMerge(items[list.ItemAt(list.Previous(first))], list.ItemAt(first));
  }
  const ItemRef kept = list.ItemAt(first);
  Item& left = items[kept];
  StructList::Position right = run_.done == 0 ? list.Next(first) : list.Find(left.end_clock());
  for (; run_.done < run_.length; ++run_.done, right = list.Next(right)) {
    if (!budget.Take()) return false;
    MergePair(left, kept, list.ItemAt(right));
  }
  merged_ = run_.length;
  at = list.Erase(list.Next(first), merged_);
  run_ = {};
  return true;
}

bool CleanUp::MergeLeftwards(ClientIndex client, StructList::Position at, uint64_t from, Budget& budget) {
  const StructList& list = document_.structs[client].structs;
  while (!list.IsFirst(at) && list[at].clock >= from) {
    document_.items.Prefetch(list.ItemNear(at, -kAhead));
    if (!MergeWithLefts(client, at, budget)) {
      clock_ = list[at].clock;
      return false;
    }
    if (list.IsFirst(at)) break;
    at = list.Previous(at);
  }
  clock_.reset();
  return true;
}

void CleanUp::MergePair(Item& left, ItemRef left_ref, ItemRef right_ref) {
  ItemArena& items = document_.items;
  Item& right = items[right_ref];
  if (!left.is_gc()) {
    Type& parent = document_.types[left.parent];
    Extent before = ExtentOf(left);
    before.Add(ExtentOf(right));
    if (right.is_entry()) {
      if (parent.Entry(right.place) == right_ref) parent.SetEntry(right.place, left_ref);
    } else {
      if (parent.index != nullptr) parent.index->Merging(right_ref);
      if (parent.markers != nullptr) parent.markers->Merging(items, left_ref, right_ref);
    }
    MergeContent(left, right);
    left.flags |= right.flags & Item::kKeep;
    left.right = right.right;
    if (left.right != kNoItem) items[left.right].left = left_ref;
    left.length += right.length;
    // Two surrogates may have become one character.
    if (parent.index != nullptr && !left.is_entry() && ExtentOf(left) != before)
      parent.index->Changed(left_ref, before);
  } else {
    left.length += right.length;
  }
  items.Free(right_ref);
}

void CleanUp::MergeContent(Item& left, const Item& right) {
  if (right.size == 0) return;
  ContentArena& contents = document_.contents;
  const bool is_text = left.kind == ContentKind::kString;
  const bool joins = is_text && EndsInHighSurrogate(left.bytes()) && StartsWithLowSurrogate(right.bytes());
  const std::string_view joined =
      joins ? contents.JoinCharacter(left.bytes(), right.bytes()) : contents.Join(left.bytes(), right.bytes());
  left.data = joined.data();
  left.size = static_cast<uint32_t>(joined.size());
  if (is_text) left.extra += right.extra + (joins ? 1 : 0);
}

bool CleanUp::MergeDeleted(Budget& budget) {
  for (const auto deleted = transaction_.deleted(); group_ < deleted.size(); ++group_, place_ = 0) {
    const auto& [client, ranges] = deleted[group_];
    if (document_.IsNew(transaction_, {client, 0})) continue;  // MergeNew() goes over all of it
    const StructList& list = document_.structs[client].structs;
    for (; place_ < ranges.size(); ++place_) {
      if (!clock_.has_value() && !budget.Take()) return false;
      const ClockRange range = ranges[ranges.size() - 1 - place_];
      // From the struct behind the last deleted one, from right to left.
      StructList::Position at = list.FindNear(clock_.value_or(static_cast<uint32_t>(range.clock + range.length - 1)));
      if (!clock_.has_value() && !list.IsLast(at)) at = list.Next(at);
      if (!MergeLeftwards(client, at, range.clock, budget)) return false;
    }
  }
  return true;
}

bool CleanUp::MergeNew(Budget& budget) {
  for (; group_ < transaction_.touched.size(); ++group_) {
    if (!clock_.has_value() && !budget.Take()) return false;
    const auto& [client, before] = transaction_.touched[group_];
    const StructList& list = document_.structs[client].structs;
    if (!clock_.has_value()) from_ = list[list.Find(before)].clock;
    const StructList::Position at = clock_.has_value() ? list.Find(*clock_) : list.last();
    if (!MergeLeftwards(client, at, from_, budget)) return false;
  }
  return true;
}

bool CleanUp::MergeSplit(Budget& budget) {
  const std::vector<Id>& split = transaction_.merge_later;
  for (; place_ < split.size(); ++place_, merges_left_ = false) {
    const Id id = split[split.size() - 1 - place_];
    const StructList& list = document_.structs[id.client].structs;
    StructList::Position at = list.FindNear(merges_left_ ? *clock_ : id.clock);
    if (!merges_left_ && !list.IsLast(at)) {
      at = list.Next(at);
      if (!MergeWithLefts(id.client, at, budget)) return false;
      if (merged_ > 1) continue;
      if (merged_ == 0) at = list.Previous(at);
    }
    merges_left_ = true;
    clock_ = list[at].clock;
    if (!list.IsFirst(at) && !MergeWithLefts(id.client, at, budget)) return false;
  }
  return true;
}

// --- contents

bool CleanUp::CompactContents(Budget& budget) {
  if (compaction_ == nullptr) compaction_ = std::make_unique<Compaction>();
  for (; group_ < document_.structs.size(); ++group_, clock_.reset()) {
    const StructList& list = document_.structs[static_cast<ClientIndex>(group_)].structs;
    for (StructList::Position at = list.Find(clock_.value_or(0)); list.Valid(at); at = list.Next(at)) {
      Item& item = document_.items[list.ItemAt(at)];
      if (!budget.TakeBytes(item.size)) {
        clock_ = list[at].clock;
        return false;
      }
      if (item.size > 0) MoveContent(item);
    }
  }
  document_.contents = std::move(compaction_->arena);
  return true;
}

void CleanUp::MoveContent(Item& item) {
  ContentArena& arena = compaction_->arena;
  if (item.kind != ContentKind::kFormat) {
    item.data = arena.Add(item.bytes()).data();
    return;
  }
  // Formats that share a value go on sharing it.
  const auto [place, made] = compaction_->shared.try_emplace(item.data, nullptr);
  if (made) {
    place->second = arena.Add(item.bytes()).data();
  } else {
    arena.Share(item.size);
  }
  item.data = place->second;
}

}  // namespace rivermeet::crdt::internal
