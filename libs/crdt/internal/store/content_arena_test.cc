#include "crdt/internal/store/content_arena.h"

#include <random>
#include <string>
#include <vector>

#include "catch2/catch.hpp"

namespace rivermeet::crdt::internal {
namespace {

TEST_CASE("what is typed in one go lies in one place", "[crdt]") {
  ContentArena arena;
  std::string_view run = arena.Add("a");
  const char* start = run.data();
  for (const char* more : {"b", "c", "d"}) run = arena.Join(run, arena.Add(more));
  CHECK(run == "abcd");
  CHECK(run.data() == start);
  CHECK(arena.live() == 4);
}

TEST_CASE("runs that grow in turns keep their bytes, and take memory in proportion", "[crdt]") {
  ContentArena arena;
  std::mt19937 random(7);
  std::vector<std::string> expected(12);
  std::vector<std::string_view> runs(12);
  for (int i = 0; i < 60'000; ++i) {
    const size_t run = random() % runs.size();
    const char typed = static_cast<char>('a' + i % 26);
    runs[run] = arena.Join(runs[run], arena.Add(std::string_view(&typed, 1)));
    expected[run] += typed;
  }
  for (size_t run = 0; run < runs.size(); ++run) CHECK(runs[run] == expected[run]);
  CHECK(arena.live() == 60'000);
  CHECK(arena.bytes() < 6 * 60'000 + (512 << 10));
}

TEST_CASE("an arena says when most of it is garbage", "[crdt]") {
  ContentArena arena;
  for (int i = 0; i < 1'000; ++i) arena.Add(std::string(1'000, 'x'));
  CHECK_FALSE(arena.mostly_garbage());
  arena.Release(900'000);
  CHECK(arena.mostly_garbage());
}

TEST_CASE("a run that grows by pieces is copied to a new arena only once in a while", "[crdt]") {
  ContentArena arena;
  std::string_view run;
  int copies = 0;
  for (int i = 0; i < 300'000; ++i) {
    run = arena.Join(run, arena.Add("xyz"));
    if (!arena.mostly_garbage()) continue;
    ContentArena copied;
    run = copied.Add(run);
    arena = std::move(copied);
    ++copies;
  }
  CHECK(run.size() == 900'000);
  CHECK(copies < 20);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
