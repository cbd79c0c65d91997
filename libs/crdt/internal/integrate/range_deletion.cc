#include "crdt/internal/integrate/range_deletion.h"

#include <algorithm>

namespace rivermeet::crdt::internal {

bool RangeDeletion::Step(Budget& budget, WireDeleteSet& unknown) {
  if (!document_.ContinueDelete(transaction_, budget)) return false;
  const auto no_gaps = [this] { return overlaps_ == nullptr || overlaps_->gaps.empty(); };
  if (left_.length == 0 && no_gaps()) return true;
  if (!budget.Take()) return false;
  const uint64_t end = left_.clock + left_.length;
  const ClientIndex client = document_.structs.Find(client_);
  const uint64_t state = client == kNoClient ? 0 : document_.structs[client].state;
  if (state < end) {
    const uint64_t from = std::max(state, left_.clock);
    unknown.RangesOf(client_).push_back({from, end - from});
    left_.length = from - left_.clock;
  }
  if (overlaps_ != nullptr && !cut_) CutOutDone();
  for (;;) {
    if (left_.length > 0 && !DeleteKnown(client, budget)) return false;
    if (no_gaps()) return true;
    left_ = overlaps_->gaps.back();
    overlaps_->gaps.pop_back();
  }
}

void RangeDeletion::CutOutDone() {
  cut_ = true;
  if (left_.length == 0) return;
  std::vector<ClockRange>& gaps = overlaps_->gaps;
  Unite(overlaps_->done, client_, left_.clock, left_.clock + left_.length, [&gaps](uint64_t from, uint64_t to) {
    gaps.push_back({from, to - from});
  });
  std::reverse(gaps.begin(), gaps.end());
  left_ = {};
}

bool RangeDeletion::IsDone(ClientIndex number) {
  const StructStore::Client& client = document_.structs[number];
  if (client.deleted_by != transaction_.number()) return false;
  const std::vector<ClockRange>& done = transaction_.deleted()[client.deleted_place].ranges;
  while (passed_ < done.size() && done[passed_].clock + done[passed_].length <= left_.clock) ++passed_;
  return passed_ < done.size() && done[passed_].clock <= left_.clock &&
         left_.clock + left_.length <= done[passed_].clock + done[passed_].length;
}

bool RangeDeletion::DeleteKnown(ClientIndex client, Budget& budget) {
  if (IsDone(client)) {
    left_.length = 0;
    return true;
  }
  const uint64_t end = left_.clock + left_.length;
  const StructList& list = document_.structs[client].structs;
  StructList::Position at = list.FindNear(static_cast<uint32_t>(left_.clock));
  document_.items.Reserve(4);
  const Item& first = document_.items[list.ItemAt(at)];
  if (!first.deleted() && first.id.clock < left_.clock) {
    at = document_.Split(transaction_, client, at, static_cast<uint32_t>(left_.clock) - first.id.clock);
  }
  while (list.Valid(at) && list[at].clock < end) {
    const ItemRef ref = list.ItemAt(at);
    const Item& item = document_.items[ref];
    if (!item.deleted()) {
      if (end < item.end_clock()) {
        at = list.Previous(document_.Split(transaction_, client, at, static_cast<uint32_t>(end) - item.id.clock));
      }
      document_.BeginDelete(transaction_, ref);
    }
    left_.clock = item.end_clock();
    left_.length = end - std::min(left_.clock, end);
    if (!document_.ContinueDelete(transaction_, budget) || !budget.Take()) return false;
    at = list.Next(at);
  }
  left_.length = 0;
  return true;
}

}  // namespace rivermeet::crdt::internal
