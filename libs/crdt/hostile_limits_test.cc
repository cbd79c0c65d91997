// Each limit by itself, and counts that are refused although no limit is set.
#include <string>
#include <utility>
#include <vector>

#include "crdt/attribution.h"
#include "crdt/testing/attack.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {
namespace {

constexpr uint64_t kNone = ~uint64_t{0};

bool Names(const absl::Status& status, std::string_view limit) {
  return Exhausted(status) && absl::StrContains(status.message(), std::string(limit));
}

TEST_CASE("a few bytes that claim 2^40 of anything are refused where they end, also where no limit is set",
          "[crdt][hostile]") {
  const Limits wide{.max_structs = kNone, .max_repeats = kNone, .max_clients = kNone};
  const std::string two40 = Hex("808080808020");
  const std::string texts = Hex("01740100");  // of V2: "t"
  // Blocks, structs, values, JSON values, clients with deletions, deleted ranges.
  const std::vector<std::pair<std::string, UpdateFormat>> claims = {
      {two40, UpdateFormat::kV1},
      {Hex("01") + two40 + Hex("0100"), UpdateFormat::kV1},
      {Hex("0101010008010174") + two40, UpdateFormat::kV1},
      {Hex("0101010002010174") + two40, UpdateFormat::kV1},
      {Hex("00") + two40, UpdateFormat::kV1},
      {Hex("000101") + two40, UpdateFormat::kV1},
      {Columns({"", "", "", "", "", Hex("00"), "", "", ""}, two40), UpdateFormat::kV2},
      {Columns({"", Hex("01"), "", "", Hex("08"), texts, Hex("01"), "", Hex("808080808040")}, Hex("010100")),
       UpdateFormat::kV2},
      {Columns({"", Hex("01"), "", "", Hex("02"), texts, Hex("01"), "", Hex("808080808040")}, Hex("010100")),
       UpdateFormat::kV2},
      {Columns({"", "", "", "", "", Hex("00"), "", "", ""}, Hex("00") + two40), UpdateFormat::kV2},
  };
  for (size_t claim = 0; claim < claims.size(); ++claim) {
    CAPTURE(claim);
    const auto& [update, format] = claims[claim];
    Doc doc({.limits = wide});
    CHECK(Refused(doc.Apply(update, format)));
    CHECK(Refused(CheckUpdate(update, format, wide)));
    CHECK(Refused(ConvertUpdate(update, format, UpdateFormat::kV1, wide).status()));
  }
  CHECK(DiffUpdate(Hex("0000"), two40, UpdateFormat::kV1, wide).status().code() == absl::StatusCode::kInvalidArgument);
  for (const std::string& snapshot : {two40, Hex("0101") + two40, Hex("00") + two40}) {
    CHECK(Refused(Snapshot::Decode(snapshot, UpdateFormat::kV1, wide).status()));
    CHECK(Refused(Snapshot::Decode(snapshot, UpdateFormat::kV2, wide).status()));
  }
  for (const std::string& attribution : {two40, Hex("0101") + two40, Hex("00") + two40, Hex("000101") + two40}) {
    CHECK(Refused(Attribution::Decode(Hex("01") + attribution, wide).status()));
  }
}

TEST_CASE("the structs of all blocks of an update count together", "[crdt][hostile]") {
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    const std::string three = Update({Text({3, 0}, "t", "c"), Text({2, 0}, "t", "b"), Text({1, 0}, "t", "a")}, format);
    CHECK(Names(CheckUpdate(three, format, {.max_structs = 2}), "max_structs"));
    CHECK(CheckUpdate(three, format, {.max_structs = 3}).ok());
  }
}

TEST_CASE("an update that is too long is told so, whatever else is wrong with it", "[crdt][hostile]") {
  const std::string update = Columns({"", "", "", "", "", Hex("01ff0100"), "", "", ""}, Hex("0000"));
  CHECK(Refused(CheckUpdate(update, UpdateFormat::kV2)));
  CHECK(Names(CheckUpdate(update, UpdateFormat::kV2, {.max_update_bytes = 4}), "max_update_bytes"));
  // Of two faults behind each other the first is told.
  const std::string two40 = Hex("808080808020");
  CHECK(Refused(CheckUpdate(Columns({"", "", "", "", "", Hex("01ff0100"), "", "", ""}, two40), UpdateFormat::kV2)));
}

TEST_CASE("deleted ranges count as the structs that they may cut", "[crdt][hostile]") {
  Doc doc({.limits = {.max_structs = 4}});
  WireDeleteSet deletes;
  for (uint64_t i = 0; i < 4; ++i) deletes.RangesOf(7).push_back({i * 2, 1});
  const std::string four = Update({}, UpdateFormat::kV1, deletes);
  deletes.RangesOf(7).push_back({8, 1});
  CHECK(Names(Attack(doc, Update({}, UpdateFormat::kV1, deletes), UpdateFormat::kV1), "max_structs"));
  CHECK(Attack(doc, four, UpdateFormat::kV1).ok());
}

TEST_CASE("no kind of content gets a document past max_document_bytes", "[crdt][hostile]") {
  constexpr uint64_t kMany = 10'000;
  const std::string long_text(kMany * 100, 'x');
  const std::string kTrue = Any(true).Encode();
  const std::string kOptions = Any(Any::Object{{"meta", Any(std::string(100, 'x'))}}).Encode();
  std::vector<std::string> names;
  for (uint64_t i = 0; i < kMany; ++i) names.push_back(fmt::format("{}", i));
  std::vector<WireStruct> clients, structs, types, roots, keys, maps, formats, elements, subdocuments;
  for (uint64_t i = 0; i < kMany; ++i) {
    clients.push_back(Text({kMany - i, 0}, "t", "x"));
    structs.push_back(OfKind(Text({1, i}, "t", ""), i % 2 == 0 ? ContentKind::kDeleted : ContentKind::kBinary));
    types.push_back(OfKind(Text({1, i}, "t", ""), ContentKind::kType));
    roots.push_back(Text({1, i}, names[i], "x"));
    keys.push_back(Under(Text({1, i}, "m", "x"), names[i]));
    maps.push_back(types.back());
    formats.push_back(OfKind(Text({1, i}, "t", ""), ContentKind::kFormat));
    formats.back().content.name = names[i];
    formats.back().content.data = kTrue;
    elements.push_back(types.back());
    elements.back().content.type = TypeRef::kXmlElement;
    elements.back().content.name = names[i];
    subdocuments.push_back(OfKind(Text({1, i}, "t", ""), ContentKind::kDoc));
    subdocuments.back().content.name = names[i];
    subdocuments.back().content.data = kOptions;
  }
  // Each in one of `maps`, under the same key.
  for (uint64_t i = 0; i < kMany; ++i) maps.push_back(Under(Inside(Text({2, i}, "", "x"), {1, i}), "k"));
  for (const auto& [what, items] :
       {std::pair{"text", std::vector{Text({1, 0}, "t", long_text)}}, std::pair{"clients", clients},
        std::pair{"structs", structs}, std::pair{"types", types}, std::pair{"roots", roots}, std::pair{"keys", keys},
        std::pair{"maps", maps}, std::pair{"formats", formats}, std::pair{"elements", elements},
        std::pair{"subdocuments", subdocuments}}) {
    CAPTURE(what);
    const std::string update = Update(items, UpdateFormat::kV2);
    Doc doc;
    REQUIRE(doc.Apply(update, UpdateFormat::kV2).ok());
    const uint64_t used = doc.MemoryBytes();
    Doc small({.limits = {.max_document_bytes = used / 2}});
    CHECK(Names(Attack(small, update, UpdateFormat::kV2), "max_document_bytes"));
    CHECK(small.MemoryBytes() < used / 10);
    Doc large({.limits = {.max_document_bytes = 2 * used}});
    CHECK(large.Apply(update, UpdateFormat::kV2).ok());
  }
}

// `count` types of `client`, each in the one before; the first is `first`.
std::vector<WireStruct> Nested(uint64_t client, const WireStruct& first, uint64_t count) {
  std::vector<WireStruct> items = {OfKind(first, ContentKind::kType)};
  for (uint64_t clock = 1; clock < count; ++clock) {
    items.push_back(OfKind(Inside(Text({client, clock}, "", ""), {client, clock - 1}), ContentKind::kType));
  }
  return items;
}

TEST_CASE("types are as deep as what they hang on, which is there or comes with them", "[crdt][hostile]") {
  const Limits limits{.max_depth = 6};
  for (const bool in_type : {true, false}) {
    CAPTURE(in_type);
    // Into the sixth type that is there, or behind what is in that.
    Doc doc({.limits = limits});
    REQUIRE(Attack(doc, Update(Nested(2, Text({2, 0}, "t", ""), 6), UpdateFormat::kV1), UpdateFormat::kV1).ok());
    REQUIRE(Attack(doc, Update({Inside(Text({3, 0}, "", "x"), {2, 5})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    WireStruct item = OfKind(Text({4, 0}, "", ""), ContentKind::kType);
    item = in_type ? Inside(item, {2, 5}) : Behind(item, {3, 0});
    CHECK(Names(Attack(doc, Update({item}, UpdateFormat::kV1), UpdateFormat::kV1), "max_depth"));
  }
}

TEST_CASE("what is malformed is told as that, however deep it nests", "[crdt][hostile]") {
  Doc doc({.limits = {.max_depth = 6}});
  const std::string deep = Update(Nested(1, Text({1, 0}, "t", ""), 7), UpdateFormat::kV1);
  CHECK(Exhausted(Attack(doc, deep, UpdateFormat::kV1)));
  CHECK(Refused(Attack(doc, deep + '\0', UpdateFormat::kV1)));
}

TEST_CASE("a state vector of more clients than a document may have is refused", "[crdt][hostile]") {
  const Doc doc({.limits = {.max_clients = 2}});
  const std::string three = Hex("03010102010301");
  CHECK(Names(doc.EncodeStateSince(UpdateFormat::kV1, three).status(), "max_clients"));
  CHECK(Names(DiffUpdate(Hex("0000"), three, UpdateFormat::kV1, {.max_clients = 2}).status(), "max_clients"));
}

}  // namespace
}  // namespace rivermeet::crdt::internal
