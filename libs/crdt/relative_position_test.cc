#include "crdt/relative_position.h"

#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "catch2/catch.hpp"
#include "crdt/doc.h"

namespace rivermeet::crdt {
namespace {

std::string Unhex(std::string_view hex) { return absl::HexStringToBytes({hex.data(), hex.size()}); }
std::string HexAt(const SharedType& type, uint64_t index, int64_t assoc = 0) {
  return absl::BytesToHexString(RelativePosition::At(type, index, assoc)->Encode());
}
std::string JsonAt(const SharedType& type, uint64_t index, int64_t assoc = 0) {
  return RelativePosition::At(type, index, assoc)->ToJson();
}

// Every index of `text`, with each association, is found again.
void CheckAll(Doc& doc, const Text& text) {
  for (uint64_t index = 0; index < std::max<uint64_t>(text.length(), 1); ++index) {
    for (int64_t assoc = -1; assoc < 2; ++assoc) {
      const RelativePosition position = *RelativePosition::At(text, index, assoc);
      for (const RelativePosition& again :
           {*RelativePosition::Decode(position.Encode()), *RelativePosition::FromJson(position.ToJson())}) {
        const auto place = again.Resolve(doc);
        REQUIRE(place.has_value());
        CHECK(place->index == index);
        CHECK(place->assoc == assoc);
      }
    }
  }
}

// --- yjs's tests of relative positions

TEST_CASE("every place of a text that was written in pieces is found again", "[crdt]") {
  const std::vector<std::vector<const char*>> texts = {
      {"1", "abc", "z", "y", "x"}, {"abc"}, {"abc", "1", "xyz"}, {"1"}, {"2", "1"}, {}};
  for (const auto& pieces : texts) {
    Doc doc({.client_id = 1});
    Text text = *doc.GetText("");
    for (const char* piece : pieces) REQUIRE(text.Insert(0, piece).ok());
    CheckAll(doc, text);
  }
}

TEST_CASE("a place is the same whether undone deletions are followed or not, when there are none", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("text");
  REQUIRE(text.Insert(0, "abcde").ok());
  const RelativePosition position = *RelativePosition::At(text, 2);
  CHECK(position.Resolve(doc, true)->index == 2);
  CHECK(position.Resolve(doc, false)->index == 2);
}

TEST_CASE("a place stays with what is behind it, or before it", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("");
  REQUIRE(text.Insert(0, "2").ok());
  REQUIRE(text.Insert(0, "1").ok());
  const RelativePosition right = *RelativePosition::At(text, 1, 0);
  const RelativePosition left = *RelativePosition::At(text, 1, -1);
  REQUIRE(text.Insert(1, "x").ok());
  CHECK(right.Resolve(doc)->index == 2);
  CHECK(left.Resolve(doc)->index == 1);
}

// --- bytes and JSON of yjs 13.6.33

TEST_CASE("places in a root have yjs's bytes and JSON", "[crdt]") {
  Doc doc({.client_id = 300});
  Text text = *doc.GetText("текст");
  REQUIRE(text.Insert(0, "ab").ok());
  CHECK(HexAt(text, 0) == "00ac020000");
  CHECK(HexAt(text, 1) == "00ac020100");
  CHECK(HexAt(text, 2) == "010ad182d0b5d0bad181d18200");
  CHECK(HexAt(text, 0, -1) == "010ad182d0b5d0bad181d18241");
  CHECK(HexAt(text, 1, -1) == "00ac020041");
  CHECK(HexAt(text, 2, -1) == "00ac020141");
  CHECK(HexAt(text, 9, -1) == "00ac020141");
  CHECK(HexAt(text, 9, 64) == "010ad182d0b5d0bad181d1828001");
  CHECK(HexAt(text, ~uint64_t{0}) == "010ad182d0b5d0bad181d18200");
  CHECK(JsonAt(text, 1) == R"({"tname":"текст","item":{"client":300,"clock":1},"assoc":0})");
  CHECK(JsonAt(text, 0, -1) == R"({"tname":"текст","assoc":-1})");
}

TEST_CASE("places in a type inside another have yjs's bytes and JSON, and end with it", "[crdt]") {
  Doc doc({.client_id = 300});
  REQUIRE(doc.GetText("текст")->Insert(0, "ab").ok());
  Map map = *doc.GetMap("m");
  REQUIRE(map.Set("n", NewType{.kind = SharedKind::kText}).ok());
  Text text = *std::get<SharedType>(*map.Entry("n")).AsText();
  CHECK(HexAt(text, 0) == "02ac020200");
  REQUIRE(text.Insert(0, "xyz").ok());
  CHECK(HexAt(text, 1) == "00ac020400");
  CHECK(HexAt(text, 3) == "02ac020200");
  CHECK(HexAt(text, 3, -1) == "00ac020541");
  CHECK(HexAt(text, 0, -2) == "02ac020242");
  CHECK(JsonAt(text, 1) == R"({"type":{"client":300,"clock":2},"item":{"client":300,"clock":4},"assoc":0})");
  const RelativePosition inside = *RelativePosition::At(text, 1);
  const RelativePosition end = *RelativePosition::At(text, 3);
  CHECK(end.Resolve(doc)->index == 3);
  REQUIRE(map.Delete("n").ok());
  CHECK_FALSE(inside.Resolve(doc).has_value());
  CHECK_FALSE(end.Resolve(doc).has_value());
  CHECK(RelativePosition::At(text, 0).status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("in a type that is deleted and not collected all places are 0", "[crdt]") {
  Doc doc({.client_id = 1, .gc = false});
  Map map = *doc.GetMap("m");
  REQUIRE(map.Set("n", NewType{.kind = SharedKind::kText, .text = "xyz"}).ok());
  const Text text = *std::get<SharedType>(*map.Entry("n")).AsText();
  const RelativePosition inside = *RelativePosition::At(text, 2);
  const RelativePosition end = *RelativePosition::At(text, 3);
  REQUIRE(map.Delete("n").ok());
  CHECK(inside.Resolve(doc)->index == 0);
  CHECK(end.Resolve(doc)->index == 0);
  CHECK_FALSE(end.Resolve(doc)->type.alive());
}

TEST_CASE("a place whose unit is deleted is where that stood", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  REQUIRE(text.Insert(0, "hello world").ok());
  const RelativePosition position = *RelativePosition::At(text, 7);
  const RelativePosition before = *RelativePosition::At(text, 7, -1);
  REQUIRE(text.Delete(5, 4).ok());
  CHECK(position.Resolve(doc)->index == 5);
  CHECK(before.Resolve(doc)->index == 5);
}

TEST_CASE("a place that the document doesn't have is none, and makes no root", "[crdt]") {
  Doc doc({.client_id = 1});
  REQUIRE(doc.GetText("t")->Insert(0, "ab").ok());
  const auto resolves = [&](std::string_view hex) { return RelativePosition::Decode(Unhex(hex))->Resolve(doc); };
  CHECK(resolves("00010100").has_value());
  CHECK_FALSE(resolves("00010200").has_value());
  CHECK_FALSE(resolves("00020000").has_value());
  CHECK_FALSE(resolves("00ffffffffffffff0fffffffffffffff0f00").has_value());
  CHECK_FALSE(resolves("02010000").has_value());  // a text, no type
  CHECK_FALSE(resolves("010178"
                       "00")
                  .has_value());
  CHECK_FALSE(doc.FindRoot("x").has_value());
}

TEST_CASE("a root without a name is a place in JSON, too", "[crdt]") {
  Doc doc({.client_id = 1});
  const RelativePosition end = *RelativePosition::At(*doc.GetText(""), 0);
  CHECK(end.ToJson() == R"({"tname":"","assoc":0})");
  CHECK(RelativePosition::FromJson(end.ToJson())->Resolve(doc)->index == 0);
}

TEST_CASE("in a long text that many write places are those that walking it gives", "[crdt]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  Text text = *doc.GetText("t");
  Text theirs = *other.GetText("t");
  std::mt19937 random(3);
  std::vector<std::pair<RelativePosition, char16_t>> marks;
  for (int round = 0; round < 400; ++round) {
    Text& edited = round % 2 == 0 ? text : theirs;
    REQUIRE(edited.Insert(random() % (edited.length() + 1), std::string(1, static_cast<char>('a' + round % 26))).ok());
    if (edited.length() > 20 && random() % 3 == 0) REQUIRE(edited.Delete(random() % edited.length(), 1).ok());
    REQUIRE(doc.Apply(other.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
    REQUIRE(other.Apply(doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
    const uint64_t at = random() % text.length();
    marks.emplace_back(*RelativePosition::At(text, at), *text.UnitAt(at));
    for (uint64_t index = 0; index < text.length(); index += 7) {
      const RelativePosition position = *RelativePosition::At(text, index);
      CHECK(position.Resolve(doc)->index == index);
      CHECK(position.Resolve(other)->index == index);
    }
  }
  int seen = 0;
  for (const auto& [position, unit] : marks) {
    const auto place = position.Resolve(doc);
    REQUIRE(place.has_value());
    // Unless it was deleted, the same unit is behind the place again.
    const RelativePosition now = *RelativePosition::At(text, place->index);
    if (now.item == position.item) {
      CHECK(text.UnitAt(place->index) == unit);
      ++seen;
    }
  }
  CHECK(seen > 50);
}

// --- refused

TEST_CASE("bytes that are no place are refused with where they fail", "[crdt]") {
  for (const std::string_view hex : {"00ac020100", "010ad182d0b5d0bad181d18241", "02ac020242"}) {
    const std::string bytes = Unhex(hex);
    for (size_t size = 0; size + 1 < bytes.size(); ++size) {
      const absl::Status refused = RelativePosition::Decode(std::string_view(bytes).substr(0, size)).status();
      CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
      CHECK(absl::StrContains(refused.message(), "at byte "));
    }
    // Old versions of yjs write no association.
    CHECK(RelativePosition::Decode(std::string_view(bytes).substr(0, bytes.size() - 1))->assoc == 0);
    CHECK(RelativePosition::Decode(bytes)->Encode() == bytes);
    CHECK_FALSE(RelativePosition::Decode(bytes + '\0').ok());
  }
  CHECK_FALSE(RelativePosition::Decode(Unhex("03")).ok());
  CHECK_FALSE(RelativePosition::Decode(Unhex("03010000")).ok());
  CHECK_FALSE(RelativePosition::Decode(Unhex("0101ff00")).ok());
  CHECK_FALSE(RelativePosition::Decode(Unhex("01ffffffff0f00")).ok());
}

TEST_CASE("a place with a flipped bit is refused or resolved without harm", "[crdt]") {
  Doc doc({.client_id = 300});
  REQUIRE(doc.GetText("t")->Insert(0, "ab").ok());
  for (const std::string_view hex : {"00ac020100", "01017441", "02ac020042"}) {
    for (size_t bit = 0; bit < hex.size() * 4; ++bit) {
      std::string bytes = Unhex(hex);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      const auto position = RelativePosition::Decode(bytes);
      if (position.ok()) (void)position->Resolve(doc);
    }
  }
  CHECK(doc.GetText("t")->PlainText() == "ab");
}

TEST_CASE("a position that says no place has no bytes and resolves to none", "[crdt]") {
  CHECK(RelativePosition().Encode().empty());
  CHECK_FALSE(RelativePosition::Decode("").ok());
  CHECK_FALSE(RelativePosition().Resolve(Doc()).has_value());
}

TEST_CASE("JSON that says no place is refused", "[crdt]") {
  for (const char* json :
       {"", "1", "[]", "{}", R"({"assoc":0})", R"({"tname":1})", R"({"item":{"client":1}})",
        R"({"item":{"client":1,"clock":-1}})", R"({"item":{"client":1.5,"clock":1}})", R"({"item":7})",
        R"({"type":{"client":1,"clock":1e300}})", R"({"tname":"t","assoc":"0"})", R"({"tname":"t","assoc":0.5})"}) {
    CHECK(RelativePosition::FromJson(json).status().code() == absl::StatusCode::kInvalidArgument);
  }
  const auto position = RelativePosition::FromJson(R"({"type":null,"tname":"t","item":null,"other":[1]})");
  REQUIRE(position.ok());
  CHECK(position->root == "t");
  CHECK(position->assoc == 0);
}

}  // namespace
}  // namespace rivermeet::crdt
