#include "crdt/doc_loader.h"

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/insertable.h"
#include "crdt/internal/session.h"
#include "crdt/testing/attack.h"
#include "crdt/update.h"
#include "testing/shared_data.h"

namespace rivermeet::crdt {
namespace {

void CheckLoads(std::string_view update, UpdateFormat format, bool gc = true) {
  for (const uint64_t work : {1, 2, 17, 1000}) {
    CAPTURE(work);
    CHECK(internal::LoadDifference(update, format, {.client_id = 1, .gc = gc}, work) == "");
  }
}

void CheckLoads(const Doc& doc) {
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    CheckLoads(doc.EncodeState(format), format);
    CheckLoads(doc.EncodeState(format), format, /*gc=*/false);
  }
}

// `count` elements, each put before the last and deleted: nothing of them merges.
std::string Tombstones(uint64_t count) {
  std::vector<internal::WireStruct> items;
  for (uint64_t clock = 0; clock < count; ++clock) {
    items.push_back(internal::OfKind(internal::Text({5, clock}, "t", ""), internal::ContentKind::kDeleted));
    if (clock > 0) items.back() = internal::Before(items.back(), {5, clock - 1});
  }
  return internal::Update(items, UpdateFormat::kV1);
}

int StepsOf(std::string_view update, uint64_t work) {
  DocLoader loader(update, UpdateFormat::kV1);
  int steps = 1;
  for (; !loader.Step(work).value(); ++steps) continue;
  return steps;
}

// A map of one key whose value, a list of that many lists, was replaced while nobody collected garbage.
Doc Replaced(int lists) {
  Doc doc({.client_id = 3, .gc = false});
  Map map = *doc.GetMap("m");
  NewType list{.kind = SharedKind::kArray};
  for (int i = 0; i < lists; ++i) list.items.emplace_back(NewType{.kind = SharedKind::kArray, .items = {Any(i)}});
  CHECK(map.Set("k", list).ok());
  CHECK(map.Set("k", Any("instead")).ok());
  return doc;
}

TEST_CASE("whatever a document encodes is loaded again under its limits, and restored", "[crdt]") {
  const uint64_t count = Limits().max_repeats + 1'000;
  Doc doc({.client_id = 1, .gc = false});
  REQUIRE(doc.Apply(Tombstones(count), UpdateFormat::kV1).ok());
  REQUIRE(doc.StructCount() == count);
  const std::string state = doc.EncodeState(UpdateFormat::kV2);
  REQUIRE(state.size() < 100);
  CHECK(internal::Exhausted(Doc().Apply(state, UpdateFormat::kV2)));
  DocLoader loader(state, UpdateFormat::kV2);
  while (!loader.Step().value()) continue;
  CHECK(loader.Take().EncodeState(UpdateFormat::kV2) == state);
  absl::StatusOr<Doc> restored = doc.RestoreSnapshot(doc.TakeSnapshot());
  REQUIRE(restored.ok());
  CHECK(restored->EncodeState(UpdateFormat::kV2) == state);
  // The document's own limit holds.
  DocLoader full(state, UpdateFormat::kV2, {.limits = {.max_structs = count - 1}});
  CHECK(internal::Exhausted(full.Step(1'000'000).status()));
}

TEST_CASE("the real documents come to the same in steps", "[crdt][loader]") {
  for (const auto& [name, format] :
       {std::pair{"S1.yjs", UpdateFormat::kV2}, std::pair{"S3.yjs", UpdateFormat::kV2},
        std::pair{"A1.yjs", UpdateFormat::kV2}, std::pair{"b4-update.bin", UpdateFormat::kV1}}) {
    CAPTURE(name);
    const std::string path = testing::SharedDataPath("yjs/") + name;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      WARN("skipped: " << path << " isn't there: tests/load/crdt/README.md says how to get it");
      continue;
    }
    const std::string update{std::istreambuf_iterator<char>(file), {}};
    CHECK(internal::LoadDifference(update, format, {.client_id = 1}, /*work=*/777) == "");
    const UpdateFormat other_format = format == UpdateFormat::kV1 ? UpdateFormat::kV2 : UpdateFormat::kV1;
    const std::string converted = *ConvertUpdate(update, format, other_format);
    CHECK(internal::LoadDifference(converted, other_format, {.client_id = 1}, /*work=*/5000) == "");
  }
}

TEST_CASE("types that were replaced, with all that is in them, are deleted and collected in steps", "[crdt][loader]") {
  const Doc doc = Replaced(50);
  CheckLoads(doc);
  // The document in which it happens in one transaction: first the list alone, then what replaces it, deletes nothing.
  std::string state = doc.EncodeState(UpdateFormat::kV1);
  const std::string structs_only = *DiffUpdate(state, internal::Hex("00"), UpdateFormat::kV1);
  CheckLoads(structs_only, UpdateFormat::kV1);
}

TEST_CASE("deletions are noted in the order in which yjs makes them, though what is inside is deleted later",
          "[crdt][loader]") {
  Doc doc({.client_id = 10, .gc = false});
  REQUIRE(doc.GetMap("m")->Set("k", NewType{.kind = SharedKind::kArray}).ok());
  for (const uint64_t client : {20, 30}) {
    Doc other({.client_id = client, .gc = false});
    REQUIRE(other.Apply(doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
    const Value list = *other.GetMap("m")->Entry("k");
    REQUIRE(std::get<SharedType>(list).AsList()->Push({Any(1)}).ok());
    REQUIRE(doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  }
  internal::Session& session = internal::HandleAccess::SessionOf(doc);
  std::vector<uint64_t> order;
  session.transactor.hooks.done = [&](internal::Transaction& transaction) {
    for (const auto& deleted : transaction.deleted()) order.push_back(session.document.structs[deleted.client].id);
  };
  // Client 30 replaces the list by something that he has deleted since.
  const auto deleted = internal::OfKind(internal::Text({30, 1}, "", ""), internal::ContentKind::kDeleted);
  REQUIRE(doc.Apply(internal::Update({internal::Behind(deleted, {10, 0})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(order == std::vector<uint64_t>{10, 20, 30});
}

TEST_CASE("text of several who typed at the same places is cut and merged in steps", "[crdt][loader]") {
  const Attributes bold = {{"bold", Any(true)}}, plain = {{"bold", Any(Any::Null())}};
  std::mt19937 random(5);
  Doc docs[] = {Doc({.client_id = 1}), Doc({.client_id = 2}), Doc({.client_id = 3})};
  std::vector<std::string> updates;
  for (int i = 0; i < 60; ++i) {
    Doc& doc = docs[random() % 3];
    Text text = *doc.GetText("t");
    const uint64_t length = text.length();
    REQUIRE(text.Insert(random() % (length + 1), i % 3 == 0 ? "na\xc3\xafve" : "plain").ok());
    if (length > 12) REQUIRE(text.Delete(random() % (length - 6), 6).ok());
    if (length > 12) REQUIRE(text.Format(random() % (length - 6), 5, i % 2 == 0 ? bold : plain).ok());
    Doc& other = docs[random() % 3];
    REQUIRE(other.Apply(doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
    updates.push_back(doc.EncodeState(UpdateFormat::kV1));
  }
  for (const Doc& doc : docs) CheckLoads(doc);
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  CheckLoads(*MergeUpdates(views, UpdateFormat::kV1), UpdateFormat::kV1);
}

TEST_CASE("many single characters, none of them ASCII, become one struct in steps", "[crdt][loader]") {
  Doc writer({.client_id = 1});
  std::vector<std::string> updates;
  const Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  for (int i = 0; i < 500; ++i) REQUIRE(writer.GetText("t")->Insert(i, "\xc3\xa9").ok());
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  const std::string merged = *MergeUpdates(views, UpdateFormat::kV1);
  CheckLoads(merged, UpdateFormat::kV1);
  DocLoader loader(merged, UpdateFormat::kV1);
  while (!loader.Step(3).value()) continue;
  CHECK(loader.Take().StructCount() == 1);
}

TEST_CASE("deleted text is thrown away in steps", "[crdt][loader]") {
  Doc writer({.client_id = 1, .gc = false});
  Text text = *writer.GetText("t");
  for (int i = 0; i < 300; ++i) REQUIRE(text.Insert(0, std::string(1000, static_cast<char>('a' + i % 26))).ok());
  REQUIRE(text.Delete(500, 298'000).ok());
  CheckLoads(writer);
  const std::string state = writer.EncodeState(UpdateFormat::kV1);
  DocLoader loader(state, UpdateFormat::kV1);
  while (!loader.Step(10).value()) continue;
  CHECK(loader.Take().MemoryBytes() < state.size() / 2);
}

TEST_CASE("what has to wait for others waits after loading, too", "[crdt][loader]") {
  Doc writer({.client_id = 1});
  std::vector<std::string> updates;
  const Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  Text text = *writer.GetText("t");
  for (int i = 0; i < 40; ++i) {
    REQUIRE(text.Insert(text.length() / 2, "word").ok());
    if (i % 4 == 3) REQUIRE(text.Delete(i, 2).ok());
  }
  updates.erase(updates.begin() + 5);
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  const std::string gaps = *MergeUpdates(views, UpdateFormat::kV1);
  CheckLoads(gaps, UpdateFormat::kV1);
  CheckLoads(*ConvertUpdate(gaps, UpdateFormat::kV1, UpdateFormat::kV2), UpdateFormat::kV2);
}

TEST_CASE("a step does about what it is told, in every part of the work", "[crdt][loader]") {
  constexpr int kLists = 400;
  const Doc doc = Replaced(kLists);
  const std::string state = doc.EncodeState(UpdateFormat::kV1);
  const uint64_t structs = doc.StructCount();
  // Reading, reading for how deep types nest, integrating, deleting what is inside, collecting, merging.
  CHECK(StepsOf(state, 1) > static_cast<int>(6 * structs));
  CHECK(StepsOf(state, 100) > static_cast<int>(6 * structs / 100));
  CHECK(StepsOf(state, 1'000'000) == 1);
}

TEST_CASE("a loader tells the error that applying gives, whatever it was told to do", "[crdt][loader]") {
  const std::string state = Replaced(20).EncodeState(UpdateFormat::kV1);
  for (size_t size = 0; size < state.size(); size += 7) CheckLoads(state.substr(0, size), UpdateFormat::kV1);
  DocOptions options{.client_id = 1, .limits = {.max_structs = 10}};
  CHECK(internal::LoadDifference(state, UpdateFormat::kV1, options, 3) == "");
  options.limits = {.max_depth = 1};
  CHECK(internal::LoadDifference(state, UpdateFormat::kV1, options, 3) == "");
  DocLoader loader(state, UpdateFormat::kV1, options);
  absl::StatusOr<bool> done = false;
  while (done.ok() && !*done) done = loader.Step(10);
  CHECK(done.status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("a loader may be moved and dropped at any time", "[crdt][loader]") {
  const std::string state = Replaced(20).EncodeState(UpdateFormat::kV1);
  for (int steps = 0; steps < 300; steps += 11) {
    DocLoader loader(state, UpdateFormat::kV1);
    for (int i = 0; i < steps / 2; ++i) REQUIRE(loader.Step(1).ok());
    DocLoader moved = std::move(loader);
    for (int i = 0; i < steps / 2; ++i) REQUIRE(moved.Step(1).ok());
  }
  DocLoader loader(state, UpdateFormat::kV1, {.client_id = 4});
  while (!loader.Step(5).value()) continue;
  Doc doc = loader.Take();
  CHECK(doc.client_id() == 4);
  CHECK(doc.GetMap("m")->Set("more", Any(1)).ok());
  CHECK(doc.EncodeStateVector() != Replaced(20).EncodeStateVector());
}

}  // namespace
}  // namespace rivermeet::crdt
