#include "crdt/versions.h"

#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"

namespace rivermeet::crdt {
namespace {

Doc Keeping(uint64_t client = 1) { return Doc({.client_id = client, .gc = false}); }
absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(seconds); }
const std::string& TextOf(const Value& value) { return *std::get<Any>(value).text(); }

// As yjs's deltas look in JSON; an embed in brackets.
std::string Json(const std::vector<DeltaInsertion>& delta) {
  std::string json;
  for (const DeltaInsertion& insertion : delta) {
    const auto* any = std::get_if<Any>(&insertion.insert);
    json += insertion.is_text ? TextOf(insertion.insert) : "[" + (any != nullptr ? *any->ToJson() : "type") + "]";
    Any::Object attributes(insertion.attributes.begin(), insertion.attributes.end());
    if (!attributes.empty()) json += *Any(attributes).ToJson();
    json += ";";
  }
  return json;
}

// "+" came, "-" went; who wrote it, when; who deleted it, when.
std::string Told(Change change, const Authorship& author) {
  std::string told = change == Change::kAdded ? "+" : change == Change::kRemoved ? "-" : "=";
  told += std::to_string(author.client);
  if (author.written.has_value()) told += "@" + std::to_string(absl::ToUnixSeconds(*author.written));
  if (author.removed.has_value()) {
    told += " by " + (author.removed->client.has_value() ? std::to_string(*author.removed->client) : "?");
    if (author.removed->time.has_value()) told += "@" + std::to_string(absl::ToUnixSeconds(*author.removed->time));
  }
  return told;
}

std::string Told(const std::vector<TextRun>& runs) {
  std::string told;
  for (const TextRun& run : runs) {
    told += Told(run.change, run.author) + ":" + (run.is_text ? TextOf(run.content) : "[]");
    Any::Object attributes(run.attributes.begin(), run.attributes.end());
    if (!attributes.empty()) told += *Any(attributes).ToJson();
    told += ";";
  }
  return told;
}

DeltaStep InsertStep(const char* text) { return {.kind = DeltaStep::Kind::kInsert, .insert = Any(text)}; }
DeltaStep Retain(uint64_t length) { return {.kind = DeltaStep::Kind::kRetain, .length = length}; }
DeltaStep Delete(uint64_t length) { return {.kind = DeltaStep::Kind::kDelete, .length = length}; }

// --- yjs's tests of versions of a text; values that yjs 13.6.33 gives

TEST_CASE("a text is read as it was, and with what came and went since", "[crdt]") {
  Doc doc = Keeping();
  Text text = *doc.GetText("text");
  REQUIRE(text.ApplyDelta({InsertStep("abcd")}).ok());
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(text.ApplyDelta({Retain(1), InsertStep("x"), Delete(1)}).ok());
  const Snapshot second = doc.TakeSnapshot();
  REQUIRE(text.ApplyDelta({Retain(2), Delete(3), InsertStep("x"), Delete(1)}).ok());
  const std::string state = doc.EncodeState(UpdateFormat::kV2);
  CHECK(Told(TextAt(text, first)) == "=1:abcd;");
  CHECK(Told(TextAt(text, second)) == "=1:axcd;");
  CHECK(Told(DiffText(text, first, &second)) == "=1:a;+1:x;-1:b;=1:cd;");
  CHECK(Told(DiffText(text, second)) == "=1:ax;-1:cd;+1:x;");
  CHECK(doc.EncodeState(UpdateFormat::kV2) == state);
  CHECK(Json(YjsDelta(text, &first)) == "abcd;");
  CHECK(Json(YjsDelta(text, &second)) == "axcd;");
  CHECK(Json(YjsDelta(text, &second, &first)) ==
        R"(a;x{"ychange":{"type":"added"}};b{"ychange":{"type":"removed"}};cd;)");
  CHECK(Json(YjsDelta(text)) == "axx;");
}

TEST_CASE("a run that grew after the version is cut where it ended", "[crdt]") {
  Doc doc = Keeping();
  Text text = *doc.GetText("text");
  REQUIRE(text.Insert(0, "abcd").ok());
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(text.Insert(4, "e").ok());
  const Snapshot second = doc.TakeSnapshot();
  REQUIRE(text.Delete(0, 1).ok());
  const Snapshot third = doc.TakeSnapshot();
  CHECK(Json(YjsDelta(text, &first)) == "abcd;");
  CHECK(Json(YjsDelta(text, &second)) == "abcde;");
  CHECK(Json(YjsDelta(text, &third, &first)) ==
        R"(a{"ychange":{"type":"removed"}};bcd;e{"ychange":{"type":"added"}};)");
  CHECK(Json(YjsDelta(text, nullptr, &second)) == "abcde;");
  CHECK(Told(DiffText(text, first, &third)) == "-1:a;=1:bcd;+1:e;");
}

TEST_CASE("formats are those of the later version, and an embed has a mark of its own", "[crdt]") {
  Doc doc = Keeping(5);
  Text text = *doc.GetText("text");
  REQUIRE(text.Insert(0, "plain bold").ok());
  REQUIRE(text.Format(6, 4, {{"bold", Any(true)}}).ok());
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(text.InsertEmbed(6, Any(Any::Object{{"img", Any(1)}})).ok());
  REQUIRE(text.Insert(7, "new ", {{"i", Any(1)}}).ok());
  REQUIRE(text.Delete(0, 3).ok());
  const Snapshot second = doc.TakeSnapshot();
  CHECK(Told(DiffText(text, first, &second)) == R"(-5:pla;=5:in ;+5:[];+5:new {"i":1};=5:bold{"bold":true};)");
  CHECK(Told(TextAt(text, first)) == R"(=5:plain ;=5:bold{"bold":true};)");
  const YChange with_user = [](Change change, uint64_t client, uint64_t) {
    return Any(Any::Object{{"type", Any(change == Change::kAdded ? "added" : "removed")},
                           {"user", Any(static_cast<double>(client))}});
  };
  CHECK(Json(YjsDelta(text, &second, &first, with_user)) ==
        R"(pla{"ychange":{"type":"removed","user":5}};in ;[{"img":1}];)"
        R"(new {"i":1,"ychange":{"type":"added","user":5}};bold{"bold":true};)");
}

TEST_CASE("a character that two versions cut in half is whole again in the later one", "[crdt]") {
  Doc doc = Keeping();
  Text text = *doc.GetText("text");
  REQUIRE(text.Insert(0, "a\xed\xa0\xbd").ok());
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(text.Insert(2, "\xed\xb8\x80z").ok());
  const Snapshot second = doc.TakeSnapshot();
  CHECK(text.PlainText() == "a\xf0\x9f\x98\x80z");
  CHECK(Told(TextAt(text, first)) == "=1:a\xed\xa0\xbd;");
  CHECK(Told(TextAt(text, second)) == "=1:a\xf0\x9f\x98\x80z;");
  CHECK(text.PlainText() == "a\xf0\x9f\x98\x80z");
  // yjs cuts the document itself.
  CHECK(Json(YjsDelta(text, &first)) == "a\xef\xbf\xbd;");
  CHECK(text.PlainText() == "a\xef\xbf\xbd\xef\xbf\xbdz");
}

TEST_CASE("an attribute named ychange is passed on where nothing is marked", "[crdt]") {
  Doc doc = Keeping();
  Text text = *doc.GetText("text");
  REQUIRE(text.Insert(0, "ab", {{"ychange", Any("mine")}}).ok());
  CHECK(Json(YjsDelta(text)) == R"(ab;)");
  CHECK(Told(TextAt(text, doc.TakeSnapshot())) == R"(=1:ab{"ychange":"mine"};)");
}

// --- lists and maps

TEST_CASE("an attribute named __proto__ is none, as in the object that yjs makes of them", "[crdt]") {
  Doc doc = Keeping();
  Text text = *doc.GetText("text");
  REQUIRE(text.Insert(0, "ab", {{"__proto__", true}, {"bold", true}}).ok());
  const Snapshot now = doc.TakeSnapshot();
  CHECK(Json(YjsDelta(text)) == R"(ab{"bold":true};)");
  CHECK(Told(TextAt(text, now)) == R"(=1:ab{"bold":true};)");
}

TEST_CASE("a list at a version has the units that were there, also of a run that grew", "[crdt]") {
  Doc doc = Keeping();
  List list = *doc.GetArray("a");
  REQUIRE(list.Push({Any(1)}).ok());
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(list.Push({Any(2), NewType{.kind = SharedKind::kMap}, Any(Any::Bytes{"b"})}).ok());
  const Snapshot second = doc.TakeSnapshot();
  REQUIRE(list.Delete(0, 3).ok());
  const std::vector<Value> at_first = ValuesAt(list, first);
  REQUIRE(at_first.size() == 1);
  CHECK(std::get<Any>(at_first[0]) == Any(1));
  const std::vector<Value> at_second = ValuesAt(list, second);
  REQUIRE(at_second.size() == 4);
  CHECK(std::get<Any>(at_second[1]) == Any(2));
  CHECK_FALSE(std::get<SharedType>(at_second[2]).alive());
  CHECK(std::get<Any>(at_second[3]).bytes()->data == "b");
  CHECK(ValuesAt(list, Snapshot()).empty());
}

TEST_CASE("a key at a version has the value that it had, not one that joined it since", "[crdt]") {
  Doc doc = Keeping();
  Map map = *doc.GetMap("m");
  REQUIRE(map.Set("k", Any("a")).ok());
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(map.Set("k", Any("b")).ok());
  const Snapshot second = doc.TakeSnapshot();
  REQUIRE(map.Set("k", Any("c")).ok());
  REQUIRE(map.Set("other", Any(1)).ok());
  REQUIRE(map.Delete("k").ok());
  const Snapshot last = doc.TakeSnapshot();
  CHECK(TextOf(*EntryAt(map, "k", first)) == "a");  // yjs gives "b"
  CHECK(TextOf(*EntryAt(map, "k", second)) == "b");
  CHECK_FALSE(EntryAt(map, "k", last).has_value());
  CHECK_FALSE(EntryAt(map, "other", second).has_value());
  CHECK_FALSE(EntryAt(map, "never", last).has_value());
  CHECK(EntriesAt(map, Snapshot()).empty());
  CHECK(EntriesAt(map, second).size() == 1);
  REQUIRE(EntriesAt(map, last).size() == 1);
  CHECK(EntriesAt(map, last)[0].first == "other");
}

TEST_CASE("attributes of an XML element are read at versions", "[crdt]") {
  Doc doc = Keeping();
  Map root = *doc.GetMap("m");
  REQUIRE(root.Set("el", NewType{.kind = SharedKind::kXmlElement, .name = "div"}).ok());
  Map element = *std::get<SharedType>(*root.Entry("el")).AsMap();
  const Snapshot first = doc.TakeSnapshot();
  REQUIRE(element.Set("a", Any("1")).ok());
  const Snapshot second = doc.TakeSnapshot();
  REQUIRE(element.Set("a", Any("2")).ok());
  CHECK(TextOf(*EntryAt(element, "a", second)) == "1");
  CHECK(EntriesAt(element, first).empty());
}

TEST_CASE("collected content is missing in a version", "[crdt]") {
  Doc doc({.client_id = 1});
  List list = *doc.GetArray("a");
  REQUIRE(list.Push({Any(1), Any(2)}).ok());
  Map map = *doc.GetMap("m");
  REQUIRE(map.Set("k", Any(1)).ok());
  REQUIRE(map.Set("t", NewType{.kind = SharedKind::kText, .text = "x"}).ok());
  const SharedType gone = std::get<SharedType>(*map.Entry("t"));
  const Snapshot snapshot = doc.TakeSnapshot();
  REQUIRE(list.Delete(0, 1).ok());
  REQUIRE(map.Clear().ok());
  CHECK(ValuesAt(list, snapshot).size() == 1);
  CHECK(EntriesAt(map, snapshot).empty());
  CHECK(TextAt(gone, snapshot).empty());
  CHECK(DiffText(gone, snapshot).empty());
  CHECK(DiffList(gone, snapshot).empty());
  CHECK(DiffMap(gone, snapshot).empty());
  CHECK(ValuesAt(gone, snapshot).empty());
  CHECK(EntriesAt(gone, snapshot).empty());
  CHECK_FALSE(EntryAt(gone, "k", snapshot).has_value());
  CHECK(YjsDelta(gone, &snapshot).empty());
}

// --- with authors

// Two clients edit in turn; each change is applied to `server`, which notes who and when.
class Room {
 public:
  Room() : server(Keeping(9)), ada(Keeping(1)), bob(Keeping(2)) {
    server.KeepAttribution();
    for (Doc* doc : {&ada, &bob}) {
      auto& listening = doc == &ada ? listening_to_ada_ : listening_to_bob_;
      listening = doc->OnUpdate(UpdateFormat::kV1, [this, doc](std::string_view update, std::string_view) {
        if (receiving_) return;
        server.AttributeTo(doc->client_id(), now);
        REQUIRE(server.Apply(update, UpdateFormat::kV1).ok());
        receiving_ = true;
        REQUIRE((doc == &ada ? bob : ada).Apply(update, UpdateFormat::kV1).ok());
        receiving_ = false;
      });
    }
  }

  Doc server, ada, bob;
  absl::Time now = At(100);

 private:
  bool receiving_ = false;
  Subscription listening_to_ada_, listening_to_bob_;
};

TEST_CASE("a text tells who wrote what, and when", "[crdt]") {
  Room room;
  REQUIRE(room.ada.GetText("t")->Insert(0, "hello ").ok());
  room.now = At(200);
  REQUIRE(room.ada.GetText("t")->Insert(6, "world").ok());
  room.now = At(300);
  REQUIRE(room.bob.GetText("t")->Insert(3, "XY").ok());
  const Text text = *room.server.GetText("t");
  CHECK(text.PlainText() == "helXYlo world");
  using Runs = std::vector<AuthorRun>;
  CHECK(text.Authors(0, 99) == Runs{{3, 1, At(100)}, {2, 2, At(300)}, {3, 1, At(100)}, {5, 1, At(200)}});
  CHECK(text.Authors(4, 9) == Runs{{1, 2, At(300)}, {3, 1, At(100)}, {1, 1, At(200)}});
  CHECK(text.Authors(5, 5).empty());
  CHECK(text.Authors(13, 20).empty());
  // Nobody noted times there.
  CHECK(room.ada.GetText("t")->Authors(0, 4) == Runs{{3, 1, std::nullopt}, {1, 2, std::nullopt}});
}

TEST_CASE("a difference of versions tells who wrote, who deleted, and when", "[crdt]") {
  Room room;
  REQUIRE(room.ada.GetText("t")->Insert(0, "hello world").ok());
  const Snapshot before = room.server.TakeSnapshot();
  room.now = At(200);
  REQUIRE(room.bob.GetText("t")->Delete(0, 6).ok());
  room.now = At(300);
  REQUIRE(room.bob.GetText("t")->Insert(5, "!").ok());
  REQUIRE(room.ada.GetText("t")->Delete(4, 1).ok());
  const Text text = *room.server.GetText("t");
  CHECK(Told(DiffText(text, before)) == "-1@100 by 2@200:hello ;=1@100:worl;-1@100 by 1@300:d;+2@300:!;");
  CHECK(Told(DiffText(text, before, &before)) == "=1@100:hello world;");
}

TEST_CASE("a difference of lists and maps tells what came and went, and by whom", "[crdt]") {
  Room room;
  REQUIRE(room.ada.GetArray("a")->Push({Any("x"), Any("y")}).ok());
  REQUIRE(room.ada.GetMap("m")->Set("kept", Any(1)).ok());
  REQUIRE(room.ada.GetMap("m")->Set("set", Any("old")).ok());
  REQUIRE(room.ada.GetMap("m")->Set("gone", Any(1)).ok());
  const Snapshot before = room.server.TakeSnapshot();
  room.now = At(200);
  REQUIRE(room.bob.GetArray("a")->Delete(0, 1).ok());
  REQUIRE(room.bob.GetArray("a")->Push({Any("z")}).ok());
  REQUIRE(room.bob.GetMap("m")->Set("set", Any("new")).ok());
  REQUIRE(room.bob.GetMap("m")->Delete("gone").ok());
  REQUIRE(room.bob.GetMap("m")->Set("came", Any(1)).ok());
  std::string list;
  for (const ListRun& run : DiffList(*room.server.GetArray("a"), before)) {
    list += Told(run.change, run.author) + ":" + TextOf(run.value) + ";";
  }
  CHECK(list == "-1@100 by 2@200:x;=1@100:y;+2@200:z;");
  std::string map;
  for (const EntryChange& change : DiffMap(*room.server.GetMap("m"), before)) {
    map += change.key + ":";
    if (change.before_author.has_value()) map += Told(Change::kRemoved, *change.before_author);
    if (change.after_author.has_value()) map += Told(Change::kAdded, *change.after_author);
    CHECK(change.before.has_value() == change.before_author.has_value());
    CHECK(change.after.has_value() == change.after_author.has_value());
    map += ";";
  }
  CHECK(map == "set:-1@100 by 2@200+2@200;gone:-1@100 by 2@200;came:+2@200;");
}

TEST_CASE("what was noted is counted as memory and survives a restart beside the state", "[crdt]") {
  Room room;
  for (int i = 0; i < 200; ++i) {
    room.now = At(i);
    REQUIRE(room.ada.GetText("t")->Insert(0, "ab").ok());
    REQUIRE(room.bob.GetText("t")->Delete(1, 1).ok());
  }
  Doc plain({.client_id = 9, .gc = false});
  REQUIRE(plain.Apply(room.server.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
  const std::string table = room.server.attribution()->Encode();
  const uint64_t before = plain.MemoryBytes();
  CHECK(plain.attribution() == nullptr);
  plain.KeepAttribution(*Attribution::Decode(table));
  CHECK(plain.MemoryBytes() > before + 200 * 12);
  CHECK(plain.GetText("t")->Authors(0, 200) == room.server.GetText("t")->Authors(0, 200));
  CHECK(*plain.attribution() == *room.server.attribution());
  CHECK(table.size() < 400 * 10);
  // A second apply of what is known changes nothing of it.
  plain.AttributeTo(5, At(9999));
  REQUIRE(plain.Apply(room.server.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
  CHECK(*plain.attribution() == *room.server.attribution());
}

TEST_CASE("what came before anybody noted has no time", "[crdt]") {
  Doc doc = Keeping();
  REQUIRE(doc.GetText("t")->Insert(0, "old").ok());
  doc.KeepAttribution();
  doc.AttributeTo(std::nullopt, At(5));
  REQUIRE(doc.GetText("t")->Insert(3, "new").ok());
  using Runs = std::vector<AuthorRun>;
  CHECK(doc.GetText("t")->Authors(0, 6) == Runs{{3, 1, std::nullopt}, {3, 1, At(5)}});
}

}  // namespace
}  // namespace rivermeet::crdt
