// Text that comes in pieces which become one struct: until the transaction ends they count as pieces.
#include <string>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

// "z", and before it by client 1 "ab", "cd" and "ef", each typed on.
const WireStruct kEnd = Text({2, 0}, "t", "z");
const std::vector<WireStruct> kTyped = {Before(Text({1, 0}, "", "ab"), {2, 0}),
                                        Before(Behind(Text({1, 2}, "", "cd"), {1, 1}), {2, 0}),
                                        Before(Behind(Text({1, 4}, "", "ef"), {1, 3}), {2, 0})};

// What is there once `item` came, too, in the same update or in a next one.
std::string TextWith(const WireStruct& item, bool at_once, UpdateFormat format) {
  Doc doc;
  std::vector<WireStruct> items = {kEnd};
  items.insert(items.end(), kTyped.begin(), kTyped.end());
  if (!at_once) {
    REQUIRE(Attack(doc, Update(items, format), format).ok());
    items.clear();
  }
  items.push_back(item);
  REQUIRE(Attack(doc, Update(items, format), format).ok());
  return DocInside::Text(doc, "t");
}

TEST_CASE("what goes between two units of pieces that came with it goes behind them, and between once they are one",
          "[crdt]") {
  struct Case {
    uint64_t origin, right;
    std::string at_once, later;
  };
  // As yjs does.
  for (const Case& of :
       {Case{5, 4, "abcdef-z", "abcd-efz"}, Case{5, 5, "abcde-fz", "abcde-fz"}, Case{3, 2, "abcd-efz", "ab-cdefz"},
        Case{5, 2, "abcdef-z", "ab-cdefz"}, Case{5, 3, "abcdef-z", "abc-defz"}, Case{5, 0, "abcdef-z", "abcdef-z"},
        Case{4, 2, "abcde-fz", "ab-cdefz"}, Case{4, 1, "abcde-fz", "a-bcdefz"}}) {
    for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
      INFO("origin " << of.origin << ", right " << of.right);
      const WireStruct item = Before(Behind(Text({1, 6}, "", "-"), {1, of.origin}), {1, of.right});
      CHECK(TextWith(item, true, format) == of.at_once);
      CHECK(TextWith(item, false, format) == of.later);
    }
  }
}

}  // namespace
}  // namespace rivermeet::crdt::internal
