#include "crdt/internal/store/pending.h"

#include <algorithm>
#include <string_view>

#include "base/status.h"
#include "crdt/internal/store/struct_store.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/internal/wire/update_writer.h"
#include "crdt/update.h"

namespace rivermeet::crdt::internal {

namespace {

std::string Merged(absl::Span<const std::string_view> updates) {
  absl::StatusOr<std::string> merged = MergeUpdates(updates, Format::kV2, NoLimits());
  RM_CHECK_OK(merged.status());
  return *std::move(merged);
}

void NoteLeast(absl::flat_hash_map<uint64_t, uint64_t>& missing, uint64_t client, uint64_t clock) {
  const auto [least, made] = missing.try_emplace(client, clock);
  if (!made) least->second = std::min(least->second, clock);
}

}  // namespace

void UpdateRest::Count(const WireStruct& item) {
  if (item.content.kind == ContentKind::kSkip) return;
  ++structs;
  (item.is_item() ? has_items : has_gcs) = true;
  if (!ranges.empty() && ranges.back().client == item.id.client && ranges.back().to == item.id.clock) {
    ranges.back().to = item.end_clock();
  } else {
    ranges.push_back({item.id.client, item.id.clock, item.end_clock()});
  }
}

void UpdateRest::Misses(uint64_t client, uint64_t clock) { NoteLeast(missing, client, clock); }

uint64_t PendingStructs::bytes() const {
  return update_bytes_ + updates_.size() * sizeof(std::string) + covered_.size() * 3 * sizeof(uint64_t) +
         missing_.size() * (2 * sizeof(uint64_t) + 1);
}

bool PendingStructs::HasCome(uint64_t client, const StructStore& structs) const {
  const auto missing = missing_.find(client);
  return missing != missing_.end() && structs.StateOf(client) >= missing->second;
}

bool PendingStructs::Add(UpdateRest rest, const std::vector<uint64_t>& moved, const StructStore& structs) {
  const bool first = empty();
  bool ready = ready_;
  for (const auto& [client, clock] : rest.missing) {
    NoteLeast(missing_, client, clock);
    ready |= HasCome(client, structs);
  }
  if (!rest.empty()) {
    const Overlap overlap = OverlapOf(rest);
    // yjs can't tell an item and what was collected there apart by their clocks: which stays is up to the merge.
    const bool contradicts = (rest.has_gcs && has_items_) || (rest.has_items && has_gcs_);
    if (overlap == Overlap::kNone) {
      structs_ += rest.structs;
      Append(std::move(rest.update));
    } else if (overlap == Overlap::kPart || contradicts) {
      MergeIn(rest);
    }
    for (const UpdateRest::Range& range : rest.ranges) Cover(range);
    has_items_ |= rest.has_items;
    has_gcs_ |= rest.has_gcs;
  }
  if (first) {
    ready_ = ready;
    return false;
  }
  return ready || std::any_of(moved.begin(), moved.end(), [&](uint64_t client) { return HasCome(client, structs); });
}

PendingStructs::Overlap PendingStructs::OverlapOf(const UpdateRest& rest) const {
  size_t whole = 0;
  for (const auto& [client, from, to] : rest.ranges) {
    const auto behind = covered_.upper_bound({client, from});
    if (behind != covered_.begin()) {
      const auto& [start, end] = *std::prev(behind);
      if (start.client == client && end > from) {
        if (end < to) return Overlap::kPart;
        ++whole;
        continue;
      }
    }
    if (behind != covered_.end() && behind->first.client == client && behind->first.clock < to) return Overlap::kPart;
  }
  if (whole == 0) return Overlap::kNone;
  return whole == rest.ranges.size() ? Overlap::kWhole : Overlap::kPart;
}

void PendingStructs::Cover(const UpdateRest::Range& range) {
  const auto of_client = covered_.lower_bound({range.client, 0});
  if (of_client == covered_.end() || of_client->first.client != range.client) ++clients_;
  Unite(covered_, range.client, range.from, range.to);
}

void PendingStructs::Append(std::string update) {
  update_bytes_ += update.size();
  updates_.push_back(std::move(update));
  while (updates_.size() > 1) {
    std::string& last = updates_.back();
    std::string& before = updates_[updates_.size() - 2];
    if (before.size() > 2 * last.size()) return;
    update_bytes_ -= before.size() + last.size();
    before = Merged({before, last});
    update_bytes_ += before.size();
    updates_.pop_back();
  }
}

void PendingStructs::MergeIn(const UpdateRest& rest) {
  const std::string all = Encode();
  updates_ = {Merged({all, rest.update})};
  update_bytes_ = updates_.front().size();
  structs_ = 0;
  const Limits limits = NoLimits();
  StructStream<ColumnsV2> stream(updates_.front(), limits);
  for (WireStruct item; stream.Next(item);) structs_ += item.content.kind == ContentKind::kSkip ? 0 : 1;
}

std::string PendingStructs::Encode() const {
  if (updates_.empty()) return {};
  if (updates_.size() == 1) return updates_.front();
  return Merged(std::vector<std::string_view>(updates_.begin(), updates_.end()));
}

std::string PendingStructs::Take() {
  std::string all = Encode();
  *this = PendingStructs();
  return all;
}

void PendingDeletes::Add(const WireDeleteSet& unknown) {
  if (unknown.empty()) return;
  if (empty()) {
    merged_ = false;
  } else if (!merged_) {
    merged_ = true;
    for (const auto& [start, end] : std::exchange(ends_, {})) Unite(ends_, start.client, start.clock, end);
  }
  for (const auto& [client, ranges] : unknown.clients) {
    for (const DeleteRange& range : ranges) {
      if (merged_) {
        Unite(ends_, client, range.clock, range.clock + range.length);
      } else {
        PutBack(client, range);
      }
    }
  }
}

std::vector<DeleteRange> PendingDeletes::TakeBelow(uint64_t client, uint64_t state) {
  std::vector<DeleteRange> taken;
  const auto first = ends_.lower_bound({client, 0});
  auto at = first;
  for (; at != ends_.end() && at->first.client == client && at->first.clock < state; ++at) {
    taken.push_back({at->first.clock, at->second - at->first.clock});
  }
  ends_.erase(first, at);
  return taken;
}

std::string PendingDeletes::Encode() const {
  if (empty()) return {};
  WireDeleteSet deletes;
  for (const auto& [start, end] : ends_) deletes.RangesOf(start.client).push_back({start.clock, end - start.clock});
  WriterV2 writer;
  WriteVarUint(writer.rest(), 0);  // no structs
  WriteDeleteSet(writer, deletes);
  return writer.Take();
}

}  // namespace rivermeet::crdt::internal
