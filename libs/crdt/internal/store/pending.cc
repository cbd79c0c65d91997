#include "crdt/internal/store/pending.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>

#include "base/status.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/internal/wire/update_merge.h"
#include "crdt/internal/wire/update_writer.h"

namespace rivermeet::crdt::internal {

namespace {

std::string Merged(absl::Span<const std::string_view> updates) {
  if (updates.size() == 1) return std::string(updates.front());
  absl::StatusOr<std::string> merged = Merge<FieldsV2, WriterV2>(updates, NoLimits());
  RM_CHECK_OK(merged.status());
  return *std::move(merged);
}

std::string Merged(const std::vector<PendingRun>& runs) {
  std::vector<std::string_view> updates;
  for (const PendingRun& run : runs) updates.push_back(run.update);
  return Merged(updates);
}

// Before all others.
constexpr RangeStart kFirst{std::numeric_limits<uint64_t>::max(), 0};

bool HasHoles(const PendingRun& run) { return run.units < run.end - run.id.clock; }

// Whether they are small enough to be one.
bool FitTogether(const PendingRun& a, const PendingRun& b) {
  return a.structs + b.structs <= PendingRun::kMostStructs &&
         a.update.size() + b.update.size() <= PendingRun::kMostBytes;
}

// Whether `runs`, which are in order, have all of `run`, and no merge of them would come out otherwise. yjs can't tell
// an item and what was collected there apart by their clocks: which stays is up to the merge.
template <class Iterator>
bool Cover(Iterator runs, Iterator end, const PendingRun& run) {
  if (HasHoles(run)) return false;
  uint64_t clock = run.id.clock;
  for (; runs != end; ++runs) {
    const PendingRun& held = runs->second;
    const bool contradicts = (run.has_gcs && held.has_items) || (run.has_items && held.has_gcs);
    if (contradicts || HasHoles(held) || held.id.clock > clock) return false;
    clock = held.end;
  }
  return clock >= run.end;
}

// `held`, which are in order, and `run`, which comes to them.
std::vector<PendingRun> Join(const std::vector<PendingRun>& held, const PendingRun& run) {
  const std::string before = Merged(held);
  const std::string all = Merged({before, run.update});
  uint64_t structs = run.structs, units = run.units;
  for (const PendingRun& part : held) {
    structs += part.structs;
    units += part.units;
  }
  const uint64_t parts = (structs + PendingRun::kMostStructs - 1) / PendingRun::kMostStructs;
  PendingRest rest((structs + parts - 1) / parts);
  const Limits limits = NoLimits();
  StructStream<FieldsV2> stream(all, limits);
  WireStruct item;
  stream.Next(item);
  rest.Begin(item, held.front().id.clock < run.id.clock ? held.front().missing : run.missing);
  while (stream.Next(item)) rest.Add(item);
  std::vector<PendingRun> runs = rest.TakeRuns();
  for (const PendingRun& part : runs) units -= part.units;
  // Where they overlapped, the first one may be another now: what it misses shows when it is tried.
  if (units > 0) runs.front().missing = {run.id.client, 0};
  return runs;
}

}  // namespace

void PendingRest::Begin(const WireStruct& item, UnitId missing) {
  EndRun();
  run_.id = item.id;
  run_.missing = missing;
  Write(item);
}

void PendingRest::Add(const WireStruct& item) {
  if (item.content.kind == ContentKind::kSkip) return;
  if (run_.structs >= most_structs_ || written_bytes_ >= PendingRun::kMostBytes) return Begin(item, item.id);
  if (run_.end < item.id.clock) writer_->WriteSkip({item.id.client, run_.end}, item.id.clock);
  Write(item);
}

void PendingRest::Write(const WireStruct& item) {
  if (!writer_.has_value()) writer_.emplace();
  writer_->Write(item, 0);
  written_bytes_ += item.root.size() + item.parent_sub.size() + item.content.data.size() + item.content.name.size();
  run_.end = item.end_clock();
  run_.units += item.content.length;
  ++run_.structs;
  (item.is_item() ? run_.has_items : run_.has_gcs) = true;
}

void PendingRest::EndRun() {
  if (!writer_.has_value()) return;
  run_.update = writer_->Finish({});
  runs_.push_back(std::exchange(run_, {}));
  writer_.reset();
  written_bytes_ = 0;
}

std::vector<PendingRun> PendingRest::TakeRuns() {
  EndRun();
  return std::move(runs_);
}

uint64_t PendingStructs::bytes() const {
  return update_bytes_ + runs_.size() * (sizeof(Runs::value_type) + sizeof(decltype(missing_)::value_type)) +
         advanced_.size() * sizeof(uint64_t);
}

std::vector<UnitId> PendingStructs::missing() const {
  absl::flat_hash_map<uint64_t, uint64_t> least;
  const auto note = [&least](UnitId missing) {
    const auto [clock, made] = least.try_emplace(missing.client, missing.clock);
    if (!made) clock->second = std::min(clock->second, missing.clock);
  };
  for (const auto& [start, run] : runs_) note(run.missing);
  std::vector<UnitId> all;
  for (const auto& [client, clock] : least) all.push_back({client, clock});
  std::sort(all.begin(), all.end(), [](const UnitId& a, const UnitId& b) { return a.client < b.client; });
  return all;
}

void PendingStructs::Add(PendingRun run) {
  const auto beside = [&](Runs::iterator at) {
    return at->first.client == run.id.client && FitTogether(at->second, run);
  };
  // Those that it overlaps; or else one beside it, so that there are few.
  Runs::iterator first = runs_.lower_bound({run.id.client, run.id.clock});
  if (first != runs_.begin()) {
    const Runs::iterator before = std::prev(first);
    if (before->first.client == run.id.client && before->second.end > run.id.clock) first = before;
  }
  Runs::iterator last = first;
  while (last != runs_.end() && last->first.client == run.id.client && last->first.clock < run.end) ++last;
  if (first != last) {
    if (Cover(first, last, run)) return;
  } else if (first != runs_.begin() && beside(std::prev(first))) {
    --first;
  } else if (last != runs_.end() && beside(last)) {
    ++last;
  } else {
    return Insert(std::move(run));
  }
  std::vector<PendingRun> held;
  for (auto parts = std::distance(first, last); parts > 0; --parts) held.push_back(Remove(first));
  for (PendingRun& part : Join(held, run)) Insert(std::move(part));
}

void PendingStructs::Insert(PendingRun run) {
  const RangeStart start{run.id.client, run.id.clock};
  structs_ += run.structs;
  update_bytes_ += run.update.size();
  if (run.missing.client != run.id.client) missing_.insert({{run.missing.client, run.missing.clock}, start});
  ++runs_of_[run.id.client];
  runs_.emplace(start, std::move(run));
}

PendingRun PendingStructs::Remove(Runs::iterator& at) {
  PendingRun run = std::move(at->second);
  missing_.erase({{run.missing.client, run.missing.clock}, at->first});
  at = runs_.erase(at);
  structs_ -= run.structs;
  update_bytes_ -= run.update.size();
  const auto runs = runs_of_.find(run.id.client);
  if (--runs->second == 0) runs_of_.erase(runs);
  return run;
}

void PendingStructs::Advance(const std::vector<uint64_t>& clients) {
  advanced_.insert(advanced_.end(), clients.begin(), clients.end());
}

std::vector<PendingStructs::Place> PendingStructs::Missing(uint64_t client, uint64_t from, uint64_t to) const {
  std::vector<Place> places;
  for (auto at = missing_.lower_bound({{client, from}, kFirst}); at != missing_.end(); ++at) {
    if (at->first.client != client || at->first.clock > to) break;
    places.push_back(at->second);
  }
  for (auto at = runs_.lower_bound({client, from}); at != runs_.end(); ++at) {
    if (at->first.client != client || at->first.clock > to) break;
    if (at->second.missing.client == client) places.push_back(at->first);
  }
  return places;
}

std::vector<PendingStructs::Place> PendingStructs::Asking(uint64_t client, size_t most) const {
  std::vector<Place> places;
  for (auto at = missing_.lower_bound({{client, 0}, kFirst}); at != missing_.end(); ++at) {
    if (at->first.client != client || places.size() == most) break;
    places.push_back(at->second);
  }
  return places;
}

std::string PendingStructs::Take(const std::vector<Place>& places) {
  std::vector<PendingRun> taken;
  for (const Place& place : places) {
    Runs::iterator run = runs_.find(place);
    taken.push_back(Remove(run));
  }
  return Merged(taken);
}

std::string PendingStructs::Encode() const {
  std::vector<std::string_view> updates;
  for (const auto& [start, run] : runs_) updates.push_back(run.update);
  return updates.empty() ? std::string() : Merged(updates);
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
    for (const ClockRange& range : ranges) {
      if (merged_) {
        Unite(ends_, client, range.clock, range.clock + range.length);
      } else {
        PutBack(client, range);
      }
    }
  }
}

std::vector<ClockRange> PendingDeletes::TakeBelow(uint64_t client, uint64_t state) {
  std::vector<ClockRange> taken;
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
