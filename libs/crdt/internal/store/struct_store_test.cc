#include "crdt/internal/store/struct_store.h"

#include <map>
#include <random>

#include "catch2/catch.hpp"

namespace rivermeet::crdt::internal {
namespace {

// What a StructList should be: clock -> item.
using Expected = std::map<uint32_t, ItemRef>;

// Upwards, downwards, and with jumps of all sizes.
void CheckFoundNear(const StructList& list, const Expected& expected, uint32_t end) {
  const auto check = [&](uint32_t clock) {
    REQUIRE(list[list.FindNear(clock)].clock == std::prev(expected.upper_bound(clock))->first);
  };
  for (uint32_t clock = 0; clock < end; clock += 11) check(clock);
  for (uint32_t clock = end; clock > 13; clock -= 13) check(clock - 1);
  for (uint32_t jump = 1; jump < end; jump *= 2) {
    for (uint32_t clock = 0, i = 0; i < 100; ++i, clock = (clock + (i % 3 == 0 ? end - jump / 2 : jump)) % end)
      check(clock);
  }
}

void CheckSame(const StructList& list, const Expected& expected, uint32_t end) {
  REQUIRE(list.size() == expected.size());
  StructList::Position at = list.first();
  for (const auto& [clock, item] : expected) {
    REQUIRE(list.Valid(at));
    REQUIRE(list[at].clock == clock);
    REQUIRE(list.ItemAt(at) == item);
    if (!list.IsFirst(at)) REQUIRE(list.Next(list.Previous(at)) == at);
    at = list.Next(at);
  }
  REQUIRE_FALSE(list.Valid(at));
  for (uint32_t clock = 0; clock < end; clock += 7) {
    const auto holder = std::prev(expected.upper_bound(clock));
    REQUIRE(list[list.Find(clock)].clock == holder->first);
  }
  CheckFoundNear(list, expected, end);
  REQUIRE(list.CountFrom(list.first()) == expected.size());
  REQUIRE(list.CountFrom(list.last()) == 1);
}

TEST_CASE("structs are found by clock after any appending, splitting and merging", "[crdt]") {
  const uint32_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  StructList list;
  Expected expected;
  uint32_t end = 0;
  ItemRef next = 1;
  const auto append = [&] {
    list.Append({end, next});
    expected[end] = next++;
    end += 1 + random() % 9;
  };
  append();
  for (int step = 0; step < 20'000; ++step) {
    const uint32_t clock = random() % end;
    const StructList::Position at = list.Find(clock);
    switch (random() % 4) {
      case 0:
        append();
        break;
      case 1:  // split
        if (list[at].clock < clock) {
          REQUIRE(list[list.InsertAfter(at, {clock, next})].clock == clock);
          expected[clock] = next++;
        }
        break;
      default: {  // merge a run into what stands before it
        if (list.IsFirst(at)) break;
        const uint32_t before = list[list.Previous(at)].clock;
        uint32_t count = 1 + random() % (step % 500 == 0 ? 400 : 3);
        count = std::min(count, list.CountFrom(at));
        for (auto [erased, left] = std::pair{expected.find(list[at].clock), count}; left > 0; --left) {
          erased = expected.erase(erased);
        }
        REQUIRE(list[list.Erase(at, count)].clock == before);
      }
    }
    if (step % 1'000 == 0) CheckSame(list, expected, end);
  }
  CheckSame(list, expected, end);
}

TEST_CASE("clients are numbered in the order of their first struct and listed from the highest id down", "[crdt]") {
  StructStore store;
  CHECK(store.Find(7) == kNoClient);
  CHECK(store.FindOrAdd(7) == 0);
  CHECK(store.FindOrAdd(uint64_t{1} << 52) == 1);
  CHECK(store.FindOrAdd(3) == 2);
  CHECK(store.FindOrAdd(7) == 0);
  CHECK(store.StateOf(99) == 0);
  CHECK(store.Descending() == std::vector<ClientIndex>{1, 0, 2});
  store.FindOrAdd(5);
  store.FindOrAdd(8);
  CHECK(store.Descending() == std::vector<ClientIndex>{1, 4, 0, 3, 2});
}

}  // namespace
}  // namespace rivermeet::crdt::internal
