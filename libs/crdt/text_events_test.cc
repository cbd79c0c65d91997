// The cases on events of yjs's own tests of text (tests/y-text.tests.js), and some more; what is expected is what yjs
// 13.6.33 gives.
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/events.h"
#include "crdt/testing/events.h"

namespace rivermeet::crdt {
namespace {

TEST_CASE("a text's event has the delta of insertions and deletions", "[crdt][events]") {
  Doc doc;
  auto text = doc.GetText("t");
  std::string delta;
  const auto subscription = text->Observe([&](const Event& event) { delta = Told(event.Delta()); });
  Ok(text->Insert(0, "abc"));
  CHECK(delta == R"(+"abc")");
  Ok(text->Delete(0, 1));
  CHECK(delta == "-1");
  Ok(text->Delete(1, 1));
  CHECK(delta == "=1 -1");
  doc.Transact([&] {
    Ok(text->Insert(0, "1"));
    Ok(text->Delete(0, 1));
  });
  CHECK(delta.empty());
}

TEST_CASE("an observer that comes during a transaction is told what that did before", "[crdt][events]") {
  Doc doc;
  auto text = doc.GetText("t");
  std::string delta;
  Subscription subscription;
  const auto observe = [&] { subscription = text->Observe([&](const Event& event) { delta = Told(event.Delta()); }); };
  Ok(text->Insert(0, "wxyz"));
  SECTION("typed") {
    doc.Transact([&] {
      Ok(text->Insert(4, "a"));
      observe();
    });
    CHECK(delta == R"(=4 +"a")");
  }
  SECTION("deleted") {
    Ok(text->Delete(3, 1));
    doc.Transact([&] {
      Ok(text->Delete(2, 1));
      observe();
    });
    CHECK(delta == "=2 -1");
  }
}

TEST_CASE("a text's delta has attributes of what came and changes of what stayed", "[crdt][events]") {
  Doc doc;
  auto text = doc.GetText("t");
  std::string delta;
  const auto subscription = text->Observe([&](const Event& event) { delta = Told(event.Delta()); });
  const Attributes bold = {{"bold", true}};
  Ok(text->Insert(0, "abc", bold));
  CHECK(delta == R"(+"abc"{"bold":true})");
  Ok(text->Delete(0, 1));
  CHECK(delta == "-1");
  Ok(text->Delete(1, 1));
  CHECK(delta == "=1 -1");
  Ok(text->Insert(0, "z", bold));
  CHECK(delta == R"(+"z"{"bold":true})");
  Ok(text->Insert(0, "y"));
  CHECK(delta == R"(+"y")");
  Ok(text->Format(0, 2, {{"bold", Any(Any::Null())}}));
  CHECK(delta == R"(=1 =1{"bold":null})");
  CHECK(Told(text->ToDelta()) == R"(+"yz" +"b"{"bold":true})");
}

TEST_CASE("false is a value of an attribute", "[crdt][events]") {
  Doc doc;
  auto text = doc.GetText("t");
  std::string delta;
  const auto subscription = text->Observe([&](const Event& event) { delta = Told(event.Delta()); });
  Ok(text->Insert(0, "abcde", {{"falsy", false}}));
  CHECK(delta == R"(+"abcde"{"falsy":false})");
  Ok(text->Format(1, 3, {{"falsy", true}}));
  CHECK(delta == R"(=1 =3{"falsy":true})");
  Ok(text->Format(2, 1, {{"falsy", false}}));
  CHECK(delta == R"(=2 =1{"falsy":false})");
}

TEST_CASE("attributes that stay aren't told as changes", "[crdt][events]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  auto text = doc.GetText("t");
  auto theirs = other.GetText("t");
  Ok(text->Insert(0, "\n", {{"PARAGRAPH_STYLES", "normal"}, {"LIST_STYLES", "bullet"}}));
  Ok(text->Insert(1, "abc", {{"PARAGRAPH_STYLES", "normal"}}));
  Send(doc, other);
  std::vector<std::string> deltas;
  const auto collect = [&](const Event& event) {
    if (!event.Delta().empty()) deltas.push_back(Told(event.Delta()));
  };
  const auto here = text->Observe(collect);
  const auto there = theirs->Observe(collect);
  Ok(theirs->Format(0, 1, {{"LIST_STYLES", "number"}}));
  Send(other, doc);
  CHECK(deltas == std::vector<std::string>(2, R"(=1{"LIST_STYLES":"number"})"));
}

// Formats of two who made the same text bold at once: asked is whether somebody wants the delta.
std::vector<std::string> UpdatesAfterConcurrentFormats(bool asked, std::vector<std::string>& deltas) {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  auto text = other.GetText("t");
  Ok(doc.GetText("t")->Insert(0, "abcde"));
  Send(doc, other);
  Ok(doc.GetText("t")->Format(0, 3, {{"bold", true}}));
  Ok(text->Format(2, 2, {{"bold", true}}));
  std::vector<std::string> updates;
  const Subscription listening = other.OnUpdate(UpdateFormat::kV1, [&](std::string_view update, std::string_view) {
    updates.push_back(absl::BytesToHexString(absl::string_view(update.data(), update.size())));
  });
  const auto subscription = text->Observe([&](const Event& event) {
    if (asked) deltas.push_back(Told(event.Delta()));
  });
  Send(doc, other);
  return updates;
}

TEST_CASE("asking for a text's delta deletes formats that say nothing more, in an update of its own",
          "[crdt][events]") {
  std::vector<std::string> deltas;
  const std::string theirs = "0102010546010004626f6c640474727565c60102010304626f6c64046e756c6c00";
  CHECK(UpdatesAfterConcurrentFormats(true, deltas) == std::vector<std::string>{theirs, "000102010001"});
  CHECK(deltas == std::vector<std::string>{R"(=3{"bold":true} =2{"bold":null})", ""});
  CHECK(UpdatesAfterConcurrentFormats(false, deltas) == std::vector<std::string>{theirs});
}

TEST_CASE("the delta is found once, however many ask for it", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  Ok(array->Insert(0, {NewText("")}));
  auto text = TypeAt(*array, 0).AsText();
  std::vector<const void*> deltas;
  const auto first = text->Observe([&](const Event& event) { deltas.push_back(&event.Delta()); });
  const auto second = text->Observe([&](const Event& event) { deltas.push_back(&event.Delta()); });
  const auto deep = array->ObserveDeep([&](absl::Span<const Event> events) { deltas.push_back(&events[0].Delta()); });
  Ok(text->Insert(0, "x"));
  REQUIRE(deltas.size() == 3);
  CHECK(deltas[0] == deltas[1]);
  CHECK(deltas[0] == deltas[2]);
}

TEST_CASE("embeds and types are inserted one by one; numbers get lost, as in yjs", "[crdt][events]") {
  Doc doc;
  auto text = doc.GetText("t");
  std::string delta;
  const auto subscription = text->Observe([&](const Event& event) { delta = Told(event.Delta()); });
  Ok(text->InsertEmbed(0, Any(5)));
  CHECK(delta.empty());
  CHECK(Told(text->ToDelta()) == "+5");
  const Attributes bold = {{"b", 1}};
  Ok(text->InsertEmbed(0, Any(Any::Object{{"i", 1}}), &bold));
  CHECK(delta == R"(+{"i":1}{"b":1})");
  Ok(text->InsertEmbed(1, New(SharedKind::kMap)));
  CHECK(delta == "=1 +<type>");
}

TEST_CASE("a text's attributes of its own are keys", "[crdt][events]") {
  Doc doc;
  auto root = doc.GetRoot("x", SharedKind::kXmlText);
  Ok(root->AsMap()->Set("k", Any(1)));
  std::string keys;
  const auto subscription = root->Observe([&](const Event& event) {
    CHECK_FALSE(event.list_changed());
    CHECK(event.Delta().empty());
    keys = Told(event.Keys());
  });
  Ok(root->AsMap()->Set("k", Any(2)));
  CHECK(keys == "k update 1");
}

}  // namespace
}  // namespace rivermeet::crdt
