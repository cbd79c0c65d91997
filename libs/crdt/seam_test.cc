// Text that comes in pieces which become one struct: until the transaction ends they count as pieces.
#include <string>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

// "z", and before it by client 5 "ab", "cd" and "ef", each typed on.
const WireStruct kEnd = Text({2, 0}, "t", "z");
const std::vector<WireStruct> kTyped = {Before(Text({5, 0}, "", "ab"), {2, 0}),
                                        Before(Behind(Text({5, 2}, "", "cd"), {5, 1}), {2, 0}),
                                        Before(Behind(Text({5, 4}, "", "ef"), {5, 3}), {2, 0})};

// What is there once `last` came, too, in the same update or in a next one.
std::string TextWith(const std::vector<WireStruct>& last, bool at_once, UpdateFormat format) {
  Doc doc;
  std::vector<WireStruct> items = {kEnd};
  items.insert(items.end(), kTyped.begin(), kTyped.end());
  if (!at_once) {
    REQUIRE(Attack(doc, Update(items, format), format).ok());
    items.clear();
  }
  items.insert(items.end(), last.begin(), last.end());
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
      const WireStruct item = Before(Behind(Text({5, 6}, "", "-"), {5, of.origin}), {5, of.right});
      CHECK(TextWith({item}, true, format) == of.at_once);
      CHECK(TextWith({item}, false, format) == of.later);
    }
  }
}

TEST_CASE("a text that was one before is one, though its client goes on from it in the same update", "[crdt]") {
  const WireStruct more = Before(Behind(Text({5, 6}, "", "g"), {5, 5}), {2, 0});
  const auto text_with = [&more](uint64_t origin, uint64_t right) {
    const WireStruct item = Before(Behind(Text({3, 0}, "", "-"), {5, origin}), {5, right});
    return TextWith({more, item}, /*at_once=*/false, UpdateFormat::kV1);
  };
  CHECK(text_with(3, 2) == "ab-cdefgz");
  CHECK(text_with(6, 6) == "abcdefg-z");
  CHECK(text_with(6, 2) == "abcdefg-z");
}

}  // namespace
}  // namespace rivermeet::crdt::internal
