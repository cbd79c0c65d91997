#include "crdt/internal/wire/merge_order.h"

#include <catch2/catch.hpp>
#include <random>

#include "absl/types/span.h"
#include "crdt/internal/wire/v8_sort.h"
#include "crdt/update.h"

namespace rivermeet::crdt::internal {
namespace {

// yjs's comparator.
bool Before(const MergeHead& a, const MergeHead& b) {
  if (a.client != b.client) return a.client > b.client;
  if (a.clock != b.clock) return a.clock < b.clock;
  return a.gc != b.gc;
}

struct Shape {
  size_t sources;
  uint64_t clients;
  uint64_t clocks;  // of each client
  int gc_in_1000;
};

// Compares with the array that yjs has, sorted anew at every step.
void CheckAgainstSorts(uint32_t seed, const Shape& shape) {
  std::mt19937 random(seed);
  const auto below = [&](uint64_t n) { return random() % n; };
  const auto is_gc = [&] { return below(1000) < static_cast<uint64_t>(shape.gc_in_1000); };
  std::vector<MergeHead> array;
  for (size_t i = 0; i < shape.sources; ++i) {
    array.push_back({below(shape.clients), below(shape.clocks), static_cast<uint32_t>(i), is_gc()});
  }
  MergeOrder order(array);
  for (size_t step = 0; !array.empty(); ++step) {
    SortAsV8(absl::MakeSpan(array), Before);
    if (order.empty() || order.front().source != array[0].source) {
      CAPTURE(seed, step);
      FAIL("another update is in front");
    }
    MergeHead& front = array[0];
    // On by a little, to the next client, or to the end.
    front.clock += 1 + below(3);
    front.gc = is_gc();
    if (front.clock >= shape.clocks && front.client > 0) {
      front.clock = below(3);
      front.client -= 1 + below(front.client);
    }
    if (front.clock >= shape.clocks || below(2 * shape.clocks) == 0) {
      array.erase(array.begin());
      order.RemoveFront();
    } else {
      order.ReplaceFront(front);
    }
  }
  CHECK(order.empty());
}

TEST_CASE("the next update of a merge is the first of an array sorted at every step", "[crdt]") {
  std::mt19937 random(1);
  for (uint32_t seed = 0; seed < 400; ++seed) {
    Shape shape;
    shape.sources = 1 + random() % (seed % 8 == 0 ? 400 : 40);
    shape.clients = 1 + random() % 3;
    shape.clocks = 2 + random() % 60;
    const int gcs[] = {0, 3, 30, 300};
    shape.gc_in_1000 = gcs[random() % 4];
    CheckAgainstSorts(seed, shape);
  }
}

TEST_CASE("more updates than the exact order has room for come in a stable order", "[crdt]") {
  std::vector<MergeHead> heads;
  for (uint32_t i = 0; i <= kMaxMergedExactly; ++i) heads.push_back({1, 0, i, i % 2 == 1});
  MergeOrder order(heads);
  for (uint32_t i = 0; i <= kMaxMergedExactly; ++i) {
    REQUIRE(order.front().source == i);
    order.RemoveFront();
  }
  CHECK(order.empty());
}

TEST_CASE("a merge of no updates has no next one", "[crdt]") { CHECK(MergeOrder({}).empty()); }

}  // namespace
}  // namespace rivermeet::crdt::internal
