// The cases of yjs's own tests of texts (tests/y-text.tests.js) but for those on events (text_events_test.cc) and
// versions (versions_test.cc), and some more. Bytes are what yjs 13.6.33 gives.
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/events.h"
#include "crdt/testing/peers.h"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

DeltaStep Put(Insertable what, Attributes attributes = {}) {
  return {.kind = DeltaStep::Kind::kInsert, .insert = std::move(what), .attributes = std::move(attributes)};
}
DeltaStep Put(const char* text, Attributes attributes = {}) { return Put(Insertable(text), std::move(attributes)); }
DeltaStep Keep(uint64_t length, Attributes attributes = {}) {
  return {.kind = DeltaStep::Kind::kRetain, .length = length, .attributes = std::move(attributes)};
}
DeltaStep Drop(uint64_t length) { return {.kind = DeltaStep::Kind::kDelete, .length = length}; }

Any Null() { return Any(Any::Null()); }
std::string HexState(const Doc& doc) { return absl::BytesToHexString(doc.EncodeState(UpdateFormat::kV1)); }

// --- deltas with formats

Attributes CellLine(const char* block, const char* row, const char* cell) {
  return {{"block-id", block}, {"line", Any(Any::Object{{"row", row}, {"cell", cell}})}, {"row", row}, {"cell", cell}};
}

TEST_CASE("a line's format that gives way to another doesn't reach the lines behind it", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("");
  Ok(text.ApplyDelta({Put("\n", {{"block-id", "b0"}}), Put("\n\n\n", {{"col", Any(Any::Object{{"width", "150"}})}}),
                      Put("\n", CellLine("b1", "r1", "c1")), Put("\n", CellLine("b2", "r1", "c2")),
                      Put("\n", CellLine("b3", "r2", "c1")), Put("\n", {{"block-id", "b4"}}), Put("after"),
                      Put("\n", {{"block-id", "b5"}})}));
  Ok(text.ApplyDelta({Keep(6), Put("-")}));
  Ok(text.ApplyDelta({Keep(7), Put(" ")}));
  Ok(text.ApplyDelta({Keep(6), Drop(2), Keep(1, {{"line", Null()}, {"list", Any(Any::Object{{"cell", "c1"}})}})}));
  CHECK(Told(text.ToDelta()) == R"(+"\n"{"block-id":"b0"} +"\n\n\n"{"col":{"width":"150"}} )"
                                R"(+"\n"{"block-id":"b1","line":{"row":"r1","cell":"c1"},"row":"r1","cell":"c1"} )"
                                R"(+"\n"{"block-id":"b2","line":{"row":"r1","cell":"c2"},"row":"r1","cell":"c2"} )"
                                R"(+"\n"{"block-id":"b3","row":"r2","cell":"c1","list":{"cell":"c1"}} )"
                                R"(+"\n"{"block-id":"b4"} +"after" +"\n"{"block-id":"b5"})");
}

TEST_CASE("a format given to what follows deleted lines takes away what those had", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("");
  const auto layout = [](const char* block, const char* name) {
    return Put("\n", {{"block-id", block}, {"layout", name}, {"layout-width", "0.25"}});
  };
  Ok(text.ApplyDelta({Put("a"), Put("\n", {{"block-id", "b1"}}), Put(Any(Any::Object{{"content", true}})), Put(" "),
                      Put(Any(Any::Object{{"command", "s"}})), Put("\n", {{"block-id", "b2"}}), layout("b3", "l1"),
                      layout("b4", "l2"), layout("b5", "l3"), Put("\n", {{"block-id", "b6"}}),
                      Put(Any(Any::Object{{"divider", true}}))}));
  Ok(text.ApplyDelta({Keep(4), Drop(4), Keep(1, {{"layout", Null()}, {"layout-width", Null()}, {"block-id", "b2"}})}));
  CHECK(Told(text.ToDelta()) == R"(+"a" +"\n"{"block-id":"b1"} +{"content":true} +" " +"\n"{"block-id":"b2"} )"
                                R"(+"\n"{"block-id":"b6"} +{"divider":true})");
}

TEST_CASE("formats of lines end before the line break", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  Ok(text.Insert(0, "Test\nMulti-line\nFormatting"));
  const Attributes bold = {{"bold", true}};
  Ok(text.ApplyDelta({Keep(4, bold), Keep(1), Keep(10, bold), Keep(1), Keep(10, bold)}));
  CHECK(Told(text.ToDelta()) ==
        R"(+"Test"{"bold":true} +"\n" +"Multi-line"{"bold":true} +"\n" +"Formatting"{"bold":true})");
  CHECK(
      HexState(doc) ==
      "010b0100040101740454657374840103010a8401040a4d756c74692d6c696e6584010e010a84010f0a466f726d617474696e67460100046"
      "26f6c640474727565c60103010404626f6c64046e756c6cc60104010504626f6c640474727565c6010e010f04626f6c64046e756c6cc601"
      "0f011004626f6c64047472756586011904626f6c64046e756c6c00");
}

TEST_CASE("an empty line isn't merged with a formatted one before it", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  const Attributes title = {{"title", true}};
  Ok(text.ApplyDelta({Put("Text"), Put("\n", title), Put("\nText"), Put("\n", title)}));
  CHECK(Told(text.ToDelta()) == R"(+"Text" +"\n"{"title":true} +"\nText" +"\n"{"title":true})");
  CHECK(HexState(doc) ==
        "01080100040101740454657874860103057469746c650474727565840104010a860105057469746c65046e756c6c840106050a54657874"
        "86010b057469746c65047472756584010c010a86010d057469746c65046e756c6c00");
}

TEST_CASE("a format moves to the next line when its own is deleted", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  const Attributes title = {{"title", true}};
  Ok(text.ApplyDelta({Put("Text"), Put("\n", title), Put("\n")}));
  Ok(text.ApplyDelta({Keep(4), Drop(1), Keep(1, title)}));
  CHECK(Told(text.ToDelta()) == R"(+"Text" +"\n"{"title":true})");
  CHECK(HexState(doc) ==
        "0105010004010174045465787481010303840106010ac601060107057469746c650474727565860107057469746c65046e756c6c010101"
        "0403");
}

TEST_CASE("the same format beside another is not written again", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  const Attributes bold = {{"bold", true}};
  Ok(text.Insert(0, "abc", bold));
  CHECK(text.PlainText() == "abc");
  Ok(text.Delete(0, 1));
  CHECK(Told(text.ToDelta()) == R"(+"bc"{"bold":true})");
  Ok(text.Delete(1, 1));
  CHECK(Told(text.ToDelta()) == R"(+"b"{"bold":true})");
  Ok(text.Insert(0, "z", bold));
  CHECK(Told(text.ToDelta()) == R"(+"zb"{"bold":true})");
  Ok(text.Insert(0, "y"));
  CHECK(Told(text.ToDelta()) == R"(+"y" +"zb"{"bold":true})");
  Ok(text.Format(0, 2, {{"bold", Null()}}));
  CHECK(Told(text.ToDelta()) == R"(+"yz" +"b"{"bold":true})");
  CHECK(HexState(doc) ==
        "01070100010101740284010101628101020186010304626f6c64046e756c6cc401010102017a4401000179c60105010204626f6c640474"
        "72756501010200020301");
}

TEST_CASE("formats without text are deleted with it", "[crdt]") {
  Doc doc({.client_id = 1});
  Text text = *doc.GetText("t");
  Ok(text.Insert(0, "ab", {{"bold", true}}));
  Ok(text.Delete(0, 2));
  CHECK(doc.StructCount() == 1);
  CHECK(HexState(doc) == "0101010001010174040101010004");

  Doc middle({.client_id = 1});
  Text around = *middle.GetText("t");
  Ok(around.Insert(0, "1234"));
  Ok(around.Insert(2, "ab", {{"bold", true}}));
  Ok(around.Delete(2, 2));
  CHECK(middle.StructCount() == 3);
  CHECK(HexState(middle) == "0103010004010174023132840101023334c101010102040101010404");
}

TEST_CASE("values of formats may be false", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  Ok(text.Insert(0, "abcde", {{"falsy", false}}));
  Ok(text.Format(1, 3, {{"falsy", true}}));
  CHECK(Told(text.ToDelta()) == R"(+"a"{"falsy":false} +"bcd"{"falsy":true} +"e"{"falsy":false})");
  Ok(text.Format(2, 1, {{"falsy", false}}));
  CHECK(Told(text.ToDelta()) ==
        R"(+"a"{"falsy":false} +"b"{"falsy":true} +"c"{"falsy":false} +"d"{"falsy":true} +"e"{"falsy":false})");
}

TEST_CASE("who formats lines that he doesn't have yet doesn't change those of others", "[crdt]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  Text text = *doc.GetText(""), theirs = *other.GetText("");
  const Attributes example = {{"url", "http://example.com"}}, docs = {{"url", "http://docs.yjs.dev"}};
  Ok(text.Insert(0, "\n\n\n"));
  Ok(text.Format(0, 3, example));
  Ok(text.Format(1, 1, docs));
  Ok(theirs.Format(1, 1, docs));
  Send(doc, other);
  const std::string delta = Told(text.ToDelta());
  CHECK(delta == R"(+"\n"{"url":"http://example.com"} +"\n"{"url":"http://docs.yjs.dev"} )"
                 R"(+"\n"{"url":"http://example.com"})");
  CHECK(Told(theirs.ToDelta()) == delta);
}

TEST_CASE("a format that is taken away in part leaves no marks that say nothing", "[crdt]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  Text text = *doc.GetText("t"), theirs = *other.GetText("t");
  Ok(text.Insert(0, "Attack ships on fire off the shoulder of Orion."));
  Send(doc, other);
  Ok(text.Format(13, 7, {{"bold", true}}));
  Send(doc, other);
  Ok(text.Format(16, 4, {{"bold", Null()}}));
  Send(doc, other);
  CHECK(Told(text.ToDelta()) == R"(+"Attack ships " +"on "{"bold":true} +"fire off the shoulder of Orion.")");
  CHECK(Told(theirs.ToDelta()) == Told(text.ToDelta()));
  CHECK(HexState(doc) ==
        "01070100040101740d41747461636b2073686970732084010c036f6e2084010f04666972658401131b206f6666207468652073686f756c"
        "646572206f66204f72696f6e2ec6010c010d04626f6c640474727565c10113011401c6010f011004626f6c64046e756c6c0101013001");
  CHECK(HexState(other) == HexState(doc));
}

// --- embeds and JSON

TEST_CASE("an embed has just the attributes that it is given", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  const Any image = Any(Any::Object{{"image", "imageSrc.png"}});
  Ok(text.Insert(0, "ab", {{"bold", true}}));
  Ok(text.InsertEmbed(1, image));
  CHECK(Told(text.ToDelta()) == R"(+"a"{"bold":true} +{"image":"imageSrc.png"} +"b"{"bold":true})");
  const Attributes width = {{"width", 100}};
  Ok(text.InsertEmbed(2, image, &width));
  CHECK(Told(text.ToDelta()) == R"(+"a"{"bold":true} +{"image":"imageSrc.png"} )"
                                R"(+{"image":"imageSrc.png"}{"width":100} +"b"{"bold":true})");
  CHECK(*text.ToJson() == R"("ab")");
  CHECK(text.length() == 4);
}

TEST_CASE("a type in a text reaches others, who are told of it", "[crdt][events]") {
  Peers peers(2);
  Ok(peers.text(0).ApplyDelta({Put(NewType{.kind = SharedKind::kMap, .entries = {{"key", Any("val")}}}),
                               Put(Any(Any::Object{{"linebreak", "s"}}))}));
  std::vector<std::string> told;
  const auto subscription = peers.text(1).Observe([&](const Event& event) {
    REQUIRE(event.Delta().size() == 2);
    told.push_back(*std::get<SharedType>(event.Delta()[0].inserted[0]).ToJson());
  });
  peers.Deliver();
  CHECK(told == std::vector<std::string>{R"({"key":"val"})"});
  CHECK(Told(peers.text(1).ToDelta()) == R"(+<type> +{"linebreak":"s"})");
  CHECK(*TypeAt(peers.text(1), 0).ToJson() == R"({"key":"val"})");
}

// --- deltas that were read

TEST_CASE("a text is copied by its delta", "[crdt]") {
  Doc doc;
  Text from = *doc.GetText("from"), to = *doc.GetText("to");
  const Attributes bold = {{"bold", true}};
  Ok(from.ApplyDelta({Put("a "), Put("bold", bold), Put(" word, "), Put(Any(Any::Object{{"image", "i.png"}}), bold),
                      Put(NewSubdocument{.guid = "sub"})}));
  Ok(to.ApplyChanges(from.ToDelta()));
  CHECK(Told(to.ToDelta()) == Told(from.ToDelta()));
}

TEST_CASE("a text is mirrored by what its events tell", "[crdt][events]") {
  Doc doc;
  Text text = *doc.GetText("text");
  Doc other;
  Text mirror = *other.GetText("mirror");
  const auto mirroring = text.Observe([&](const Event& event) { Ok(mirror.ApplyChanges(event.Delta())); });
  Ok(text.Insert(0, "one two three"));
  Ok(text.Format(4, 3, {{"em", true}}));
  Ok(text.Delete(2, 4));
  Ok(text.Format(0, 4, {{"em", Null()}}));
  Ok(text.Insert(3, "!"));
  CHECK(mirror.PlainText() == "ono! three");
  CHECK(Told(mirror.ToDelta()) == Told(text.ToDelta()));
}

TEST_CASE("a delta with what can't be copied into a text changes nothing", "[crdt]") {
  Doc doc;
  Text from = *doc.GetText("from"), to = *doc.GetText("to");
  Ok(from.ApplyDelta({Put("a"), Put(NewType{.kind = SharedKind::kMap})}));
  CHECK(to.ApplyChanges(from.ToDelta()).code() == absl::StatusCode::kInvalidArgument);
  const DeltaChange of_list = {.kind = DeltaChange::Kind::kInsert, .inserted = {Any(1), Any(2)}};
  CHECK(to.ApplyChanges({of_list}).code() == absl::StatusCode::kInvalidArgument);
  CHECK(to.length() == 0);
}

// --- places

TEST_CASE("a text that is edited anywhere has what a string has after the same edits", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  std::minstd_rand random(1);
  std::string expected(10'000, 'x');
  Ok(text.Insert(0, expected));
  for (int i = 0; i < 20'000; ++i) {
    const size_t at = random() % (expected.size() + 1);
    if (random() % 2 == 0) {
      const std::string word(random() % 6, static_cast<char>('a' + random() % 26));
      Ok(text.Insert(at, word));
      expected.insert(at, word);
    } else {
      const size_t length = std::min<size_t>(random() % 4, expected.size() - at);
      Ok(text.Delete(at, length));
      expected.erase(at, length);
    }
  }
  CHECK(text.length() == expected.size());
  CHECK(text.PlainText() == expected);
}

TEST_CASE("what is typed letter by letter is one struct", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  for (int i = 0; i < 10'000; ++i) Ok(text.Insert(text.length(), "a"));
  CHECK(text.length() == 10'000);
  CHECK(doc.StructCount() == 1);
}

TEST_CASE("a text of very many structs goes through both formats, and through a merge of its updates", "[crdt]") {
  constexpr int kStructs = 100'000;
  Doc doc({.client_id = 1});
  std::vector<std::string> updates;
  const Subscription listening =
      doc.OnUpdate(UpdateFormat::kV2, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  Text text = *doc.GetText("txt");
  doc.Transact([&] {
    for (int i = 0; i < kStructs; ++i) Ok(text.Insert(0, "0"));
  });
  for (int i = 0; i < 100; ++i) Ok(text.Insert(0, "0"));
  CHECK(doc.StructCount() == kStructs + 100);
  REQUIRE(updates.size() == 101);
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    Doc copy;
    Ok(copy.Apply(doc.EncodeState(format), format));
    CHECK(copy.EncodeState(format) == doc.EncodeState(format));
  }
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  CHECK(*MergeUpdates(views, UpdateFormat::kV2) == doc.EncodeState(UpdateFormat::kV2));
}

TEST_CASE("a character that an edit cuts in two leaves both halves as U+FFFD for all", "[crdt]") {
  constexpr std::string_view kAlien = "\U0001f47e";
  Peers peers(2);
  peers.Disconnect(1);
  Ok(peers.text(0).Insert(0, kAlien));
  Ok(peers.text(0).Insert(1, "hi!"));
  CHECK(peers.text(0).PlainText() == "\ufffdhi!\ufffd");
  peers.CheckAgree();

  Peers deleting(2);
  deleting.Disconnect(1);
  Ok(deleting.text(0).Insert(0, std::string(kAlien) + std::string(kAlien)));
  Ok(deleting.text(0).Delete(1, 2));
  CHECK(deleting.text(0).PlainText() == "\ufffd\ufffd");
  deleting.CheckAgree();

  Peers formatting(2);
  formatting.Disconnect(1);
  Ok(formatting.text(0).Insert(0, std::string(kAlien) + std::string(kAlien)));
  Ok(formatting.text(0).Format(1, 2, {{"bold", true}}));
  CHECK(Told(formatting.text(0).ToDelta()) == "+\"\ufffd\" +\"\ufffd\ufffd\"{\"bold\":true} +\"\ufffd\"");
  formatting.CheckAgree();
}

TEST_CASE("listeners that give updates back to their document and on to another do no harm", "[crdt]") {
  Peers peers(2);
  const Subscription listening =
      peers.doc(0).OnUpdate(UpdateFormat::kV1, [&](std::string_view update, std::string_view) {
        for (size_t peer = 0; peer < 2; ++peer) {
          peers.doc(peer).Transact([&] { Ok(peers.doc(peer).Apply(update, UpdateFormat::kV1)); });
        }
      });
  for (int round = 0; round < 2; ++round) {
    Ok(peers.text(0).Insert(0, "a_a"));
    peers.Deliver();
    Ok(peers.text(0).Insert(2, "s"));
    peers.Deliver();
    Ok(peers.text(1).Insert(3, "d"));
    peers.Deliver();
    CHECK(peers.text(0).PlainText() == "a_sda");
    CHECK(peers.text(1).PlainText() == "a_sda");
    if (round == 0) Ok(peers.text(0).Delete(0, 5));
    peers.Deliver();
  }
  peers.CheckAgree();
}

}  // namespace
}  // namespace rivermeet::crdt
