// Ranges of clocks by client, apart: the union of what was put in.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_CLOCK_RANGES_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_CLOCK_RANGES_H_

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/container/btree_map.h"

namespace rivermeet::crdt::internal {

// Clients descend, as in everything that is encoded.
struct RangeStart {
  uint64_t client = 0;
  uint64_t clock = 0;
  bool operator<(const RangeStart& other) const {
    return client != other.client ? client > other.client : clock < other.clock;
  }
};
// Where each range begins -> the clock behind it.
using ClockRanges = absl::btree_map<RangeStart, uint64_t>;

// Puts in [`from`, `to`); what it overlaps or touches becomes one with it. Calls `on_gap`(from, to) with what of it was
// missing, in order.
template <class OnGap>
void Unite(ClockRanges& ranges, uint64_t client, uint64_t from, uint64_t to, OnGap&& on_gap) {
  uint64_t first = from;
  auto next = ranges.upper_bound({client, from});
  if (next != ranges.begin()) {
    const auto before = std::prev(next);
    if (before->first.client == client && before->second >= from) next = before;
  }
  while (next != ranges.end() && next->first.client == client && next->first.clock <= std::max(from, to)) {
    if (from < next->first.clock) on_gap(from, next->first.clock);
    from = std::max(from, next->second);
    first = std::min(first, next->first.clock);
    next = ranges.erase(next);
  }
  if (from < to) on_gap(from, to);
  ranges.emplace_hint(next, RangeStart{client, first}, std::max(from, to));
}
inline void Unite(ClockRanges& ranges, uint64_t client, uint64_t from, uint64_t to) {
  Unite(ranges, client, from, to, [](uint64_t, uint64_t) {});
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_CLOCK_RANGES_H_
