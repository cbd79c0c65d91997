// What waits for something that is missing: the bytes of yjs, which merges and tries it all with every update.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/testing/attack.h"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

// Two who type into one text at the same time, and what each told the other, in turn.
std::vector<std::string> Typed(int rounds, uint32_t seed) {
  std::mt19937 random(seed);
  Doc ada({.client_id = 1}), bob({.client_id = 2});
  std::vector<std::string> ada_told, bob_told, all;
  const Subscription of_ada = ada.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { ada_told.emplace_back(update); });
  const Subscription of_bob = bob.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { bob_told.emplace_back(update); });
  for (int i = 0; i < rounds; ++i) {
    for (Doc* doc : {&ada, &bob}) {
      Text text = *doc->GetText("t");
      const uint64_t length = text.length();
      CHECK(text.Insert(length == 0 ? 0 : random() % length, "some words").ok());
      if (length > 20 && random() % 3 == 0) CHECK(text.Delete(random() % (length - 5), 4).ok());
    }
    const std::vector<std::string> to_bob = std::exchange(ada_told, {}), to_ada = std::exchange(bob_told, {});
    for (const std::string& update : to_bob) CHECK(bob.Apply(update, UpdateFormat::kV1).ok());
    for (const std::string& update : to_ada) CHECK(ada.Apply(update, UpdateFormat::kV1).ok());
    ada_told.clear();  // what came in
    bob_told.clear();
    all.insert(all.end(), to_bob.begin(), to_bob.end());
    all.insert(all.end(), to_ada.begin(), to_ada.end());
  }
  return all;
}

std::string Merged(std::string_view a, std::string_view b) { return *MergeUpdates({a, b}, UpdateFormat::kV2); }

// The same as yjs does it: the document of all that came, where all that waits is merged one after the other.
class Eager {
 public:
  void Take(std::string_view update) {
    Doc alone;
    REQUIRE(alone.Apply(update, UpdateFormat::kV1).ok());
    const std::string state = alone.EncodeState(UpdateFormat::kV2);
    all_ = all_.empty() ? state : Merged(all_, state);
  }
  const std::string& all() const { return all_; }

 private:
  std::string all_;
};

TEST_CASE("updates that wait come out as if each were merged with those before it", "[crdt][pending]") {
  const uint32_t seed = GENERATE(range(0u, 12u));
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::vector<std::string> updates = Typed(40, seed);
  updates.erase(updates.begin(), updates.begin() + 2);  // without the first of each nothing can be applied
  // Some come twice, some together with others.
  for (int i = 0; i < 20; ++i) {
    const std::string& one = updates[random() % updates.size()];
    updates.push_back(i % 2 == 0 ? one : *MergeUpdates({one, updates[random() % updates.size()]}, UpdateFormat::kV1));
  }
  std::shuffle(updates.begin(), updates.end(), random);
  Doc doc;
  Eager eager;
  for (const std::string& update : updates) {
    REQUIRE(doc.Apply(update, UpdateFormat::kV1).ok());
    eager.Take(update);
    REQUIRE(doc.StructCount() == 0);
    REQUIRE(doc.EncodeState(UpdateFormat::kV2) == Merged(Doc().EncodeState(UpdateFormat::kV2), eager.all()));
  }
}

TEST_CASE("what was collected meets an item that waits as it does in a merge", "[crdt][pending]") {
  const auto waiting = [](uint64_t clock) {
    return internal::Behind(internal::Text({1, clock}, "", "x"), {1, clock - 1});
  };
  Doc doc;
  Eager eager;
  for (const std::vector<internal::WireStruct>& structs :
       {std::vector{waiting(5)}, std::vector{waiting(9)},
        std::vector{internal::OfKind(waiting(5), internal::ContentKind::kGc)}}) {
    const std::string update = internal::Update(structs, UpdateFormat::kV1);
    REQUIRE(doc.Apply(update, UpdateFormat::kV1).ok());
    eager.Take(update);
    CHECK(internal::Hexed(doc.EncodeState(UpdateFormat::kV2)) ==
          internal::Hexed(Merged(Doc().EncodeState(UpdateFormat::kV2), eager.all())));
  }
}

TEST_CASE("thousands of updates in reverse order come in once the first is there", "[crdt][pending]") {
  Doc writer({.client_id = 7});
  std::vector<std::string> updates;
  const Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  Text text = *writer.GetText("t");
  for (int i = 0; i < 10'000; ++i) {
    CHECK(text.Insert(i % 7 == 0 ? 0 : text.length(), "x").ok());
    if (i % 5 == 4) CHECK(text.Delete(text.length() / 2, 1).ok());
  }
  Doc doc;
  for (size_t i = updates.size(); i-- > 1;) REQUIRE(doc.Apply(updates[i], UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  CHECK(doc.StructCount() == 0);
  REQUIRE(doc.Apply(updates[0], UpdateFormat::kV1).ok());
  CHECK_FALSE(doc.HasPending());
  CHECK(doc.EncodeState(UpdateFormat::kV1) == writer.EncodeState(UpdateFormat::kV1));
}

TEST_CASE("what waits for this document's own edits goes on with the next update after them", "[crdt][pending]") {
  Doc doc({.client_id = 5});
  // Behind the third character that client 5 is going to type.
  const std::string update =
      internal::Update({internal::Behind(internal::Text({9, 0}, "", "!"), {5, 2})}, UpdateFormat::kV1);
  const std::string deletion = internal::Hex("000105010101");  // the second one
  REQUIRE(doc.Apply(update, UpdateFormat::kV1).ok());
  REQUIRE(doc.Apply(deletion, UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  CHECK(doc.GetText("t")->Insert(0, "abc").ok());
  CHECK(doc.HasPending());
  REQUIRE(doc.Apply(internal::Hex("0000"), UpdateFormat::kV1).ok());  // says nothing
  CHECK_FALSE(doc.HasPending());
  CHECK(doc.GetText("t")->PlainText() == "ac!");
}

// The order is that of yjs 13.6.33.
TEST_CASE("what goes on comes in the order in which all that waits is tried", "[crdt][pending]") {
  using internal::Inside, internal::OfKind, internal::Text, internal::Under;
  const auto named = [](UnitId id, std::string_view key) { return Under(Inside(Text(id, "", "x"), {30, 0}), key); };
  internal::WireStruct map_type = Under(OfKind(Text({30, 0}, "m", ""), internal::ContentKind::kType), "of");
  map_type.content.type = internal::TypeRef::kMap;
  // 9 waits for the second of 1, which never comes, but lets the first one of 1 come before that of 5.
  const std::string waiting = internal::Update({internal::Behind(Text({9, 0}, "", "y"), {1, 1}), named({5, 0}, "five"),
                                                named({1, 0}, "one"), internal::Behind(Text({1, 1}, "", "b"), {40, 0})},
                                               UpdateFormat::kV1);
  Doc doc;
  REQUIRE(doc.Apply(waiting, UpdateFormat::kV1).ok());
  REQUIRE(doc.Apply(internal::Update({map_type}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(*doc.GetMap("m")->ToJson() == R"({"of":{"one":"x","five":"x"}})");
}

// An update of V1 that only deletes, of clients in the order given.
std::string Deleting(std::vector<std::pair<uint64_t, std::vector<ClockRange>>> clients) {
  internal::WireDeleteSet deletes;
  for (auto& [client, ranges] : clients) deletes.RangesOf(client) = std::move(ranges);
  return internal::Update({}, UpdateFormat::kV1, deletes);
}

TEST_CASE("ranges that wait are one where they touch, but not those of the first update", "[crdt][pending]") {
  Doc doc;
  REQUIRE(doc.Apply(Deleting({{1, {{4, 2}, {6, 2}}}, {2, {{0, 1}}}}), UpdateFormat::kV1).ok());
  CHECK(internal::Hexed(doc.EncodeState(UpdateFormat::kV1)) ==
        internal::Hexed(Deleting({{1, {{4, 4}}}, {2, {{0, 1}}}})));
  CHECK(doc.EncodeState(UpdateFormat::kV2) ==
        *MergeUpdates(
            {Doc().EncodeState(UpdateFormat::kV2),
             *ConvertUpdate(Deleting({{1, {{4, 2}, {6, 2}}}, {2, {{0, 1}}}}), UpdateFormat::kV1, UpdateFormat::kV2)},
            UpdateFormat::kV2));
  REQUIRE(doc.Apply(Deleting({{1, {{8, 1}, {20, 1}}}, {3, {{5, 5}}}}), UpdateFormat::kV1).ok());
  CHECK(internal::Hexed(doc.EncodeState(UpdateFormat::kV1)) ==
        internal::Hexed(Deleting({{1, {{4, 5}, {20, 1}}}, {2, {{0, 1}}}, {3, {{5, 5}}}})));
  // A client that comes as far as the middle of a range.
  REQUIRE(
      doc.Apply(internal::Update({internal::Text({1, 0}, "t", "abcdefg")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  CHECK(doc.GetText("t")->PlainText() == "abcd");
  REQUIRE(doc.Apply(internal::Update({internal::Behind(internal::Text({1, 7}, "", "hijk"), {1, 6})}, UpdateFormat::kV1),
                    UpdateFormat::kV1)
              .ok());
  CHECK(doc.GetText("t")->PlainText() == "abcdjk");
}

TEST_CASE("what comes twice while it waits counts once", "[crdt][pending]") {
  const Limits limits{.max_structs = 5, .max_clients = 3};
  Doc doc({.limits = limits});
  const auto waiting = [](uint64_t client, uint64_t clock) {
    return internal::Update({internal::Behind(internal::Text({client, clock}, "", "x"), {client, clock - 1})},
                            UpdateFormat::kV1);
  };
  for (int i = 0; i < 10; ++i) {
    REQUIRE(doc.Apply(waiting(1, 5), UpdateFormat::kV1).ok());
    REQUIRE(doc.Apply(waiting(2, 9), UpdateFormat::kV1).ok());
  }
  REQUIRE(doc.Apply(waiting(1, 9), UpdateFormat::kV1).ok());
  REQUIRE(doc.Apply(waiting(1, 7), UpdateFormat::kV1).ok());
  REQUIRE(doc.Apply(waiting(1, 6), UpdateFormat::kV1).ok());
  CHECK(doc.Apply(waiting(1, 11), UpdateFormat::kV1).code() == absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace rivermeet::crdt
