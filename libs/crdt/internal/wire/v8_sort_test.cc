#include "crdt/internal/wire/v8_sort.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <functional>
#include <vector>

namespace rivermeet::crdt::internal {
namespace {

// testdata/sort_vectors.mjs has the same.
uint32_t Mix(uint32_t x, uint32_t y) {
  uint32_t h = (x ^ 0x9e3779b9) * 0x85ebca6b ^ (y + 0x7f4a7c15) * 0xc2b2ae35;
  h = (h ^ (h >> 15)) * 0x2c1b3c6d;
  h = (h ^ (h >> 12)) * 0x297a2d39;
  return h ^ (h >> 15);
}

struct Item {
  uint32_t index;
  uint32_t key;
  uint32_t kind;
};

struct Vector {
  std::vector<Item> items;
  std::function<bool(const Item&, const Item&)> before;
};

Vector VectorOf(uint32_t seed) {
  uint32_t drawn = 0;
  const auto below = [&](uint32_t n) { return Mix(seed, drawn++) % n; };
  constexpr uint32_t kSizes[] = {8, 40, 70, 300, 1500};
  constexpr uint32_t kKeys[] = {3, 20, 2000};
  const uint32_t size = 2 + below(kSizes[below(5)]);
  const uint32_t keys = 1 + below(kKeys[below(3)]);
  const uint32_t shape = below(4);
  const uint32_t run = 1 + below(120);
  Vector vector;
  for (uint32_t i = 0; i < size; ++i) {
    uint32_t key = below(keys);
    if (shape == 1) key = i % run * keys / run;
    if (shape == 2) key = (run - 1 - i % run) * keys / run;
    if (shape == 3 && below(20) > 0) key = i * keys / size;
    vector.items.push_back({i, key, below(2)});
  }
  const uint32_t kind = below(3);
  vector.before = [seed, kind](const Item& a, const Item& b) {
    if (kind == 2) return Mix(Mix(seed, a.index), b.index) % 3 == 0;
    if (a.key != b.key) return a.key < b.key;
    if (kind == 1) return Mix(a.index, b.index) % 3 == 0;
    return a.kind != b.kind;
  };
  return vector;
}

TEST_CASE("a sort compares and orders as V8 does even where the comparator contradicts itself", "[crdt]") {
  std::ifstream file("libs/crdt/testdata/sort_vectors.txt");
  REQUIRE(file.good());
  uint32_t seed;
  uint64_t calls;
  uint32_t hash;
  int vectors = 0;
  for (; file >> seed >> calls >> hash; ++vectors) {
    CAPTURE(seed);
    Vector vector = VectorOf(seed);
    uint64_t called = 0;
    SortAsV8(absl::MakeSpan(vector.items), [&](const Item& a, const Item& b) {
      ++called;
      return vector.before(a, b);
    });
    uint32_t order = 0;
    for (const Item& item : vector.items) order = Mix(order, item.index);
    CHECK(called == calls);
    CHECK(order == hash);
  }
  CHECK(vectors == 2500);
}

TEST_CASE("a sort by a sound comparator is a stable sort", "[crdt]") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::vector<Item> items = VectorOf(seed).items;
    std::vector<Item> expected = items;
    const auto by_key = [](const Item& a, const Item& b) { return a.key < b.key; };
    SortAsV8(absl::MakeSpan(items), by_key);
    std::stable_sort(expected.begin(), expected.end(), by_key);
    CHECK(std::equal(items.begin(), items.end(), expected.begin(), expected.end(),
                     [](const Item& a, const Item& b) { return a.index == b.index; }));
  }
}

TEST_CASE("an empty sort and a sort of one compare nothing", "[crdt]") {
  std::vector<int> items;
  const auto never = [](int, int) -> bool { throw std::logic_error("compared"); };
  SortAsV8(absl::MakeSpan(items), never);
  items.push_back(7);
  SortAsV8(absl::MakeSpan(items), never);
  CHECK(items == std::vector<int>{7});
}

}  // namespace
}  // namespace rivermeet::crdt::internal
