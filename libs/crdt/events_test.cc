// The cases on events of yjs's own tests (tests/y-{array,map,text,xml}.tests.js), and some more; what is expected is
// what yjs 13.6.33 gives.
#include "crdt/events.h"

#include <string>
#include <utility>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/testing/events.h"

namespace rivermeet::crdt {
namespace {

// --- lists

TEST_CASE("an array's event has what was inserted and deleted", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  std::string delta;
  const auto subscription = array->Observe([&](const Event& event) {
    CHECK(event.local());
    CHECK(event.list_changed());
    delta = Told(event.Delta());
  });
  Ok(array->Insert(0, {New(SharedKind::kArray), Any(4), Any("dtrn")}));
  CHECK(delta == R"(+<type>,4,"dtrn")");
  Ok(array->Delete(0, 2));
  CHECK(delta == "-2");
  Ok(array->Insert(1, {Any(0.1)}));
  CHECK(delta == "=1 +0.1");
}

TEST_CASE("many edits in one transaction are one event", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  Ok(array->Push({Any(1), Any(2), Any(3), Any(4), Any(5)}));
  std::vector<std::string> deltas;
  const auto subscription = array->Observe([&](const Event& event) { deltas.push_back(Told(event.Delta())); });
  doc.Transact([&] {
    Ok(array->Delete(1, 2));
    Ok(array->Insert(1, {Any("x"), New(SharedKind::kMap)}));
    Ok(array->Push({Any(true)}));
    Ok(array->Insert(0, {Any(9)}));
    Ok(array->Delete(0, 1));
  });
  CHECK(deltas == std::vector<std::string>{R"(=1 +"x",<type> -2 =2 +true)"});
}

TEST_CASE("an observer's edit is a transaction that ends after the observed one", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  std::string log;
  const auto subscription = array->Observe([&](const Event& event) {
    log += "begin " + std::to_string(array->length()) + " " + Told(event.Delta()) + "|";
    if (array->length() < 3) Ok(array->Push({Any(static_cast<double>(array->length()))}));
    log += "end|";
  });
  const Subscription listening =
      doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) { log += "update|"; });
  Ok(array->Insert(0, {Any(0)}));
  // As in yjs: the second's element has merged with the first's by then, and looks as if it had been there.
  CHECK(log == "begin 1 +0|end|update|begin 2 |end|update|begin 3 |end|update|");
  CHECK(*array->ToJson() == "[0,1,2]");
}

TEST_CASE("an update is told with the origin of its transaction", "[crdt][events]") {
  Doc doc;
  Doc other;
  std::string log;
  const Subscription first = doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view update, std::string_view origin) {
    log += std::string(origin) + "|";
    Ok(other.Apply(update, UpdateFormat::kV1, "the first"));
  });
  const Subscription second = other.OnUpdate(
      UpdateFormat::kV2, [&](std::string_view, std::string_view origin) { log += std::string(origin) + "|"; });
  doc.Transact([&] { Ok(doc.GetText("t")->Insert(0, "a")); }, "keyboard");
  Ok(doc.GetText("t")->Insert(0, "b"));
  CHECK(log == "keyboard|the first||the first|");
}

TEST_CASE("a type that is new in a transaction has no event in it", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  bool fired = false;
  Subscription subscription;
  doc.Transact([&] {
    Ok(array->Insert(0, {New(SharedKind::kMap)}));
    subscription = TypeAt(*array, 0).Observe([&](const Event&) { fired = true; });
    Ok(TypeAt(*array, 0).AsMap()->Set("tst", Any(42)));
  });
  CHECK_FALSE(fired);
  Ok(TypeAt(*array, 0).AsMap()->Set("tst", Any(43)));
  CHECK(fired);
}

TEST_CASE("a type that is deleted in a transaction has no event in it", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  Ok(array->Insert(0, {New(SharedKind::kMap)}));
  const SharedType map = TypeAt(*array, 0);
  int events = 0;
  const auto own = map.Observe([&](const Event&) { ++events; });
  const auto deep = array->ObserveDeep([&](absl::Span<const Event> of) {
    CHECK(of.size() == 1);
    CHECK(of[0].path().empty());
  });
  doc.Transact([&] {
    Ok(map.AsMap()->Set("k", Any(1)));
    Ok(array->Delete(0, 1));
  });
  CHECK(events == 0);
}

TEST_CASE("an event's target is the type that changed, also when somebody else changed it", "[crdt][events]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  auto array = doc.GetArray("a");
  std::vector<std::pair<bool, std::string>> seen;
  const auto subscription = array->Observe(
      [&](const Event& event) { seen.emplace_back(event.local(), *event.target().ToJson() + Told(event.Delta())); });
  Ok(other.GetArray("a")->Insert(0, {Any("stuff")}));
  Send(other, doc);
  CHECK(seen == std::vector<std::pair<bool, std::string>>{{false, R"(["stuff"]+"stuff")"}});
}

// --- maps

TEST_CASE("a map's event has keys that were added, updated and deleted with their old values", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  std::string keys;
  const auto subscription = map->Observe([&](const Event& event) {
    CHECK_FALSE(event.list_changed());
    CHECK(event.Delta().empty());
    keys = Told(event.Keys());
  });
  Ok(map->Set("a", Any(1)));
  CHECK(keys == "a add undefined");
  Ok(map->Set("a", Any(2)));
  CHECK(keys == "a update 1");
  doc.Transact([&] {
    Ok(map->Set("a", Any(3)));
    Ok(map->Set("a", Any(4)));
  });
  CHECK(keys == "a update 2");
  doc.Transact([&] {
    Ok(map->Set("b", Any(1)));
    Ok(map->Set("b", Any(2)));
  });
  CHECK(keys == "b add undefined");
  doc.Transact([&] {
    Ok(map->Set("c", Any(1)));
    Ok(map->Delete("c"));
  });
  CHECK(keys.empty());
}

TEST_CASE("keys come in the order in which they changed, touched ones too", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  Ok(map->Set("a", Any(1)));
  Ok(map->Set("arr", New(SharedKind::kArray)));
  std::string keys;
  std::vector<std::string> touched;
  const auto subscription = map->Observe([&](const Event& event) {
    keys = Told(event.Keys());
    touched = event.TouchedKeys();
  });
  doc.Transact([&] {
    Ok(map->Set("z", Any(1)));
    Ok(map->Set("a", Any(2)));
    Ok(map->Delete("arr"));
    Ok(map->Set("q", Any(1)));
    Ok(map->Delete("q"));
  });
  CHECK(keys == "z add undefined, a update 1, arr delete <type>");
  CHECK(touched == std::vector<std::string>{"z", "a", "arr", "q"});
}

TEST_CASE("clearing a map deletes each key in one event", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  Ok(map->Set("stuff", Any(4)));
  Ok(map->Set("otherstuff", New(SharedKind::kArray)));
  std::string keys;
  const auto subscription = map->Observe([&](const Event& event) { keys = Told(event.Keys()); });
  Ok(map->Clear());
  CHECK(keys == "stuff delete 4, otherstuff delete <type>");
}

TEST_CASE("who observes in the middle of a transaction hears of all of it", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  std::string keys;
  Subscription subscription;
  doc.Transact([&] {
    Ok(map->Set("a", Any(1)));
    Ok(map->Set("b", Any(1)));
    Ok(map->Delete("a"));
    subscription = map->Observe([&](const Event& event) { keys = Told(event.Keys()); });
    Ok(map->Set("c", Any(1)));
  });
  CHECK(keys == "b add undefined, c add undefined");
}

// --- all that is inside

TEST_CASE("deep observers get the path to each change, the shortest first", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  std::vector<std::string> paths;
  const auto subscription = map->ObserveDeep([&](absl::Span<const Event> events) {
    std::string all;
    for (const Event& event : events) all += Told(event.path()) + " ";
    paths.push_back(all);
  });
  Ok(map->Set("map", New(SharedKind::kMap)));
  Ok(TypeOf(*map, "map").AsMap()->Set("array", New(SharedKind::kArray)));
  const SharedType array = TypeOf(TypeOf(*map, "map"), "array");
  Ok(array.AsList()->Insert(0, {Any("a"), Any("b"), New(SharedKind::kMap)}));
  CHECK(std::exchange(paths, {}) == std::vector<std::string>{"/ ", "/map ", "/map/array "});
  doc.Transact([&] {
    Ok(TypeAt(array, 2).AsMap()->Set("hello", Any("world")));
    Ok(array.AsList()->Insert(0, {Any(0)}));
    Ok(map->Set("k", Any(1)));
  });
  CHECK(paths == std::vector<std::string>{"/ /map/array /map/array/3 "});
}

TEST_CASE("siblings' events come with their own paths", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  Ok(map->Set("map", New(SharedKind::kMap)));
  auto inner = TypeOf(*map, "map").AsMap();
  Ok(inner->Set("text1", NewText("initial")));
  std::vector<std::string> paths;
  const auto subscription = map->ObserveDeep([&](absl::Span<const Event> events) {
    for (const Event& event : events) paths.push_back(Told(event.path()));
  });
  doc.Transact([&] {
    Ok(TypeOf(*inner, "text1").AsText()->Insert(0, "post-"));
    Ok(inner->Set("text2", NewText("new")));
  });
  CHECK(paths == std::vector<std::string>{"/map", "/map/text1"});
}

TEST_CASE("paths count from the type that is observed", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  Ok(array->Insert(0, {Any(0), New(SharedKind::kMap)}));
  const SharedType map = TypeAt(*array, 1);
  Ok(map.AsMap()->Set("t", NewText("x")));
  std::string log;
  auto inner = map.ObserveDeep([&](absl::Span<const Event> events) { log += Told(events[0].path()) + "|"; });
  const auto outer = array->ObserveDeep([&](absl::Span<const Event> events) { log += Told(events[0].path()) + "|"; });
  Ok(TypeOf(map, "t").AsText()->Insert(0, "y"));
  CHECK(log == "/t|/1/t|");
}

TEST_CASE("types' own observers come first, then deep ones, the transaction's, and the update", "[crdt][events]") {
  Doc doc;
  auto map = doc.GetMap("m");
  Ok(map->Set("n", New(SharedKind::kMap)));
  auto inner = TypeOf(*map, "n").AsMap();
  auto array = doc.GetArray("a");
  std::string log;
  const auto say = [&log](std::string what) { return [&log, what](const auto&) { log += what + "|"; }; };
  std::vector<Subscription> subscriptions;
  subscriptions.push_back(map->ObserveDeep([&](absl::Span<const Event> events) {
    log += "m deep";
    for (const Event& event : events) log += " " + Told(event.path());
    log += "|";
  }));
  subscriptions.push_back(inner->ObserveDeep(say("n deep")));
  subscriptions.push_back(map->Observe(say("m")));
  subscriptions.push_back(inner->Observe(say("n")));
  subscriptions.push_back(array->Observe(say("a")));
  subscriptions.push_back(array->ObserveDeep(say("a deep")));
  subscriptions.push_back(doc.OnTransaction([&](const TransactionEvent& event) {
    CHECK(event.local);
    CHECK(event.changed.size() == 3);
    log += "transaction|";
  }));
  const Subscription listening =
      doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view, std::string_view) { log += "update"; });
  doc.Transact([&] {
    Ok(inner->Set("x", Any(1)));
    Ok(array->Push({Any(1)}));
    Ok(map->Set("y", Any(2)));
  });
  CHECK(log == "n|a|m|n deep|m deep / /n|a deep|transaction|update");
}

TEST_CASE("a transaction and its events tell the origin", "[crdt][events]") {
  Doc doc, other;
  const Text text = *doc.GetText("t");
  std::string log;
  const auto of_text = text.Observe([&](const Event& event) { log += std::string(event.origin()) + " "; });
  const auto of_doc = doc.OnTransaction([&](const TransactionEvent& event) {
    log += std::string(event.origin) + (event.local ? " here|" : " there|");
    if (event.origin == "keyboard") doc.Transact([&] { Ok(doc.GetMap("m")->Set("typed", Any(true))); }, "observer");
  });
  doc.Transact([&] { Ok(doc.GetText("t")->Insert(0, "a")); }, "keyboard");
  CHECK(log == "keyboard keyboard here|observer here|");
  log.clear();
  Ok(other.GetText("t")->Insert(0, "b"));
  Ok(doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1, "a connection"));
  CHECK(log == "a connection a connection there|");
  log.clear();
  Ok(doc.GetText("t")->Insert(0, "c"));
  CHECK(log == "  here|");
}

TEST_CASE("what is inside an untyped root is observed, the root isn't", "[crdt][events]") {
  Doc doc, other;
  Ok(other.GetArray("a")->Insert(0, {New(SharedKind::kMap)}));
  Send(other, doc);
  const SharedType root = *doc.FindRoot("a");
  std::vector<std::string> paths;
  const auto own = root.Observe([&](const Event&) { paths.push_back("own"); });
  const auto deep = root.ObserveDeep([&](absl::Span<const Event> events) { paths.push_back(Told(events[0].path())); });
  Ok(other.GetArray("a")->Insert(0, {Any(1)}));
  Ok(TypeAt(*other.GetArray("a"), 1).AsMap()->Set("k", Any(1)));
  Send(other, doc);
  CHECK(paths == std::vector<std::string>{"/1"});
}

// --- XML

TEST_CASE("an element's event has attributes and children", "[crdt][events]") {
  Doc doc, other;
  auto element = doc.GetRoot("x", SharedKind::kXmlElement);
  auto theirs = other.GetRoot("x", SharedKind::kXmlElement);
  std::vector<std::string> here, there;
  const auto collect = [](std::vector<std::string>& to) {
    return [&to](const Event& event) {
      to.push_back(Told(event.Keys()) + (event.list_changed() ? " children " : "") + Told(event.Delta()));
    };
  };
  const auto own = element->Observe(collect(here));
  const auto remote = theirs->Observe(collect(there));
  Ok(element->AsMap()->Set("key", Any("value")));
  Send(doc, other);
  Ok(element->AsMap()->Delete("key"));
  Send(doc, other);
  Ok(element->AsList()->Insert(0, {NewText("some text", SharedKind::kXmlText)}));
  Send(doc, other);
  Ok(element->AsList()->Delete(0, 1));
  Send(doc, other);
  CHECK(here ==
        std::vector<std::string>{"key add undefined", R"(key delete "value")", " children +<type>", " children -1"});
  CHECK(there == here);
}

// --- subscriptions

TEST_CASE("a subscription that is cancelled inside its callback isn't called again", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  int calls = 0, others = 0;
  Subscription first, second, third;
  first = array->Observe([&](const Event&) {
    ++calls;
    first.Cancel();
    second.Cancel();
  });
  second = array->Observe([&](const Event&) { FAIL("it was cancelled"); });
  third = array->Observe([&](const Event&) { ++others; });
  Ok(array->Push({Any(1)}));
  Ok(array->Push({Any(2)}));
  CHECK(calls == 1);
  CHECK(others == 2);
}

TEST_CASE("an observer that is added while observers are called is called too", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  int calls = 0;
  std::vector<Subscription> added;
  const auto subscription = array->Observe([&](const Event&) {
    if (!added.empty()) return;
    for (int i = 0; i < 100; ++i) added.push_back(array->Observe([&](const Event&) { ++calls; }));
  });
  Ok(array->Push({Any(1)}));
  CHECK(calls == 100);
}

TEST_CASE("a subscription ends when it is destroyed or assigned, and may outlive its document", "[crdt][events]") {
  int calls = 0;
  Subscription outliving;
  {
    Doc doc;
    auto array = doc.GetArray("a");
    {
      const auto scoped = array->Observe([&](const Event&) { ++calls; });
    }
    outliving = array->Observe([&](const Event&) { ++calls; });
    outliving = array->ObserveDeep([&](absl::Span<const Event>) { calls += 10; });
    Ok(array->Push({Any(1)}));
    Doc moved = std::move(doc);
    Ok(moved.GetArray("a")->Push({Any(1)}));
  }
  CHECK(calls == 20);
  outliving.Cancel();
}

TEST_CASE("nothing is observed of a type that is gone, nor of one that takes its number", "[crdt][events]") {
  Doc doc;
  auto array = doc.GetArray("a");
  std::vector<Subscription> subscriptions;
  int calls = 0;
  for (int i = 0; i < 200; ++i) {
    Ok(array->Insert(0, {New(SharedKind::kMap)}));
    const SharedType map = TypeAt(*array, 0);
    subscriptions.push_back(map.Observe([&](const Event&) { ++calls; }));
    Ok(map.AsMap()->Set("k", Any(i)));
    Ok(array->Delete(0, 1));
    CHECK(map.Observe([](const Event&) {}).active() == false);
  }
  CHECK(calls == 200);
}

TEST_CASE("an observer may delete what others observe, and take in updates", "[crdt][events]") {
  Doc doc({.client_id = 1}), other({.client_id = 2});
  auto array = doc.GetArray("a");
  Ok(array->Insert(0, {New(SharedKind::kMap)}));
  const SharedType map = TypeAt(*array, 0);
  Send(doc, other);
  Ok(other.GetArray("a")->Push({Any("theirs")}));
  std::string log;
  const auto first = array->Observe([&](const Event& event) {
    log += "array " + Told(event.Delta()) + "|";
    if (!map.alive()) return;
    Ok(array->Delete(1, 1));
    Send(other, doc);
  });
  const auto second = map.Observe([&](const Event&) { log += "map|"; });
  const auto deep = array->ObserveDeep([&](absl::Span<const Event> events) {
    for (const Event& event : events) log += Told(event.path()) + "|";
  });
  doc.Transact([&] {
    Ok(array->Insert(0, {Any(0)}));
    Ok(map.AsMap()->Set("k", Any(1)));
  });
  CHECK(log == "array +0|/|array =1 -1|/|array =1 +\"theirs\"|/|");
  CHECK(*array->ToJson() == R"([0,"theirs"])");
}

}  // namespace
}  // namespace rivermeet::crdt
