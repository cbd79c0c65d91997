// What hostile bytes must not do: each is refused, with the place of the fault and the document as it was, or does what
// it does in yjs. Here: structs that fit no history, and what they cost.
#include <string>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

TEST_CASE("names that begin or end inside a character are kept apart while a struct is read", "[crdt][hostile]") {
  // Root, key of a format, and guid are each half of a character of V2's one text, so that each needs a copy.
  WireStruct format = OfKind(Text({1, 0}, "\xed\xa0\xbd", ""), ContentKind::kFormat);
  format.content.name = "\xed\xb8\x80 a key that is longer than what a string keeps within itself";
  format.content.data = "\x78";
  const std::string update = Update({format}, UpdateFormat::kV2);
  Doc doc;
  REQUIRE(Attack(doc, update, UpdateFormat::kV2).ok());
  CHECK(doc.EncodeState(UpdateFormat::kV2) == update);
  WireStruct subdocument = OfKind(Text({2, 0}, "\xed\xa0\xbd", ""), ContentKind::kDoc);
  subdocument.content.name = "\xed\xb8\x80 a guid that is longer than what a string keeps within itself";
  const std::string options("\x76\x00", 2);
  subdocument.content.data = options;
  const std::string second = Update({subdocument}, UpdateFormat::kV2);
  Doc other;
  REQUIRE(Attack(other, second, UpdateFormat::kV2).ok());
  CHECK(other.EncodeState(UpdateFormat::kV2) == second);
}

TEST_CASE("lone surrogates of JSON don't end the values behind them", "[crdt][hostile]") {
  // Three JSON elements, the first with half a character: cut behind it, and written in both formats.
  const std::string update =
      Hex("0101010002010161030822"
          "5c7564383030220131013200");
  Doc doc;
  REQUIRE(Attack(doc, update, UpdateFormat::kV1).ok());
  CHECK(Hexed(doc.EncodeState(UpdateFormat::kV1)) == Hexed(update));
  REQUIRE(Attack(doc, Hex("00010101010101"), UpdateFormat::kV1).code() == absl::StatusCode::kInvalidArgument);
  REQUIRE(Attack(doc, Hex("000101010101"), UpdateFormat::kV1).ok());
  CHECK(Hexed(doc.EncodeState(UpdateFormat::kV1)) ==
        "0103010002010161010822"
        "5c756438303022"
        "8101000182010101013201"
        "01010101");
  const absl::StatusOr<std::string> rest = DiffUpdate(update, Hex("010101"), UpdateFormat::kV1);
  REQUIRE(rest.ok());
  CHECK(Hexed(*rest) == "01010101820100020131013200");
}

TEST_CASE("a lone surrogate in an embed is replaced where V2 must hold it, and waits like any other",
          "[crdt][hostile]") {
  // An embed of "\ud800" behind something that isn't there.
  const std::string update =
      Hex("010101008505000822"
          "5c7564383030"
          "2200");
  Doc doc;
  REQUIRE(Attack(doc, update, UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  REQUIRE(Attack(doc, Update({Text({3, 4}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(Attack(doc, Update({Text({5, 0}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  const absl::StatusOr<std::string> converted = ConvertUpdate(update, UpdateFormat::kV1, UpdateFormat::kV2);
  REQUIRE(converted.ok());
  CHECK(CheckUpdate(*converted, UpdateFormat::kV2).ok());
  CHECK(absl::StrContains(*converted, "\xef\xbf\xbd"));
}

TEST_CASE("clocks at and over 2^53 are refused, and those of neighbours that V2 couldn't hold", "[crdt][hostile]") {
  constexpr uint64_t kTwo52 = uint64_t{1} << 52;
  for (const uint64_t clock : {kTwo52, 2 * kTwo52 - 1, 2 * kTwo52, 4 * kTwo52}) {
    CAPTURE(clock);
    Doc doc;
    CHECK(Refused(
        Attack(doc, Update({Behind(Text({1, 0}, "", "x"), {2, clock})}, UpdateFormat::kV1), UpdateFormat::kV1)));
    CHECK(Refused(
        Attack(doc, Update({Before(Text({1, 0}, "", "x"), {2, clock})}, UpdateFormat::kV1), UpdateFormat::kV1)));
    CHECK(Refused(
        Attack(doc, Update({Inside(Text({1, 0}, "", "x"), {2, clock})}, UpdateFormat::kV1), UpdateFormat::kV1)));
    CHECK(!Attack(doc, Update({Text({1, clock}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    if (clock >= 2 * kTwo52 - 1) {
      CHECK(Refused(CheckUpdate(Update({Text({1, clock}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1)));
    }
    WireDeleteSet deletes;
    deletes.RangesOf(1).push_back({clock, 2 * kTwo52});
    CHECK(Refused(Attack(doc, Update({}, UpdateFormat::kV1, deletes), UpdateFormat::kV1)));
    CHECK(Refused(Attack(doc, Update({}, UpdateFormat::kV2, deletes), UpdateFormat::kV2)));
  }
  Doc doc;
  CHECK(
      Attack(doc, Update({Behind(Text({1, 0}, "", "x"), {2, kTwo52 - 1})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(Attack(doc, Update({Behind(Text({3, 0}, "", "x"), {4, 0})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  CHECK(Exhausted(Attack(doc, Update({Text({1, 0xfffffffe}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1)));
  CHECK(Attack(doc, Update({OfKind(Text({9, 0}, "t", ""), ContentKind::kDeleted, 0xfffffffe)}, UpdateFormat::kV1),
               UpdateFormat::kV1)
            .ok());
  CHECK(Exhausted(Attack(doc, Update({Text({9, 0xfffffffe}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1)));
}

TEST_CASE("what nests as deep as its limits let it is merged, kept and written", "[crdt][hostile]") {
  Limits limits;
  limits.max_depth = 2000;
  WireStruct item = OfKind(Behind(Text({1, 0}, "", ""), {2, 0}), ContentKind::kAny);
  std::string value;
  for (int i = 0; i < 1500; ++i) value += "\x75\x01";
  value += "\x78";
  item.content.data = value;
  DocOptions options;
  options.limits = limits;
  Doc doc(options);
  REQUIRE(Attack(doc, Update({item}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(Attack(doc, Update({Text({3, 5}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(Attack(doc, Update({Text({2, 0}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(DocInside::Length(doc, "t") == 2);
  const std::string update = Update({item}, UpdateFormat::kV1);
  const std::string_view twice[] = {update, update};
  const absl::StatusOr<std::string> merged = MergeUpdates(twice, UpdateFormat::kV1, limits);
  REQUIRE(merged.ok());
  CHECK(*merged == update);
  Doc shallow;
  CHECK(Exhausted(Attack(shallow, update, UpdateFormat::kV1)));
}

TEST_CASE("a struct that goes on from a known one under another parent is refused", "[crdt][hostile]") {
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    Doc doc;
    REQUIRE(doc.Apply(Update({Text({1, 0}, "a", "one")}, format), format).ok());
    REQUIRE(doc.Apply(Update({Text({2, 0}, "b", "two")}, format), format).ok());
    DocInside::UnitAt(doc, "a", 0);
    DocInside::UnitAt(doc, "b", 0);
    CHECK(Refused(Attack(doc, Update({Text({1, 0}, "b", "one more")}, format), format)));
    CHECK(Refused(Attack(doc, Update({Text({1, 1}, "new", "ne more")}, format), format)));
    CHECK(Refused(Attack(doc, Update({Under(Text({1, 1}, "a", "ne more"), "k")}, format), format)));
    CHECK(Refused(Attack(doc, Update({Behind(Text({1, 1}, "", "ne more"), {2, 1})}, format), format)));
    CHECK(Refused(Attack(doc, Update({Before(Text({1, 1}, "", "ne more"), {2, 1})}, format), format)));
    CHECK(Attack(doc, Update({Text({1, 0}, "a", "one more")}, format), format).ok());
    CHECK(DocInside::Text(doc, "a") == "one more");
  }
}

TEST_CASE("a struct that waited goes on from its client's own, whatever parent it names", "[crdt][hostile]") {
  Doc doc;
  DocInside::UnitAt(doc, "a", 0);
  DocInside::UnitAt(doc, "b", 0);
  for (uint64_t i = 0; i < 200; ++i) {
    REQUIRE(doc.Apply(Update({Text({10 + i, 0}, "a", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  }
  REQUIRE(Attack(doc, Update({Text({1, 2}, "b", "waits")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  REQUIRE(doc.HasPending());
  REQUIRE(Attack(doc, Update({Behind(Text({1, 0}, "", "one"), {209, 0})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(!doc.HasPending());
  CHECK(DocInside::Length(doc, "a") == 200 + 7);
  CHECK(DocInside::Length(doc, "b") == 0);
}

TEST_CASE("structs that wait for each other in a ring wait, each with its own clock", "[crdt][hostile]") {
  // 9:0 needs 5:0, that needs 9:1. yjs keeps 9:1 alone of that client, and so it is here.
  const std::string ring = Update({Behind(Text({9, 0}, "", "a"), {5, 0}), Text({9, 1}, "t", "bc"),
                                   Text({9, 3}, "u", "d"), Behind(Text({5, 0}, "", "e"), {9, 1})},
                                  UpdateFormat::kV1);
  Doc doc;
  REQUIRE(Attack(doc, ring, UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  CHECK(doc.StructCount() == 0);
  CHECK(Hexed(doc.EncodeState(UpdateFormat::kV1)) == "0201090104010174026263010500840901016500");
}

TEST_CASE("structs with themselves as parent or neighbour are refused", "[crdt][hostile]") {
  Doc doc;
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    for (const WireStruct& item : {Inside(Text({1, 0}, "", "x"), {1, 0}), Behind(Text({1, 0}, "", "x"), {1, 0}),
                                   Before(Text({1, 0}, "", "x"), {1, 3})}) {
      const std::string update = Update({item}, format);
      CHECK(Refused(Attack(doc, update, format)));
      CHECK(Refused(CheckUpdate(update, format)));
      const std::string_view twice[] = {update, update};
      CHECK(Refused(MergeUpdates(twice, format).status()));
      CHECK(Refused(DiffUpdate(update, Hex("00"), format).status()));
      CHECK(Refused(ConvertUpdate(update, format, UpdateFormat::kV2).status()));
      CHECK(Refused(EncodeStateVectorFromUpdate(update, format).status()));
    }
  }
  // Parents of each other.
  WireStruct a = OfKind(Inside(Text({1, 0}, "", ""), {2, 0}), ContentKind::kType);
  WireStruct b = OfKind(Inside(Text({2, 0}, "", ""), {1, 0}), ContentKind::kType);
  REQUIRE(Attack(doc, Update({b, a}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(doc.HasPending());
  CHECK(doc.StructCount() == 0);
}

TEST_CASE("what waits counts towards the limits, so that nothing is refused once it can be applied",
          "[crdt][hostile]") {
  DocOptions options;
  options.limits.max_structs = 6;
  options.limits.max_clients = 3;
  Doc doc(options);
  const auto letter = [](uint64_t client, uint64_t clock, UnitId origin) {
    return Behind(Text({client, clock}, "", "x"), origin);
  };
  REQUIRE(Attack(doc, Update({letter(2, 0, {1, 0}), letter(2, 1, {1, 0}), letter(2, 2, {1, 0})}, UpdateFormat::kV1),
                 UpdateFormat::kV1)
              .ok());
  REQUIRE(Attack(doc, Update({letter(3, 0, {1, 0})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  // Again, as networks do: it isn't counted twice.
  for (int i = 0; i < 5; ++i)
    REQUIRE(Attack(doc, Update({letter(3, 0, {1, 0})}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(Exhausted(
      Attack(doc, Update({letter(5, 0, {1, 0}), letter(4, 0, {1, 0})}, UpdateFormat::kV1), UpdateFormat::kV1)));
  CHECK(Exhausted(
      Attack(doc, Update({Text({1, 0}, "t", "x"), letter(1, 1, {1, 0}), letter(1, 2, {1, 0})}, UpdateFormat::kV1),
             UpdateFormat::kV1)));
  CHECK(Attack(doc, Update({Text({1, 0}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(!doc.HasPending());
  CHECK(DocInside::Length(doc, "t") == 5);
}

TEST_CASE("types that waited for others and would lie too deep then are dropped, however short V2 makes them",
          "[crdt][hostile]") {
  // 300 types in each other that wait for 300 others in each other.
  DocOptions options;
  options.limits.max_repeats = 10;
  Doc doc(options);
  const auto nested = [](uint64_t client, const WireStruct& first) {
    std::vector<WireStruct> items = {OfKind(first, ContentKind::kType)};
    for (uint64_t clock = 1; clock < 300; ++clock) {
      items.push_back(OfKind(Inside(Text({client, clock}, "", ""), {client, clock - 1}), ContentKind::kType));
    }
    return Update(items, UpdateFormat::kV1);
  };
  REQUIRE(Attack(doc, nested(1, Inside(Text({1, 0}, "", ""), {2, 299})), UpdateFormat::kV1).ok());
  REQUIRE(Attack(doc, nested(2, Text({2, 0}, "t", "")), UpdateFormat::kV1).ok());
  CHECK(doc.StructCount() == 512);
  CHECK(doc.HasPending());
  // What hangs below them waits, and others don't.
  const std::string below =
      Update({Inside(Text({3, 0}, "", "deep"), {1, 250}), Text({4, 0}, "u", "flat")}, UpdateFormat::kV1);
  REQUIRE(Attack(doc, below, UpdateFormat::kV1).ok());
  CHECK(doc.StructCount() == 513);
  CHECK(DocInside::Text(doc, "u") == "flat");
  // Brought again when all that they need is there, they are refused.
  CHECK(Exhausted(Attack(doc, nested(1, Inside(Text({1, 0}, "", ""), {2, 299})), UpdateFormat::kV1)));
  Doc copy(options);
  REQUIRE(Attack(copy, doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(ViewOf(copy) == ViewOf(doc));
}

TEST_CASE("deletions that wait are kept when the document is full", "[crdt][hostile]") {
  DocOptions options;
  options.limits.max_structs = 4;
  Doc doc(options);
  WireDeleteSet deletes;
  for (uint64_t i = 0; i < 4; ++i) deletes.RangesOf(7).push_back({i * 2, 1});
  REQUIRE(Attack(doc, Update({}, UpdateFormat::kV1, deletes), UpdateFormat::kV1).ok());
  CHECK(Exhausted(Attack(doc, Update({Text({1, 0}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1)));
  CHECK(doc.HasPending());
}

TEST_CASE("the last of several blocks of one client counts, also when it is empty", "[crdt][hostile]") {
  Doc doc;
  // Two blocks of client 1, at 0 with one struct and at 0 with none.
  REQUIRE(Attack(doc,
                 Hex("02010100040101740161"
                     "00010000"),
                 UpdateFormat::kV1)
              .ok());
  CHECK(doc.StructCount() == 0);
  REQUIRE(Attack(doc,
                 Hex("02010100040101740161"
                     "0101000401017401"
                     "6200"),
                 UpdateFormat::kV1)
              .ok());
  CHECK(DocInside::Text(doc, "t") == "b");
}

TEST_CASE("several blocks of one client become one when they are converted or cut, and may then name themselves",
          "[crdt][hostile]") {
  // At 0, and at 5 behind 4. Bytes are those of yjs 13.6.33, which throws when it applies them.
  const std::string two = Hex("02010100040101740161010105840104016200");
  const std::string converted = *ConvertUpdate(two, UpdateFormat::kV1, UpdateFormat::kV2);
  CHECK(Hexed(converted) == "000002410001080003040084060374616241010101000001020000");
  CHECK(Refused(CheckUpdate(converted, UpdateFormat::kV2)));
  CHECK(Hexed(*DiffUpdate(two, Hex("00"), UpdateFormat::kV1)) == "01020100040101740161840104016200");
  CHECK(Hexed(*DiffUpdate(two, Hex("010101"), UpdateFormat::kV1)) == "01010105840104016200");
}

TEST_CASE("half a million new roots in one update are made", "[crdt][hostile]") {
  std::vector<std::string> names;
  for (int i = 0; i < 500'000; ++i) names.push_back(std::to_string(i));
  std::vector<WireStruct> items;
  for (uint64_t i = 0; i < names.size(); ++i) items.push_back(Text({1, i}, names[i], "x"));
  Doc doc;
  REQUIRE(doc.Apply(Update(items, UpdateFormat::kV2), UpdateFormat::kV2).ok());
  CHECK(DocInside::Text(doc, "499999") == "x");
}

TEST_CASE("a few bytes that claim 2^40 structs are refused", "[crdt][hostile]") {
  // One GC after the other, of length 1: info 0 for ever, length 1 in a run of 2^40.
  const std::string run = Hex("41") + Hex("feffffffff1f");
  const auto claim = [&](std::string_view count) {
    return Columns({"", Hex("01"), "", "", Hex("00"), Hex("00"), "", "", run},
                   Hex("01") + std::string(count) + Hex("0000"));
  };
  Doc doc;
  CHECK(Exhausted(Attack(doc, claim(Hex("808080808020")), UpdateFormat::kV2)));
  CHECK(Exhausted(CheckUpdate(claim(Hex("808080808020")), UpdateFormat::kV2)));
  CHECK(Exhausted(ConvertUpdate(claim(Hex("808080808020")), UpdateFormat::kV2, UpdateFormat::kV1).status()));
  // A thousand are no harm; they become one.
  CHECK(Attack(doc, claim(Hex("e807")), UpdateFormat::kV2).ok());
  CHECK(doc.StructCount() == 1);
  DocOptions small;
  small.limits.max_structs = 999;
  Doc full(small);
  CHECK(Exhausted(Attack(full, claim(Hex("e807")), UpdateFormat::kV2)));
}

TEST_CASE("a few bytes that claim more memory than a document may have are refused", "[crdt][hostile]") {
  // 200,000 nested types under the root "", for which V2 needs 40 bytes.
  const std::string many = Hex("be9a18");
  const std::string update =
      Columns({"", Hex("01"), "", "", Hex("07"), Hex("0040") + many, Hex("01"), Hex("40") + many, ""},
              Hex("01") + Hex("c09a0c") + Hex("0000"));
  CHECK(update.size() < 50);
  CHECK(CheckUpdate(update, UpdateFormat::kV2).ok());
  DocOptions options;
  options.limits.max_document_bytes = 16 << 20;
  Doc doc(options);
  CHECK(Exhausted(Attack(doc, update, UpdateFormat::kV2)));
  CHECK(doc.MemoryBytes() < 1 << 20);
}

TEST_CASE("a key that V2 names again and again costs what it would be written out", "[crdt][hostile]") {
  // A hundred formats that all have the first one's key, of 1,000 bytes, behind something of another client.
  std::string strings;
  WriteVarBytes(strings, std::string(1000, 'k'));
  strings += Hex("a80f");
  const std::string hundred = Hex("62");
  const std::string update =
      Columns({Hex("01") + hundred, Hex("014262"), Hex("0162"), "", Hex("86"), strings, "", "", ""},
              Hex("016400") + std::string(100, '\x78') + Hex("00"));
  CHECK(CheckUpdate(update, UpdateFormat::kV2).ok());
  Limits limits;
  limits.max_repeats = 50'000;
  CHECK(Exhausted(CheckUpdate(update, UpdateFormat::kV2, limits)));
  CHECK(Exhausted(ConvertUpdate(update, UpdateFormat::kV2, UpdateFormat::kV1, limits).status()));
}

TEST_CASE("of two structs that begin at one clock, one of them collected, merging takes the later update's", "[crdt]") {
  const std::string item =
      Hex("010107002701016d0361727200"
          "00");
  const std::string collected = Hex("01010700000300");
  for (const bool item_first : {true, false}) {
    const std::string_view updates[] = {item_first ? item : collected, item_first ? collected : item};
    const absl::StatusOr<std::string> merged = MergeUpdates(updates, UpdateFormat::kV1);
    REQUIRE(merged.ok());
    CHECK(Hexed(*merged) == (item_first ? "01010700000300" : "010207002701016d0361727200000200"));
  }
}

TEST_CASE("deleted ranges out of order stay as they are where the format can say so", "[crdt]") {
  const std::string update = Hex("0001070232010501");
  CHECK(Hexed(*DiffUpdate(update, Hex("00"), UpdateFormat::kV1)) == Hexed(update));
  const absl::StatusOr<std::string> converted = ConvertUpdate(update, UpdateFormat::kV1, UpdateFormat::kV2);
  REQUIRE(converted.ok());
  CHECK(Hexed(*ConvertUpdate(*converted, UpdateFormat::kV2, UpdateFormat::kV1)) == "0001070205013201");
}

TEST_CASE("an index past 2^32 is past the end", "[crdt][hostile]") {
  Doc doc;
  REQUIRE(doc.Apply(Update({Text({1, 0}, "t", "x")}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
  CHECK(DocInside::UnitAt(doc, "t", 0) == u'x');
  CHECK(DocInside::UnitAt(doc, "t", uint64_t{1} << 32) == 0);
}

TEST_CASE("a delta's lengths are added up without an overflow", "[crdt][hostile]") {
  Doc doc;
  const std::vector<DeltaStep> endless(2, DeltaStep{.length = uint64_t{1} << 63});
  CHECK(Exhausted(doc.GetText("t")->ApplyDelta(endless)));
  CHECK(doc.FindRoot("t")->length() == 0);
}

TEST_CASE("a subdocument's gc that isn't a number is false, whatever its bits", "[crdt][hostile]") {
  for (const std::string_view nan : {"7ff8000000000000", "fff8000000000000", "7ff0000000000001", "7ff4000000000000"}) {
    CAPTURE(nan);
    WireStruct item = OfKind(Text({1, 0}, "t", ""), ContentKind::kDoc);
    const std::string options = Hex("7601026763") + Hex("7b") + Hex(nan);
    item.content.name = "g";
    item.content.data = options;
    Doc doc;
    REQUIRE(Attack(doc, Update({item}, UpdateFormat::kV1), UpdateFormat::kV1).ok());
    CHECK(absl::StrContains(Hexed(doc.EncodeState(UpdateFormat::kV1)), "760102676379"));
  }
}

// An update of V2 in which `client` writes `count` deleted units, each at the start of the root "", or under one key of
// it.
std::string AtOnePlace(uint64_t client, uint64_t count, bool keyed) {
  const auto run = [](uint64_t value, uint64_t times) {
    std::string bytes;
    WriteVarInt(bytes, value, true);
    WriteVarUint(bytes, times - 2);
    return bytes;
  };
  std::string clients, rest(1, 1);
  WriteVarInt(clients, client, false);
  WriteVarUint(rest, count);
  rest.append(2, 0);
  std::string update(1, 0);
  const std::string info(1, keyed ? 0x21 : 0x01);
  const std::string strings = std::string(1, 0) + run(0, count * (keyed ? 2 : 1));
  for (const std::string& column : {std::string(), clients, std::string(), std::string(), info, strings,
                                    std::string(1, 1), std::string(), run(1, count)}) {
    WriteVarBytes(update, column);
  }
  return update + rest;
}

// In quadratic time this doesn't come to an end.
TEST_CASE("a few bytes that two write a hundred thousand times at one place are taken in", "[crdt][hostile]") {
  constexpr uint64_t kCount = 100'000;
  Doc doc;
  REQUIRE(doc.Apply(AtOnePlace(2, kCount, false), UpdateFormat::kV2).ok());
  REQUIRE(doc.Apply(AtOnePlace(3, kCount, false), UpdateFormat::kV2).ok());
  CHECK(doc.StructCount() >= 2);
  CHECK(FindFault(DocInside::Of(doc)).empty());
  Doc keyed;
  REQUIRE(keyed.Apply(AtOnePlace(2, kCount, true), UpdateFormat::kV2).ok());
  CHECK(FindFault(DocInside::Of(keyed)).empty());
}

}  // namespace
}  // namespace rivermeet::crdt::internal
