#include "crdt/snapshot.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "catch2/catch.hpp"
#include "crdt/doc.h"

namespace rivermeet::crdt {
namespace {

constexpr UpdateFormat kFormats[] = {UpdateFormat::kV1, UpdateFormat::kV2};

std::string Unhex(std::string_view hex) { return absl::HexStringToBytes({hex.data(), hex.size()}); }
std::string Hex(std::string_view bytes) { return absl::BytesToHexString({bytes.data(), bytes.size()}); }
bool Says(const absl::Status& status, std::string_view what) {
  return absl::StrContains(status.message(), absl::string_view(what.data(), what.size()));
}

Doc Keeping(uint64_t client = 1) { return Doc({.client_id = client, .gc = false}); }

std::vector<std::string> Texts(const Doc& doc, std::string_view array) {
  std::vector<std::string> texts;
  const std::optional<SharedType> list = doc.FindRoot(array);
  for (uint64_t i = 0; list.has_value() && i < list->length(); ++i) {
    texts.push_back(*std::get<Any>(*list->At(i)).text());
  }
  return texts;
}

using Strings = std::vector<std::string>;

void Insert(Doc& doc, uint64_t index, std::vector<Insertable> values) {
  REQUIRE(doc.GetArray("array")->Insert(index, values).ok());
}

// --- yjs's snapshot tests

TEST_CASE("a document is restored as it was when a snapshot was taken", "[crdt]") {
  Doc doc = Keeping();
  REQUIRE(doc.GetText("")->Insert(0, "world!").ok());
  const Snapshot snapshot = doc.TakeSnapshot();
  REQUIRE(doc.GetText("")->Insert(0, "hello ").ok());
  absl::StatusOr<Doc> restored = doc.RestoreSnapshot(snapshot);
  REQUIRE(restored.ok());
  CHECK(restored->GetText("")->PlainText() == "world!");
  CHECK(doc.GetText("")->PlainText() == "hello world!");
}

TEST_CASE("restoring cuts a run that has grown since", "[crdt]") {
  Doc doc = Keeping();
  Insert(doc, 0, {Any("hello")});
  const Snapshot snapshot = doc.TakeSnapshot();
  Insert(doc, 1, {Any("world")});
  CHECK(Texts(*doc.RestoreSnapshot(snapshot), "array") == Strings{"hello"});
  CHECK(Texts(doc, "array") == Strings{"hello", "world"});
  CHECK(doc.StructCount() == 1);
}

TEST_CASE("a snapshot of an empty document restores one, also with a client at clock 0", "[crdt]") {
  Doc doc = Keeping();
  const Snapshot snapshot = *Snapshot::Make({{9999, 0}}, {});
  Insert(doc, 0, {Any("world")});
  CHECK(Texts(*doc.RestoreSnapshot(snapshot), "array").empty());
  CHECK(Texts(*doc.RestoreSnapshot(Snapshot()), "array").empty());
  CHECK(Texts(*doc.RestoreSnapshot(doc.TakeSnapshot()), "array") == Strings{"world"});
}

TEST_CASE("types inside are restored with what was in them", "[crdt]") {
  Doc doc = Keeping();
  Insert(doc, 0, {NewType{.kind = SharedKind::kMap}});
  const Map inside = *std::get<SharedType>(*doc.GetArray("array")->At(0)).AsMap();
  REQUIRE(Map(inside).Set("key1", Any("value1")).ok());
  const Snapshot snapshot = doc.TakeSnapshot();
  REQUIRE(Map(inside).Set("key2", Any("value2")).ok());
  Doc restored = *doc.RestoreSnapshot(snapshot);
  const SharedType map = std::get<SharedType>(*restored.GetArray("array")->At(0));
  CHECK(map.AsMap()->Keys() == Strings{"key1"});
  CHECK(inside.Keys() == Strings{"key1", "key2"});
}

TEST_CASE("what was deleted since is there again", "[crdt]") {
  Doc doc = Keeping();
  Insert(doc, 0, {Any("item1"), Any("item2")});
  const Snapshot snapshot = doc.TakeSnapshot();
  REQUIRE(doc.GetArray("array")->Delete(0, 1).ok());
  CHECK(Texts(*doc.RestoreSnapshot(snapshot), "array") == Strings{"item1", "item2"});
  CHECK(Texts(doc, "array") == Strings{"item2"});
}

TEST_CASE("an item left of one that was deleted since is restored", "[crdt]") {
  Doc doc = Keeping();
  Insert(doc, 0, {Any("item1")});
  REQUIRE(doc.GetMap("map")->Set("test", Any(1)).ok());
  Insert(doc, 0, {Any("item0")});
  const Snapshot snapshot = doc.TakeSnapshot();
  REQUIRE(doc.GetArray("array")->Delete(1, 1).ok());
  CHECK(Texts(*doc.RestoreSnapshot(snapshot), "array") == Strings{"item0", "item1"});
}

TEST_CASE("what was deleted before stays deleted", "[crdt]") {
  Doc doc = Keeping();
  Insert(doc, 0, {Any("item1"), Any("item2"), Any("item3")});
  REQUIRE(doc.GetArray("array")->Delete(1, 1).ok());
  const Snapshot snapshot = doc.TakeSnapshot();
  Insert(doc, 0, {Any("item0")});
  CHECK(Texts(*doc.RestoreSnapshot(snapshot), "array") == Strings{"item1", "item3"});
  CHECK(Texts(doc, "array") == Strings{"item0", "item1", "item3"});
}

TEST_CASE("changes of several clients that build on each other are restored by each of them", "[crdt]") {
  Doc one = Keeping(1), two = Keeping(2);
  const auto sync = [&] {
    REQUIRE(two.Apply(one.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
    REQUIRE(one.Apply(two.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  };
  Insert(one, 0, {Any("user1item1")});
  sync();
  Insert(two, 1, {Any("user2item1")});
  sync();
  const Snapshot snapshot = one.TakeSnapshot();
  CHECK(snapshot == two.TakeSnapshot());
  Insert(one, 2, {Any("user1item2")});
  sync();
  Insert(two, 3, {Any("user2item2")});
  sync();
  for (Doc* doc : {&one, &two}) {
    CHECK(Texts(*doc->RestoreSnapshot(snapshot), "array") == Strings{"user1item1", "user2item1"});
  }
}

TEST_CASE("a snapshot contains the updates that led to it and no other", "[crdt]") {
  for (const UpdateFormat format : kFormats) {
    Strings updates;
    Doc fresh({.client_id = 1});
    const Subscription listening =
        fresh.OnUpdate(format, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
    const Snapshot before = fresh.TakeSnapshot();
    Insert(fresh, 0, {Any(1)});
    const Snapshot inserted = fresh.TakeSnapshot();
    REQUIRE(fresh.GetArray("array")->Delete(0, 1).ok());
    const Snapshot last = fresh.TakeSnapshot();
    CHECK_FALSE(*before.ContainsUpdate(updates[0], format));
    CHECK_FALSE(*inserted.ContainsUpdate(updates[1], format));
    CHECK(*inserted.ContainsUpdate(updates[0], format));
    CHECK(*last.ContainsUpdate(updates[0], format));
    CHECK(*last.ContainsUpdate(updates[1], format));
    CHECK(before != inserted);
    CHECK(inserted != last);
  }
}

TEST_CASE("a deletion that only begins where a snapshot's ends isn't contained", "[crdt]") {
  Doc local({.client_id = 1}), remote({.client_id = 2});
  REQUIRE(local.GetText("t")->Insert(0, "abcdefghij").ok());
  REQUIRE(local.GetText("t")->Delete(0, 3).ok());
  REQUIRE(remote.Apply(local.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(local.GetText("t")->Delete(0, 3).ok());
  CHECK_FALSE(*remote.TakeSnapshot().ContainsUpdate(local.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
}

// --- bytes and restored state as yjs 13.6.33 has them

// Client 1 writes "hello world" and deletes "lo wo", client 2 then inserts "XY" and deletes "d".
Doc Example() {
  Doc one = Keeping(1), two = Keeping(2);
  REQUIRE(one.GetText("t")->Insert(0, "hello world").ok());
  REQUIRE(one.GetText("t")->Delete(3, 5).ok());
  REQUIRE(two.Apply(one.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(two.GetText("t")->Insert(3, "XY").ok());
  REQUIRE(two.GetText("t")->Delete(7, 1).ok());
  REQUIRE(one.Apply(two.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  return one;
}

TEST_CASE("a snapshot has yjs's bytes in both formats", "[crdt]") {
  const Snapshot snapshot = Example().TakeSnapshot();
  CHECK(Hex(snapshot.Encode(UpdateFormat::kV1)) ==
        "0101020305"
        "0a01"
        "02"
        "0202"
        "010b");
  CHECK(Hex(snapshot.Encode(UpdateFormat::kV2)) ==
        "0101020304"
        "0200"
        "02"
        "0202"
        "010b");
  for (const UpdateFormat format : kFormats) {
    CHECK(snapshot.Encode(format) == Example().EncodeSnapshot(format));
    CHECK(*Snapshot::Decode(snapshot.Encode(format), format) == snapshot);
  }
  CHECK(snapshot.Shows(1, 2));
  CHECK_FALSE(snapshot.Shows(1, 3));
  CHECK(snapshot.Knows(1, 3));
  CHECK_FALSE(snapshot.Shows(1, 10));
  CHECK_FALSE(snapshot.Knows(1, 11));
  CHECK_FALSE(snapshot.Knows(3, 0));
}

TEST_CASE("equal snapshots don't need the same order of clients", "[crdt]") {
  CHECK(*Snapshot::Make({{1, 2}, {3, 4}}, {}) == *Snapshot::Make({{3, 4}, {1, 2}}, {}));
  CHECK(*Snapshot::Make({{1, 2}, {3, 4}}, {}) != *Snapshot::Make({{3, 4}, {2, 2}}, {}));
  CHECK(*Snapshot::Make({{1, 9}}, {{1, {{2, 3}}}}) != *Snapshot::Make({{1, 9}}, {{1, {{2, 4}}}}));
  CHECK(*Snapshot::Make({{1, 9}}, {{1, {{2, 3}}}}) != *Snapshot::Make({{1, 9}}, {{2, {{2, 3}}}}));
}

// --- refused

TEST_CASE("a document that collects garbage can't be restored", "[crdt]") {
  Doc doc({.client_id = 1});
  CHECK(doc.RestoreSnapshot(doc.TakeSnapshot()).status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a snapshot that the document can't have had is refused and changes nothing", "[crdt]") {
  Doc doc = Example();
  const std::string state = doc.EncodeState(UpdateFormat::kV2);
  const auto refusal = [&](const Snapshot& snapshot) { return doc.RestoreSnapshot(snapshot).status(); };
  const absl::Status ahead = refusal(*Snapshot::Make({{1, 12}}, {}));
  CHECK(ahead.code() == absl::StatusCode::kInvalidArgument);
  CHECK(Says(ahead, "client 1 up to 11, not 12"));
  CHECK(Says(refusal(*Snapshot::Make({{7, 1}}, {})), "client 7 up to 0, not 1"));
  CHECK(Says(refusal(*Snapshot::Make({{1, 5}}, {{1, {{4, 2}}}})), "deletes what it doesn't know of client 1"));
  CHECK(Says(refusal(*Snapshot::Make({{1, 5}}, {{2, {{0, 1}}}})), "deletes what it doesn't know of client 2"));
  // Client 2 wrote into client 1's text.
  const absl::Status open = refusal(*Snapshot::Make({{2, 2}}, {}));
  CHECK(open.code() == absl::StatusCode::kInvalidArgument);
  CHECK(Says(open, "builds on is missing"));
  CHECK(doc.EncodeState(UpdateFormat::kV2) == state);
}

TEST_CASE("the limits of the restored document hold", "[crdt]") {
  Doc doc = Example();
  DocOptions options;
  options.limits.max_structs = 1;
  CHECK(doc.RestoreSnapshot(doc.TakeSnapshot(), options).status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("a truncated snapshot is refused at every length", "[crdt]") {
  for (const UpdateFormat format : kFormats) {
    const std::string bytes = Example().TakeSnapshot().Encode(format);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const absl::Status refused = Snapshot::Decode(std::string_view(bytes).substr(0, size), format).status();
      CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
      CHECK(Says(refused, "at byte "));
    }
    CHECK(Says(Snapshot::Decode(bytes + '\0', format).status(), "bytes are left"));
  }
}

TEST_CASE("a snapshot with a flipped bit is refused or comes out as it went in", "[crdt]") {
  Doc doc = Example();
  const std::string state = doc.EncodeState(UpdateFormat::kV1);
  for (const UpdateFormat format : kFormats) {
    const std::string bytes = Example().TakeSnapshot().Encode(format);
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      const absl::StatusOr<Snapshot> decoded = Snapshot::Decode(flipped, format);
      if (!decoded.ok()) continue;
      CHECK(*Snapshot::Decode(decoded->Encode(format), format) == *decoded);
      (void)doc.RestoreSnapshot(*decoded);
      CHECK(doc.EncodeState(UpdateFormat::kV1) == state);
    }
  }
}

TEST_CASE("counts that the bytes don't have are refused without room for them", "[crdt]") {
  for (const UpdateFormat format : kFormats) {
    // 2^40 clients; 2^40 ranges; 2^40 states; a few within the limits.
    CHECK(Snapshot::Decode(Unhex("808080808020"), format).status().code() == absl::StatusCode::kResourceExhausted);
    CHECK(Snapshot::Decode(Unhex("0101808080808020"), format).status().code() == absl::StatusCode::kResourceExhausted);
    CHECK(Snapshot::Decode(Unhex("00808080808020"), format).status().code() == absl::StatusCode::kResourceExhausted);
    CHECK(Snapshot::Decode(Unhex("0101ffff7f"), format).status().code() == absl::StatusCode::kInvalidArgument);
  }
  Limits limits;
  limits.max_update_bytes = 3;
  CHECK(Snapshot::Decode(Unhex("00000000"), UpdateFormat::kV1, limits).status().code() ==
        absl::StatusCode::kResourceExhausted);
  // The ranges of all clients count together.
  const std::string four = Unhex("0202020001020101020001020100");
  CHECK(Snapshot::Decode(four, UpdateFormat::kV1, {.max_structs = 4}).ok());
  CHECK(Snapshot::Decode(four, UpdateFormat::kV1, {.max_structs = 3}).status().code() ==
        absl::StatusCode::kResourceExhausted);
}

TEST_CASE("what no snapshot has is refused with its place", "[crdt]") {
  const auto refusal = [](std::string_view hex) { return Snapshot::Decode(Unhex(hex), UpdateFormat::kV1).status(); };
  CHECK(Says(refusal("0101010500"
                     "00"),
             "at byte 3: a deleted range has no length"));
  CHECK(Says(refusal("010102"
                     "0502"
                     "0601"
                     "00"),
             "at byte 5: deleted ranges are out of order or overlap"));
  CHECK(Says(refusal("02"
                     "01010101"
                     "01010101"
                     "00"),
             "at byte 5: a client comes twice"));
  CHECK(Says(refusal("00"
                     "02"
                     "0101"
                     "0102"),
             "at byte 4: a client comes twice"));
  CHECK(Says(refusal("010101"
                     "ffffffffffffff0f"
                     "02"
                     "00"),
             "a clock is over 2^53 - 1"));
  CHECK(Snapshot::Make({{1, 1}, {1, 2}}, {}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot::Make({}, {{1, {}}}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot::Make({}, {{1, {{5, 2}, {6, 1}}}}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot::Make({}, {{1, {{5, 0}}}}).status().code() == absl::StatusCode::kInvalidArgument);
  constexpr uint64_t kTwo53 = uint64_t{1} << 53;
  CHECK(Snapshot::Make({{kTwo53, 1}}, {}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot::Make({{1, kTwo53}}, {}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot::Make({}, {{kTwo53, {{0, 1}}}}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot::Make({}, {{1, {{0, 1}}}, {1, {{2, 1}}}}).status().code() == absl::StatusCode::kInvalidArgument);
  // A client of whom nothing is deleted is left out, as by yjs.
  CHECK(*Snapshot::Decode(Unhex("01010000"), UpdateFormat::kV1) == Snapshot());
  // Ranges that touch are no error: yjs reads them so, and compares them as they are.
  CHECK(*Snapshot::Make({{1, 9}}, {{1, {{1, 2}, {3, 1}}}}) != *Snapshot::Make({{1, 9}}, {{1, {{1, 3}}}}));
}

TEST_CASE("an update that isn't one is no question for a snapshot", "[crdt]") {
  CHECK(Snapshot().ContainsUpdate("\x01", UpdateFormat::kV1).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Snapshot().ContainsUpdate(Unhex("000000"), UpdateFormat::kV1).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(*Snapshot().ContainsUpdate(Unhex("0000"), UpdateFormat::kV1));
}

}  // namespace
}  // namespace rivermeet::crdt
