// Updates whose structs a document has in part already, or that stand where something was collected.
#include <string>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

// "ab" of client 1 in the root "a", "cd" of client 2 in the root "b".
Doc TwoTexts() {
  Doc doc;
  REQUIRE(doc.Apply(Update({Text({1, 0}, "a", "ab")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(doc.Apply(Update({Text({2, 0}, "b", "cd")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  return doc;
}

TEST_CASE("what is known in part waits for a neighbour or parent that isn't there", "[crdt][hostile]") {
  const WireStruct more = Text({1, 0}, "", "abc");
  for (const WireStruct& item : {Behind(more, {9, 0}), Before(more, {9, 0}), Inside(more, {9, 0})}) {
    for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
      Doc doc = TwoTexts();
      REQUIRE(Attack(doc, Update({item}, format), format).ok());
      CHECK(doc.HasPending());
      CHECK(DocInside::Text(doc, "a") == "ab");
    }
  }
}

TEST_CASE("what is known in part can't come to another key, nor to a root that isn't there", "[crdt][hostile]") {
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    Doc doc = TwoTexts();
    CHECK(Refused(Attack(doc, Update({Text({1, 0}, "new", "abc")}, format), format)));
    CHECK_FALSE(doc.FindRoot("new").has_value());
    REQUIRE(
        Attack(doc, Update({Under(Text({3, 0}, "m", "ab"), "k"), Under(Text({3, 2}, "m", "x"), "l")}, format), format)
            .ok());
    CHECK(Refused(Attack(doc, Update({Under(Text({3, 2}, "m", "xy"), "k")}, format), format)));
    CHECK(Refused(Attack(doc, Update({Behind(Text({3, 2}, "", "xy"), {3, 0})}, format), format)));
    CHECK(Attack(doc, Update({Under(Text({3, 2}, "m", "xy"), "l")}, format), format).ok());
  }
}

TEST_CASE("what goes on from something collected is collected, wherever it says that it goes", "[crdt][hostile]") {
  const WireStruct more = Text({1, 1}, "", "bc");
  for (const WireStruct& item : {Behind(more, {1, 0}), Inside(more, {2, 0}), Inside(more, {3, 0}),
                                 Text({1, 1}, "t", "bc"), Behind(more, {3, 0}), Before(more, {3, 0})}) {
    Doc doc;
    // A type of client 2 with a text of client 1, deleted with it; a text of client 3 elsewhere.
    WireDeleteSet deletes;
    deletes.RangesOf(2).push_back({0, 1});
    REQUIRE(doc.Apply(Update({Text({3, 0}, "t", "x"), OfKind(Text({2, 0}, "m", ""), ContentKind::kType),
                              Inside(Text({1, 0}, "", "ab"), {2, 0})},
                             UpdateFormat::kV1, deletes),
                      UpdateFormat::kV1)
                .ok());
    REQUIRE(Attack(doc, Update({item}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    CHECK_FALSE(doc.HasPending());
    CHECK(DocInside::Text(doc, "t") == "x");
    CHECK(absl::StrContains(Hexed(doc.EncodeState(UpdateFormat::kV1)), "0101000003"));  // client 1: three collected
  }
}

TEST_CASE("what goes on behind something collected, or inside of what is no type, is collected", "[crdt][hostile]") {
  const WireStruct more = Text({1, 1}, "", "bc");
  for (const WireStruct& item :
       {Behind(more, {4, 0}), Before(more, {4, 0}), Inside(more, {2, 0}), Inside(more, {3, 0})}) {
    Doc doc;
    WireDeleteSet deletes;
    deletes.RangesOf(2).push_back({0, 1});
    REQUIRE(doc.Apply(Update({Inside(Text({4, 0}, "", "gone"), {2, 0}), Text({3, 0}, "t", "x"),
                              OfKind(Text({2, 0}, "m", ""), ContentKind::kType), Text({1, 0}, "t", "ab")},
                             UpdateFormat::kV1, deletes),
                      UpdateFormat::kV1)
                .ok());
    REQUIRE(Attack(doc, Update({item}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    CHECK_FALSE(doc.HasPending());
    CHECK(DocInside::Text(doc, "t") == "abx");
    CHECK(absl::StrContains(doc.EncodeStateVector(), Hex("0103")));  // client 1 is known up to 3
  }
}

TEST_CASE("a struct may stand between a unit and itself", "[crdt][hostile]") {
  // As yjs 13.6.33 writes it.
  Doc doc;
  REQUIRE(Attack(doc, Hex("01010200040101740361626300"), UpdateFormat::kV1).ok());
  REQUIRE(
      Attack(doc, Update({Before(Behind(Text({1, 0}, "", "x"), {2, 1}), {2, 1})}, UpdateFormat::kV1), UpdateFormat::kV1)
          .ok());
  CHECK(Hexed(doc.EncodeState(UpdateFormat::kV1)) == "02020200040101740161840200026263010100c402010201017800");
}

TEST_CASE("deleted ranges that wait are put in order first", "[crdt][hostile]") {
  Doc doc;
  REQUIRE(Attack(doc,
                 Hex("000107033201050104"
                     "03"),
                 UpdateFormat::kV1)
              .ok());
  CHECK(Hexed(doc.EncodeState(UpdateFormat::kV1)) == "0001070204033201");
}

}  // namespace
}  // namespace rivermeet::crdt::internal
