#include "crdt/doc.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

std::string Hex(std::string_view hex) { return absl::HexStringToBytes({hex.data(), hex.size()}); }

TEST_CASE("the bytes that yjs writes of a text come out", "[crdt]") {
  Doc doc;
  REQUIRE(doc.Apply(Hex("01010100040101740361626300"), UpdateFormat::kV1).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) == "01010100040101740361626300");
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV2)) ==
        "000001010000010407047461626301030101000001010000");
  CHECK(absl::BytesToHexString(doc.EncodeStateVector()) == "010103");
  REQUIRE(doc.Apply(Hex("01010103840102016400"), UpdateFormat::kV1).ok());
  REQUIRE(doc.Apply(Hex("000101010101"), UpdateFormat::kV1).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) ==
        "01030100040101740161810100018401010263640101010101");
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV2)) ==
        "00000241010200020005040081008408047461636441000201010001010103000101010100");
  CHECK(doc.GetText("t")->PlainText() == "acd");
}

// An update of V1 that nests `depth` arrays in a root.
std::string NestedArrays(int depth) {
  std::string update = {1, static_cast<char>(depth | 0x80), static_cast<char>(depth >> 7), 1, 0};
  update += std::string("\x07\x01\x01t\x00", 5);
  for (int i = 1; i < depth; ++i) {
    update += std::string("\x07\x00\x01", 3);
    const int holder = i - 1;
    if (holder >= 128) update += static_cast<char>(holder | 0x80);
    update += static_cast<char>(holder >= 128 ? holder >> 7 : holder);
    update += '\0';
  }
  return update + '\0';
}

TEST_CASE("shared types nest up to the limit, counted over several updates", "[crdt]") {
  Doc doc({.limits = {.max_depth = 200}});
  CHECK(doc.Apply(NestedArrays(201), UpdateFormat::kV1).code() == absl::StatusCode::kResourceExhausted);
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) == "0000");
  REQUIRE(doc.Apply(NestedArrays(200), UpdateFormat::kV1).ok());
  // One more, in the innermost, and one beside it.
  const std::string state = doc.EncodeState(UpdateFormat::kV1);
  CHECK(doc.Apply(Hex("0101020007"
                      "00"
                      "01c701"
                      "0000"),
                  UpdateFormat::kV1)
            .code() == absl::StatusCode::kResourceExhausted);
  CHECK(doc.EncodeState(UpdateFormat::kV1) == state);
  CHECK(doc.Apply(Hex("0101020007"
                      "00"
                      "01c601"
                      "0000"),
                  UpdateFormat::kV1)
            .ok());
}

TEST_CASE("a client may be number 0", "[crdt]") {
  Doc doc({.client_id = 0});
  REQUIRE(doc.GetText("t")->Insert(0, "a").ok());
  CHECK(doc.client_id() == 0);
  CHECK(absl::BytesToHexString(doc.EncodeStateVector()) == "010001");
}

// Each JavaScript object seems to have a value for "toString".
TEST_CASE("attributes that bear the name of what every JavaScript object has are as in yjs", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  REQUIRE(text.Insert(0, "ab", {{"toString", Any(true)}}).ok());
  REQUIRE(text.Insert(2, "c", {{"italic", Any(true)}}).ok());
  REQUIRE(text.Format(0, 2, {{"bold", Any(true)}}).ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) ==
        "01090100010101740184010002616286010208746f537472696e67046e756c6cc601020103066974616c69630474727565c40104010301"
        "63c601050103066974616c6963046e756c6c46010004626f6c640474727565c60104010504626f6c64046e756c6cc60108010508746f53"
        "7472696e6704747275650101010001");
}

// Deleting text leaves what others put into its list, but yjs's search markers move as if that were gone.
TEST_CASE("a text that others take for a list is edited where yjs edits it", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  REQUIRE(doc.Apply(Hex("0101020008010174027d017d0200"), UpdateFormat::kV1).ok());
  REQUIRE(text.Insert(0, "abcd").ok());
  REQUIRE(text.Insert(5, "ab").ok());
  REQUIRE(text.Delete(3, 3).ok());
  REQUIRE(text.Insert(3, "abc").ok());
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) ==
        "0202020008010174017d01880200017d02050100440200026162c4010102000163c10102020001c10200020102c4010101020361626301"
        "01010303");
}

// An array counts formats as places when it deletes, and as none when it looks for a place.
TEST_CASE("an array that others take for a text with formats is edited where yjs edits it", "[crdt]") {
  Doc doc({.client_id = 1});
  REQUIRE(doc.Apply(Hex("0105020004010161026162840201026364840203026566c60201020204626f6c640474727565c60203020404626f6c"
                        "64046e756c6c00"),
                    UpdateFormat::kV1)
              .ok());
  List list = *doc.GetArray("a");
  REQUIRE(list.Insert(2, {Any(1)}).ok());
  REQUIRE(list.Insert(6, {Any(2)}).ok());
  REQUIRE(list.Delete(1, 3).ok());
  CHECK(*list.ToJson() == R"(["a","c","d","e",2,"f"])");
  REQUIRE(list.Insert(5, {Any(3)}).ok());
  REQUIRE(list.Insert(4, {Any(4), Any(5)}).ok());
  CHECK(*list.ToJson() == R"(["a","c","d","e",2,4,5,"f",3])");
  CHECK(absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)) ==
        "020702000401016101618102000184020102636484020301658402040166c10201020201c60203020404626f6c64046e756c6c040100c1"
        "0201020601c802040205017d02880205017d03c801010205027d047d050202020101060101010001");
}

TEST_CASE("structs of one update that wait for each other come in, in both formats", "[crdt]") {
  Doc docs[] = {Doc({.client_id = 1}), Doc({.client_id = 2}), Doc({.client_id = 3})};
  for (int i = 0; i < 24; ++i) {
    Doc& writer = docs[i % 3];
    Text text = *writer.GetText("t");
    REQUIRE(text.Insert(text.length(), "a text of one writer", {{"an attribute of him", Any(i)}}).ok());
    REQUIRE(writer.GetMap("m")->Set("a key that all write", Any("a value of one writer")).ok());
    for (Doc& other : docs) REQUIRE(other.Apply(writer.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  }
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    Doc copy;
    REQUIRE(copy.Apply(docs[0].EncodeState(format), format).ok());
    CHECK(copy.EncodeState(format) == docs[0].EncodeState(format));
  }
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
  const Subscription of_one = one.OnSubdocuments([&](const SubdocumentsEvent& event) { events.push_back(event); });
  const Subscription of_two = two.OnSubdocuments([&](const SubdocumentsEvent& event) { theirs.push_back(event); });
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
  REQUIRE(two.Apply(one.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
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
  const Subscription listening = doc.OnSubdocuments([&](const SubdocumentsEvent& event) { events.push_back(event); });
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

TEST_CASE("who listens may add listeners while he is told", "[crdt]") {
  Doc doc({.client_id = 1});
  std::string log;
  std::vector<Subscription> subscriptions;
  const auto add = [&](const std::string& name) {
    subscriptions.push_back(
        doc.OnUpdate(UpdateFormat::kV1, [&log, name](std::string_view, std::string_view) { log += name; }));
    subscriptions.push_back(doc.OnSubdocuments([&log, name](const SubdocumentsEvent&) { log += name; }));
  };
  const Subscription listening =
      doc.OnUpdate(UpdateFormat::kV1, [&, first = true](std::string_view, std::string_view) mutable {
        if (!std::exchange(first, false)) return;
        for (const char* name : {"a", "b", "c"}) add(name);
      });
  REQUIRE(doc.GetMap("m")->Set("k", NewSubdocument{.guid = "g"}).ok());
  CHECK(log == "abcabc");
}

TEST_CASE("who ends listening, himself or another, isn't told any more, and takes nobody's turn", "[crdt]") {
  Doc doc({.client_id = 1});
  Map map = *doc.GetMap("m");
  std::string log;
  std::map<std::string, Subscription> of;
  const auto add = [&](const std::string& name, const std::string& ends) {
    const auto tell = [&log, &of, name, ends] {
      log += name;
      if (!ends.empty()) of.erase(ends);
    };
    of[name + "u"] = doc.OnUpdate(UpdateFormat::kV1, [tell](std::string_view, std::string_view) { tell(); });
    of[name + "s"] = doc.OnSubdocuments([tell](const SubdocumentsEvent&) { tell(); });
  };
  add("a", "au");
  add("b", "");
  add("c", "ds");
  add("d", "");
  REQUIRE(map.Set("k", NewSubdocument{.guid = "g"}).ok());
  CHECK(log == "abcdabc");
  log.clear();
  of.erase("cs");
  REQUIRE(map.Set("l", NewSubdocument{.guid = "h"}).ok());
  CHECK(log == "bcdab");
  log.clear();
  of.clear();
  REQUIRE(map.Set("n", NewSubdocument{.guid = "i"}).ok());
  CHECK(log.empty());
}

TEST_CASE("a listener's subscription may outlive the document", "[crdt]") {
  Subscription outliving;
  {
    Doc doc;
    outliving = doc.OnUpdate(UpdateFormat::kV1, [](std::string_view, std::string_view) {});
  }
  CHECK(outliving.active());
  outliving.Cancel();
  CHECK_FALSE(outliving.active());
}

TEST_CASE("listeners get updates of V1 first, each format in the order in which they came", "[crdt]") {
  Doc doc;
  std::string told;
  std::vector<Subscription> subscriptions;
  subscriptions.push_back(doc.OnUpdate(UpdateFormat::kV2, [&](std::string_view, std::string_view) { told += "c"; }));
  subscriptions.push_back(doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) { told += "a"; }));
  subscriptions.push_back(doc.OnUpdate(UpdateFormat::kV2, [&](std::string_view, std::string_view) { told += "d"; }));
  subscriptions.push_back(doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) { told += "b"; }));
  REQUIRE(doc.GetText("t")->Insert(0, "x").ok());
  CHECK(told == "abcd");
}

}  // namespace
}  // namespace rivermeet::crdt
