// The cases of yjs's own tests of maps (tests/y-map.tests.js) but for those on events (events_test.cc), and some more.
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/events.h"
#include "crdt/relative_position.h"
#include "crdt/testing/peers.h"

namespace rivermeet::crdt {
namespace {

TEST_CASE("numbers, texts and booleans go in as they are", "[crdt]") {
  Doc doc({.client_id = 1});
  Map map = *doc.GetMap("m");
  CHECK(map.Set("int", 1).ok());
  CHECK(map.Set("size", std::string("four").size()).ok());
  CHECK(map.Set("large", int64_t{1} << 40).ok());
  CHECK(map.Set("half", 0.5F).ok());
  CHECK(map.Set("yes", true).ok());
  CHECK(map.Set("literal", "text").ok());
  CHECK(map.Set("string", std::string("text")).ok());
  CHECK(doc.GetArray("a")->Push({1, "two", false}).ok());
  CHECK(*doc.ToJson() ==
        R"({"m":{"int":1,"size":4,"large":1099511627776,"half":0.5,"yes":true,"literal":"text","string":"text"},)"
        R"("a":[1,"two",false]})");
}

Any AnyOf(const SharedType& map, std::string_view key) { return std::get<Any>(*map.Entry(key)); }

TEST_CASE("a map's keys come in the order in which they were set first, each with its value", "[crdt]") {
  Doc doc;
  Map map = *doc.GetMap("");
  CHECK(map.Keys().empty());
  Ok(map.Set("b", Any(1)));
  Ok(map.Set("a", Any(2)));
  Ok(map.Set("10", Any(3)));
  Ok(map.Set("b", Any(4)));
  CHECK(map.Keys() == std::vector<std::string>{"b", "a", "10"});
  Ok(map.Delete("b"));
  Ok(map.Set("b", Any(5)));
  std::string told;
  for (const std::string& key : map.Keys()) told += key + "=" + *AnyOf(map, key).ToJson() + " ";
  CHECK(told == "b=5 a=2 10=3 ");
}

TEST_CASE("a new map starts with the entries that it is given", "[crdt]") {
  Doc doc;
  Map root = *doc.GetMap("map");
  const NewType first{.kind = SharedKind::kMap, .entries = {{"number", Any(1)}, {"string", Any("hello")}}};
  const NewType second{.kind = SharedKind::kMap,
                       .entries = {{"object", Any(Any::Object{{"x", 1}})}, {"boolean", Any(true)}}};
  NewType both = first;
  both.entries.insert(both.entries.end(), second.entries.begin(), second.entries.end());
  Ok(root.Set("m1", first));
  Ok(root.Set("m2", second));
  Ok(root.Set("m3", both));
  CHECK(*root.ToJson() == R"({"m1":{"number":1,"string":"hello"},"m2":{"object":{"x":1},"boolean":true},)"
                          R"("m3":{"number":1,"string":"hello","object":{"x":1},"boolean":true}})");
}

TEST_CASE("values of every kind reach those who are there and who come later", "[crdt]") {
  Peers peers(3);
  peers.Disconnect(2);
  Map map = peers.map(0);
  Ok(map.Set("null", Any(Any::Null())));
  Ok(map.Set("number", Any(1)));
  Ok(map.Set("string", Any("hello Y")));
  Ok(map.Set("object", Any(Any::Object{{"key", Any(Any::Object{{"key2", "value"}})}})));
  Ok(map.Set("y-map", New(SharedKind::kMap)));
  Ok(map.Set("boolean1", Any(true)));
  Ok(map.Set("boolean0", Any(false)));
  Ok(TypeOf(map, "y-map").AsMap()->Set("y-array", New(SharedKind::kArray)));
  const SharedType array = TypeOf(TypeOf(map, "y-map"), "y-array");
  Ok(array.AsList()->Insert(0, {Any(0)}));
  Ok(array.AsList()->Insert(0, {Any(-1)}));
  constexpr std::string_view kAll =
      R"({"null":null,"number":1,"string":"hello Y","object":{"key":{"key2":"value"}},"y-map":{"y-array":[-1,0]},)"
      R"("boolean1":true,"boolean0":false})";
  CHECK(*map.ToJson() == kAll);
  peers.Deliver();
  CHECK(*peers.map(1).ToJson() == kAll);
  CHECK(*peers.map(2).ToJson() == "{}");
  peers.Connect(2);
  CHECK(*peers.map(2).ToJson() == kAll);
  CHECK(peers.map(2).Keys().size() == 7);
  peers.CheckAgree();
}

TEST_CASE("a key that is undefined is there, null is a value, and no key is neither", "[crdt]") {
  Peers peers(2);
  Ok(peers.map(0).Set("stuff", Any("stuffy")));
  Ok(peers.map(0).Set("undefined", Any()));
  Ok(peers.map(0).Set("null", Any(Any::Null())));
  peers.Deliver();
  for (size_t peer = 0; peer < 2; ++peer) {
    CHECK(AnyOf(peers.map(peer), "stuff") == Any("stuffy"));
    CHECK(AnyOf(peers.map(peer), "undefined").is_undefined());
    CHECK(AnyOf(peers.map(peer), "null").is_null());
    CHECK_FALSE(peers.map(peer).Entry("nothing").has_value());
  }
  peers.CheckAgree();
}

TEST_CASE("types in a map are edited where they are", "[crdt]") {
  Peers peers(2);
  Ok(peers.map(0).Set("Map", New(SharedKind::kMap)));
  Ok(peers.map(0).Set("Array", New(SharedKind::kArray)));
  Ok(TypeOf(peers.map(0), "Map").AsMap()->Set("one", Any(1)));
  Ok(TypeOf(peers.map(0), "Array").AsList()->Insert(0, {Any(1), Any(2), Any(3)}));
  CHECK(*peers.map(0).ToJson() == R"({"Map":{"one":1},"Array":[1,2,3]})");
  peers.CheckAgree();
}

TEST_CASE("of those who set a key at once the last value of the one with the highest number stays", "[crdt]") {
  Peers peers(3);
  Ok(peers.map(1).Set("stuff", Any("c1")));
  Ok(peers.map(0).Set("stuff", Any("c0")));
  peers.Deliver();
  for (size_t peer = 0; peer < 3; ++peer) CHECK(AnyOf(peers.map(peer), "stuff") == Any("c1"));
  Ok(peers.map(2).Set("three", Any("c3")));
  Ok(peers.map(1).Set("three", Any("c1")));
  Ok(peers.map(1).Set("three", Any("c2")));
  Ok(peers.map(0).Set("three", Any("c0")));
  peers.Deliver();
  for (size_t peer = 0; peer < 3; ++peer) CHECK(AnyOf(peers.map(peer), "three") == Any("c3"));
  peers.CheckAgree();
}

TEST_CASE("a key that is deleted isn't counted any more", "[crdt]") {
  Doc doc;
  Map map = *doc.GetMap("map");
  Ok(map.Set("stuff", Any("c0")));
  Ok(map.Set("otherstuff", Any("c1")));
  CHECK(map.Keys().size() == 2);
  Ok(map.Delete("stuff"));
  CHECK(map.Keys().size() == 1);
  Ok(map.Delete("stuff"));
  Ok(map.Delete("otherstuff"));
  CHECK(map.Keys().empty());
}

TEST_CASE("a key is gone when the one whose value stays has deleted it", "[crdt]") {
  Peers peers(4);
  Ok(peers.map(0).Set("stuff", Any("c0")));
  Ok(peers.map(1).Set("stuff", Any("c1")));
  Ok(peers.map(1).Delete("stuff"));
  peers.Deliver();
  for (size_t peer = 0; peer < 4; ++peer) CHECK_FALSE(peers.map(peer).Entry("stuff").has_value());
  // The same over a value that all know.
  Ok(peers.map(2).Set("stuff", Any("known")));
  peers.Deliver();
  Ok(peers.map(0).Set("stuff", Any("deleteme")));
  Ok(peers.map(1).Set("stuff", Any("c1")));
  Ok(peers.map(2).Set("stuff", Any("c2")));
  Ok(peers.map(3).Set("stuff", Any("c3")));
  Ok(peers.map(3).Delete("stuff"));
  peers.Deliver();
  for (size_t peer = 0; peer < 4; ++peer) CHECK_FALSE(peers.map(peer).Entry("stuff").has_value());
  peers.CheckAgree();
}

TEST_CASE("a map that is cleared is empty for all, but for what others set over the one who cleared it", "[crdt]") {
  Peers peers(4);
  Ok(peers.map(0).Set("stuff", Any("c0")));
  Ok(peers.map(1).Set("stuff", Any("c1")));
  Ok(peers.map(1).Set("stuff", Any("c2")));
  Ok(peers.map(2).Set("stuff", Any("c3")));
  peers.Deliver();
  for (size_t peer = 0; peer < 4; ++peer) Ok(peers.map(peer).Set("otherstuff", Any(static_cast<double>(peer))));
  Ok(peers.map(3).Clear());
  CHECK(peers.map(3).Keys().empty());
  peers.Deliver();
  for (size_t peer = 0; peer < 4; ++peer) CHECK(peers.map(peer).Keys().empty());
  for (size_t peer = 0; peer < 4; ++peer) Ok(peers.map(peer).Set("more", Any(static_cast<double>(peer))));
  Ok(peers.map(2).Clear());
  peers.Deliver();
  for (size_t peer = 0; peer < 4; ++peer) CHECK(*peers.map(peer).ToJson() == R"({"more":3})");
  peers.CheckAgree();
}

// What identifies a type, in whatever document.
UnitId IdOf(const SharedType& type) { return *RelativePosition::At(type, 0)->type; }

TEST_CASE("of two types set at once all keep the same one, and deep observers hear of it", "[crdt][events]") {
  Peers peers(4);
  Ok(peers.map(1).Set("map", New(SharedKind::kMap)));
  std::vector<std::string> heard;
  std::vector<UnitId> ids;
  const auto subscription = peers.map(1).ObserveDeep([&](absl::Span<const Event> events) {
    for (const Event& event : events) {
      for (const std::string& key : event.TouchedKeys()) heard.push_back(Told(event.path()) + " " + key);
      ids.push_back(IdOf(TypeOf(event.target(), "deepmap")));
    }
  });
  peers.Deliver();
  Ok(TypeOf(peers.map(3), "map").AsMap()->Set("deepmap", New(SharedKind::kMap)));
  Ok(TypeOf(peers.map(2), "map").AsMap()->Set("deepmap", New(SharedKind::kMap)));
  peers.Deliver();
  REQUIRE_FALSE(heard.empty());
  for (const std::string& each : heard) CHECK(each == "/map deepmap");
  for (size_t peer = 0; peer < 4; ++peer) {
    const UnitId kept = IdOf(TypeOf(TypeOf(peers.map(peer), "map"), "deepmap"));
    CHECK(kept.client == 3);
    CHECK(kept == ids.back());
  }
  peers.CheckAgree();
}

TEST_CASE("a key has its new value already when the change is told, whoever set it", "[crdt][events]") {
  Peers peers(3);
  std::vector<Any> values;
  const auto subscription =
      peers.map(0).Observe([&](const Event& event) { values.push_back(AnyOf(event.target(), event.Keys()[0].key)); });
  Ok(peers.map(0).Set("stuff", Any(2)));
  CHECK(values == std::vector<Any>{Any(2)});
  peers.Deliver();
  Ok(peers.map(1).Set("stuff", Any(3)));
  peers.Deliver();
  CHECK(values == std::vector<Any>{Any(2), Any(3)});
  peers.CheckAgree();
}

}  // namespace
}  // namespace rivermeet::crdt
