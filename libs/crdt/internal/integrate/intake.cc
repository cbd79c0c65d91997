#include "crdt/internal/integrate/intake.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "crdt/internal/integrate/range_deletion.h"
#include "crdt/internal/integrate/ready_runs.h"
#include "crdt/internal/store/pending.h"
#include "crdt/internal/wire/struct_stream.h"

namespace rivermeet::crdt::internal {

template <class Fields>
Intake<Fields>::Intake(Document& document, Transaction& transaction, std::string_view update, const Limits& limits,
                       uint64_t local_client)
    : document_(document),
      transaction_(transaction),
      local_client_(local_client),
      max_depth_(limits.max_depth),
      update_(update, limits),
      check_(document, limits, update_),
      applier_(document, transaction, update_) {}

template <class Fields>
bool Intake<Fields>::Step(Budget& budget) {
  Pending& pending = document_.pending;
  switch (stage_) {
    case Stage::kCheck:
      if (!check_.Step(budget)) return false;
      if (!check_.status().ok()) {
        stage_ = Stage::kDone;
        return true;
      }
      stage_ = Stage::kStructs;
      [[fallthrough]];
    case Stage::kStructs:
      if (!applier_.ApplyStructs(budget)) return false;
      // As in yjs, what begins to wait is tried with the next update.
      retry_ = !pending.structs.empty();
      PutRest();
      stage_ = Stage::kDeletes;
      [[fallthrough]];
    case Stage::kDeletes:
      if (!applier_.ApplyDeletes(budget, unknown_)) return false;
      if (!pending.deletes.empty()) RetryDeletes();
      pending.deletes.Add(unknown_);
      if (retry_) RetryStructs();
      stage_ = Stage::kDone;
      [[fallthrough]];
    case Stage::kDone:
      return true;
  }
  return true;
}

// Clients that may have structs now that they hadn't before, in descending order.
template <class Fields>
std::vector<uint64_t> Intake<Fields>::Moved() const {
  std::vector<uint64_t> moved = {local_client_};
  for (const auto& block : update_.blocks) moved.push_back(block.client);
  std::sort(moved.begin(), moved.end(), std::greater<>());
  moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
  return moved;
}

template <class Fields>
void Intake<Fields>::RetryDeletes() {
  PendingDeletes& pending = document_.pending.deletes;
  Budget unlimited = Budget::Unlimited();
  RangeDeletion deletion(document_, transaction_);
  WireDeleteSet still;
  for (const uint64_t client : Moved()) {
    for (const ClockRange range : pending.TakeBelow(client, document_.structs.StateOf(client))) {
      deletion.Begin(client, range);
      deletion.Step(unlimited, still);
    }
  }
  for (const auto& [client, ranges] : still.clients) {
    for (const ClockRange range : ranges) pending.PutBack(client, range);
  }
}

template <class Fields>
void Intake<Fields>::PutRest() {
  PendingStructs& pending = document_.pending.structs;
  for (PendingRun& run : applier_.TakeRest()) pending.Add(std::move(run));
  if (!pending.empty()) pending.Advance(Moved());
}

template <class Fields>
void Intake<Fields>::RetryStructs() {
  PendingStructs& pending = document_.pending.structs;
  const std::vector<PendingStructs::Place> ready = ReadyRuns(document_).Find(pending.TakeAdvanced());
  if (ready.empty()) return;
  const std::string update = pending.Take(ready);
  const Limits limits = NoLimits();
  Intake<FieldsV2>(document_, transaction_, update, limits, local_client_).TakeWaiting(max_depth_);
}

// Takes in the update, which holds structs that waited.
template <class Fields>
void Intake<Fields>::TakeWaiting(int max_depth) {
  Budget unlimited = Budget::Unlimited();
  check_.PassPending();
  applier_.DropTypesBelow(max_depth);
  applier_.ApplyStructs(unlimited);
  PutRest();
  if (!document_.pending.deletes.empty()) RetryDeletes();
}

template class Intake<FieldsV1>;
template class Intake<FieldsV2>;

}  // namespace rivermeet::crdt::internal
