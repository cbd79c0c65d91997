#include "crdt/doc.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

std::string Hex(std::string_view hex) { return absl::HexStringToBytes({hex.data(), hex.size()}); }

TEST_CASE("the design's vectors come out byte for byte", "[crdt]") {
  Doc doc;
  REQUIRE(doc.Apply(Hex("01010100040101740361626300"), Format::kV1).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV1)) == "01010100040101740361626300");
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV2)) == "000001010000010407047461626301030101000001010000");
  CHECK(absl::BytesToHexString(doc.EncodeStateVector()) == "010103");
  REQUIRE(doc.Apply(Hex("01010103840102016400"), Format::kV1).ok());
  REQUIRE(doc.Apply(Hex("000101010101"), Format::kV1).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV1)) == "01030100040101740161810100018401010263640101010101");
  CHECK(absl::BytesToHexString(doc.EncodeState(Format::kV2)) ==
        "00000241010200020005040081008408047461636441000201010001010103000101010100");
  CHECK(doc.GetText("t")->PlainText() == "acd");
}

// Guids of those added, removed, loaded, as yjs 13.6.33 tells them; one line an event.
std::string Told(std::vector<SubdocumentsEvent>& events) {
  std::string told;
  for (const SubdocumentsEvent& event : std::exchange(events, {})) {
    for (const auto* documents : {&event.added, &event.removed, &event.loaded}) {
      for (const Subdocument& document : *documents) told += document.guid;
      told += documents == &event.loaded ? "\n" : "|";
    }
  }
  return told;
}

std::string Guids(const Doc& doc) {
  std::string guids;
  for (const Subdocument& document : doc.Subdocuments()) guids += document.guid;
  return guids;
}

TEST_CASE("subdocuments are told as they come, go and are loaded", "[crdt]") {
  Doc one({.client_id = 1}), two({.client_id = 2});
  std::vector<SubdocumentsEvent> events, theirs;
  one.OnSubdocuments([&](const SubdocumentsEvent& event) { events.push_back(event); });
  two.OnSubdocuments([&](const SubdocumentsEvent& event) { theirs.push_back(event); });
  Map map = *one.GetMap("m");
  REQUIRE(map.Set("a", NewSubdocument{.guid = "a"}).ok());
  CHECK(Told(events) == "a||a\n");
  one.Transact([&] {
    REQUIRE(map.Set("b", NewSubdocument{.guid = "b"}).ok());
    REQUIRE(map.Set("c", NewSubdocument{.guid = "c", .options = Any::Object{{"autoLoad", Any(true)}}}).ok());
    REQUIRE(map.Delete("b").ok());
  });
  CHECK(Told(events) == "c||bc\n");
  CHECK(Guids(one) == "ac");
  REQUIRE(two.Apply(one.EncodeState(Format::kV1), Format::kV1).ok());
  CHECK(Told(theirs) == "ac||c\n");
  CHECK(Guids(two) == "ac");
  two.LoadSubdocument("a");
  CHECK(Told(theirs) == "||a\n");
  two.LoadSubdocument("a");
  two.LoadSubdocument("never");
  CHECK(Told(theirs).empty());
}

TEST_CASE("a subdocument that goes is told twice", "[crdt]") {
  Doc doc({.client_id = 2});
  std::vector<SubdocumentsEvent> events;
  Map map = *doc.GetMap("m");
  REQUIRE(map.Set("a", NewSubdocument{.guid = "a"}).ok());
  REQUIRE(map.Set("c", NewSubdocument{.guid = "c"}).ok());
  doc.OnSubdocuments([&](const SubdocumentsEvent& event) { events.push_back(event); });
  REQUIRE(map.Set("a", NewSubdocument{.guid = "x"}).ok());
  CHECK(Told(events) == "x|a|x\n|a|\n");
  doc.Transact([&] {
    REQUIRE(map.Delete("a").ok());
    REQUIRE(map.Delete("c").ok());
  });
  CHECK(Told(events) == "|xc|\n|x|\n|c|\n");
  CHECK(Guids(doc).empty());
  REQUIRE(
      doc.GetArray("l")->Insert(0, {NewType{.kind = SharedKind::kMap, .entries = {{"k", NewSubdocument{"n"}}}}}).ok());
  CHECK(Told(events) == "n||n\n");
  REQUIRE(doc.GetArray("l")->Delete(0, 1).ok());
  CHECK(Told(events) == "|n|\n|n|\n");
}

}  // namespace
}  // namespace rivermeet::crdt
