// The cases of yjs's own tests of arrays (tests/y-array.tests.js) but for those on events (events_test.cc), and some
// more.
#include <limits>
#include <string>

#include "catch2/catch.hpp"
#include "crdt/testing/peers.h"

namespace rivermeet::crdt {
namespace {

// The elements [`from`, `to`) as JSON.
std::string Slice(const List& list, uint64_t from, uint64_t to = std::numeric_limits<uint64_t>::max()) {
  std::string json;
  for (const Value& value : list.ToValues(from, to)) json += Told(value) + " ";
  return json;
}

TEST_CASE("a slice of a list has its elements as far as there are any", "[crdt]") {
  Doc doc;
  List list = *doc.GetArray("array");
  CHECK(Slice(list, 0).empty());
  Ok(list.Insert(0, {Any(1), Any(2), Any(3)}));
  CHECK(Slice(list, 0) == "1 2 3 ");
  CHECK(Slice(list, 1) == "2 3 ");
  CHECK(Slice(list, 0, 2) == "1 2 ");
  Ok(list.Insert(0, {Any(0)}));
  Ok(list.Insert(2, {New(SharedKind::kMap), Any("x")}));
  CHECK(Slice(list, 0) == "0 1 <type> \"x\" 2 3 ");
  CHECK(Slice(list, 1, 3) == "1 <type> ");
  CHECK(Slice(list, 3, 5) == "\"x\" 2 ");
  CHECK(Slice(list, 5, 100) == "3 ");
  CHECK(Slice(list, 2, 2).empty());
  CHECK(Slice(list, 3, 1).empty());
  CHECK(Slice(list, 6).empty());
  Ok(list.Delete(1, 4));
  CHECK(Slice(list, 1, 2) == "3 ");
}

TEST_CASE("a new list starts with the elements that it is given", "[crdt]") {
  Doc doc;
  Map root = *doc.GetMap("root");
  Ok(root.Set("array", NewType{.kind = SharedKind::kArray, .items = {Any(0), Any(1), Any(2)}}));
  CHECK(*root.ToJson() == R"({"array":[0,1,2]})");
}

TEST_CASE("a list is as long as it has elements after every edit, also inside a transaction", "[crdt]") {
  Doc doc;
  List list = *doc.GetArray("array");
  const auto edit = [&](const absl::Status& status) {
    Ok(status);
    CHECK(list.length() == list.ToValues().size());
  };
  edit(list.Push({Any(0), Any(1), Any(2), Any(3)}));
  edit(list.Delete(0, 1));
  edit(list.Insert(0, {Any(0)}));
  doc.Transact([&] {
    for (const uint64_t at : {1, 2}) {
      edit(list.Delete(at, 1));
      edit(list.Insert(at, {Any(static_cast<double>(at))}));
    }
  });
  edit(list.Delete(1, 1));
  edit(list.Insert(1, {Any(1)}));
  CHECK(*list.ToJson() == "[0,1,2,3]");
}

TEST_CASE("an insertion past the end fails and leaves the transaction as it was", "[crdt]") {
  Doc doc;
  List list = *doc.GetArray("");
  Ok(list.Insert(0, {Any("group2")}));
  Ok(list.Insert(1, {Any("rectangle3")}));
  doc.Transact([&] {
    Ok(list.Delete(0, 1));
    Ok(list.Insert(0, {Any("rectangle3")}));
  });
  Ok(list.Delete(1, 1));
  for (const uint64_t at : {1, 2, 3}) Ok(list.Insert(at, {Any("ellipse")}));
  doc.Transact([&] {
    doc.Transact([&] {
      CHECK(list.Insert(5, {Any("rectangle2")}).code() == absl::StatusCode::kOutOfRange);
      Ok(list.Insert(4, {Any("rectangle2")}));
    });
    doc.Transact([&] { Ok(list.Delete(4, 1)); });
  });
  CHECK(*list.ToJson() == R"(["rectangle3","ellipse","ellipse","ellipse"])");
}

TEST_CASE("nothing can be deleted anywhere, but no more than there is", "[crdt]") {
  Peers peers(2);
  List list = peers.array(0);
  Ok(list.Delete(0, 0));
  CHECK(list.Delete(1, 1).code() == absl::StatusCode::kOutOfRange);
  Ok(list.Insert(0, {Any("A")}));
  Ok(list.Delete(1, 0));
  CHECK(list.length() == 1);
  CHECK(list.Delete(0, 2).code() == absl::StatusCode::kOutOfRange);
  CHECK(list.length() == 0);
  peers.CheckAgree();
}

TEST_CASE("what is put into a list is there for others, too", "[crdt]") {
  Peers peers(2);
  Ok(peers.array(0).Insert(0, {Any(1), Any(true), Any(false)}));
  CHECK(*peers.array(0).ToJson() == "[1,true,false]");
  CHECK(*peers.array(1).ToJson() == "[]");
  peers.Deliver();
  CHECK(*peers.array(1).ToJson() == "[1,true,false]");
  peers.CheckAgree();
}

TEST_CASE("of those who insert at one place at once the lowest number comes first", "[crdt]") {
  Peers peers(3);
  for (size_t peer : {1, 2, 0}) Ok(peers.array(peer).Insert(0, {Any(static_cast<double>(peer))}));
  peers.CheckAgree();
  CHECK(*peers.array(0).ToJson() == "[0,1,2]");
}

TEST_CASE("what is inserted stays where it was put when its neighbours are deleted at once", "[crdt]") {
  Peers peers(3);
  Ok(peers.array(0).Insert(0, {Any("x"), Any("y"), Any("z")}));
  peers.Deliver();
  Ok(peers.array(0).Insert(1, {Any(0)}));
  Ok(peers.array(1).Delete(0, 1));
  Ok(peers.array(1).Delete(1, 1));
  Ok(peers.array(2).Insert(1, {Any(2)}));
  peers.CheckAgree();
  CHECK(*peers.array(1).ToJson() == R"([0,2,"y"])");
}

TEST_CASE("who was away gets what the others did meanwhile, and they get his", "[crdt]") {
  Peers peers(3);
  Ok(peers.array(0).Insert(0, {Any("x"), Any("y")}));
  peers.Deliver();
  peers.Disconnect(1);
  peers.Disconnect(2);
  for (size_t peer = 0; peer < 3; ++peer) {
    Ok(peers.array(peer).Insert(1, {Any("user" + std::to_string(peer))}));
  }
  peers.Deliver();
  CHECK(*peers.array(0).ToJson() == R"(["x","user0","y"])");
  CHECK(*peers.array(1).ToJson() == R"(["x","user1","y"])");
  peers.Connect(1);
  peers.Connect(2);
  peers.CheckAgree();
  CHECK(*peers.array(1).ToJson() == R"(["x","user0","user1","user2","y"])");
}

TEST_CASE("what two delete while one is away is deleted once", "[crdt]") {
  Peers peers(2);
  Ok(peers.array(0).Insert(0, {Any("x"), Any("y")}));
  peers.Deliver();
  peers.Disconnect(1);
  Ok(peers.array(1).Delete(1, 1));
  Ok(peers.array(0).Delete(0, 2));
  peers.Connect(1);
  peers.CheckAgree();
  CHECK(*peers.array(1).ToJson() == "[]");
}

TEST_CASE("who wrote something learns when he is back that others deleted it", "[crdt]") {
  Peers peers(2);
  Ok(peers.array(0).Insert(0, {Any("x"), Any("y"), Any("z")}));
  peers.Deliver();
  peers.Disconnect(0);
  Ok(peers.array(1).Delete(0, 3));
  CHECK(*peers.array(0).ToJson() == R"(["x","y","z"])");
  peers.CheckAgree();
  CHECK(*peers.array(0).ToJson() == "[]");
}

TEST_CASE("content that somebody deleted and collected while he was away is gone for all", "[crdt]") {
  Peers peers(3);
  Ok(peers.array(0).Insert(0, {Any("x"), Any("y"), Any("z")}));
  peers.Deliver();
  peers.Disconnect(0);
  Ok(peers.array(0).Delete(0, 3));
  peers.Connect(0);
  peers.CheckAgree();
  CHECK(peers.doc(2).StructCount() == 1);
  CHECK(peers.doc(2).EncodeState(UpdateFormat::kV1).find('x') == std::string::npos);
}

TEST_CASE("types in a list are reached one after the other", "[crdt]") {
  Doc doc;
  List list = *doc.GetArray("arr");
  for (int i = 0; i < 10; ++i) {
    Ok(list.Push({NewType{.kind = SharedKind::kMap, .entries = {{"value", Any(i)}}}}));
  }
  double expected = 0;
  for (const Value& value : list.ToValues()) {
    CHECK(std::get<Any>(*std::get<SharedType>(value).Entry("value")) == Any(expected++));
  }
  CHECK(expected == 10);
}

}  // namespace
}  // namespace rivermeet::crdt
