#include "windows/producer_table.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

namespace rivermeet::windows {
namespace {

TEST_CASE("a sequence is new once and a repeat after that, in any order within the window", "[producers]") {
  ProducerTable table;
  CHECK(table.Check(7, 5, 0) == SequenceCheck::kNew);
  CHECK(table.Check(7, 4, 0) == SequenceCheck::kNew);
  CHECK(table.Check(7, 5, 0) == SequenceCheck::kRepeat);
  CHECK(table.Check(7, 4, 0) == SequenceCheck::kRepeat);
  CHECK(table.Check(8, 5, 0) == SequenceCheck::kNew);
}

TEST_CASE("a sequence below the window is stale", "[producers]") {
  ProducerTable table;
  CHECK(table.Check(7, 2000, 0) == SequenceCheck::kNew);
  CHECK(table.Check(7, 2000 - 1023, 0) == SequenceCheck::kNew);
  CHECK(table.Check(7, 2000 - 1024, 0) == SequenceCheck::kStale);
}

TEST_CASE("a producer unseen for seven days of log time starts anew", "[producers]") {
  ProducerTable table;
  CHECK(table.Check(7, 9, 0) == SequenceCheck::kNew);
  CHECK(table.Check(7, 9, ProducerTable::kForgetAfterUs) == SequenceCheck::kRepeat);
  CHECK(table.Check(7, 9, 2 * ProducerTable::kForgetAfterUs + 1) == SequenceCheck::kNew);
}

TEST_CASE("forgetting early or late makes no difference to the list", "[producers]") {
  ProducerTable table;
  table.Check(1, 1, 0);
  table.Check(2, 1, ProducerTable::kForgetAfterUs + 1);
  const auto before = table.Sorted(ProducerTable::kForgetAfterUs + 1);
  table.Purge(ProducerTable::kForgetAfterUs + 1);
  CHECK(table.size() == 1);
  CHECK(before == table.Sorted(ProducerTable::kForgetAfterUs + 1));
}

TEST_CASE("random sequences are judged as by a set of all that came", "[producers]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  ProducerTable table;
  std::set<uint64_t> seen;
  uint64_t highest = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t jump = random() % 50 == 0 ? random() % 3'000 : random() % 8;
    const uint64_t back = random() % 4 == 0 ? random() % 1'500 : 0;
    const uint64_t at = highest + jump;
    const uint64_t sequence = at > back ? at - back : 1;
    if (sequence == 0) continue;
    const SequenceCheck expected = highest >= sequence && highest - sequence >= ProducerTable::kWindow
                                       ? SequenceCheck::kStale
                                   : seen.insert(sequence).second ? SequenceCheck::kNew
                                                                  : SequenceCheck::kRepeat;
    REQUIRE(table.Check(3, sequence, i) == expected);
    highest = std::max(highest, sequence);
  }
}

}  // namespace
}  // namespace rivermeet::windows
