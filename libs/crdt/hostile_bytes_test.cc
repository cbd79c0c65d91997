// What hostile bytes must not do, told by the bytes: cut, flipped, or read as what they aren't.
#include <array>
#include <string>
#include <vector>

#include "crdt/testing/attack.h"

namespace rivermeet::crdt::internal {
namespace {

// The states of documents of yjs 13.6.33.
struct RealUpdate {
  std::string_view what, v1, v2;
};
constexpr RealUpdate kUpdates[] = {
    {"text of two clients, with a deletion",
     "02010200c40100010102c3a904010004010174016184010004f09f98808101020184010301630101010301",
     "0000030241040401000402010209c400040084008100840e09c3a97461f09f98806341010201010100010102010004000101010300"},
    {"formats and an embed",
     "0107010006010174016204747275658401000162840101036f6c648601040162046e756c6cc6010101020162046e756c6cc501060102097b2"
     "269223a2275227dc6010701020162047472756500",
     "000300030102410806000206460a02030401000b060084018600c600c500c60f097462626f6c64626262410103410101010000010700787e7"
     "e760101697701757800"},
    {"values of an array", "0102010008010161057d017e7701787c3f0000007601016b750178830104010700",
     "0000024100010800030800830301610101010001050102007d017e7701787c3f0000007601016b750178010700"},
    {"a map in a map, with a subdocument",
     "010401002101016d016b01a801000175017d022701016d016e01290001020164016776000101010001",
     "000002410102000400072100a80027002909066d6b6d6e6467410403010100010102410001040075017d0276000101010000"},
    {"XML", "010401000701017803017087010006040001010173280001000269640177013100",
     "000100024102030002420007070087000400280905787073696441010203010000020306010101040077013100"},
    {"what is pending", "0101010484010301790109010402", "00000241000106000184030179010000000101040109010401"},
    {"a collected list", "010301002101016d016c010002040101740278790101010003",
     "00000101000005210000000409056d6c7478794101020101000201020103000101010002"},
};
constexpr std::array<UpdateFormat, 2> kFormats = {UpdateFormat::kV1, UpdateFormat::kV2};
std::string BytesOf(const RealUpdate& update, UpdateFormat format) {
  return Hex(format == UpdateFormat::kV1 ? update.v1 : update.v2);
}

// Something for an update to meet.
Doc Known() {
  Doc doc({.client_id = 77});
  REQUIRE(doc.Apply(Hex("01010100040101740461f09f9f8000"), UpdateFormat::kV1).code() ==
          absl::StatusCode::kInvalidArgument);
  REQUIRE(doc.Apply(Hex("01010300040101740568656c6c6f00"), UpdateFormat::kV1).ok());
  return doc;
}

TEST_CASE("what yjs writes is read, and written again with the same bytes", "[crdt][hostile]") {
  for (const RealUpdate& update : kUpdates) {
    CAPTURE(update.what);
    for (const UpdateFormat format : kFormats) {
      Doc doc;
      REQUIRE(Attack(doc, BytesOf(update, format), format).ok());
      CHECK(Hexed(doc.EncodeState(UpdateFormat::kV1)) == update.v1);
      CHECK(Hexed(doc.EncodeState(UpdateFormat::kV2)) == update.v2);
    }
  }
}

TEST_CASE("an update cut anywhere is refused and changes nothing", "[crdt][hostile]") {
  for (const RealUpdate& update : kUpdates) {
    for (const UpdateFormat format : kFormats) {
      const std::string bytes = BytesOf(update, format);
      Doc doc = Known();
      for (size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(update.what, format, size);
        const std::string cut = bytes.substr(0, size);
        CHECK(Refused(Attack(doc, cut, format)));
        CHECK(Refused(CheckUpdate(cut, format)));
        CHECK(Refused(ConvertUpdate(cut, format, UpdateFormat::kV1).status()));
        CHECK(Refused(DiffUpdate(cut, Hex("00"), format).status()));
        CHECK(Refused(EncodeStateVectorFromUpdate(cut, format).status()));
      }
    }
  }
}

TEST_CASE("bytes behind an update's end are refused", "[crdt][hostile]") {
  for (const RealUpdate& update : kUpdates) {
    for (const UpdateFormat format : kFormats) {
      Doc doc = Known();
      CHECK(Refused(Attack(doc, BytesOf(update, format) + '\0', format)));
    }
  }
}

TEST_CASE("an update with any bit flipped is refused, or leaves a sound document", "[crdt][hostile]") {
  size_t refused = 0, taken = 0;
  for (const RealUpdate& update : kUpdates) {
    for (const UpdateFormat format : kFormats) {
      std::string bytes = BytesOf(update, format);
      for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        CAPTURE(update.what, format, bit);
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        Doc doc = Known();
        DocInside::UnitAt(doc, "t", 0);
        (Attack(doc, bytes, format).ok() ? taken : refused) += 1;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        (void)Attack(doc, bytes, format);
        Doc fresh;
        CHECK(Attack(fresh, doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2).ok());
      }
    }
  }
  CHECK(refused > 1000);
  CHECK(taken > 1000);
}

TEST_CASE("an update read as the other format is refused or does no harm", "[crdt][hostile]") {
  for (const RealUpdate& update : kUpdates) {
    CAPTURE(update.what);
    Doc doc = Known();
    // V1 sees neither clients nor deletions, and then bytes behind the end, where yjs sees an empty update.
    CHECK(Refused(Attack(doc, BytesOf(update, UpdateFormat::kV2), UpdateFormat::kV1)));
    (void)Attack(doc, BytesOf(update, UpdateFormat::kV1), UpdateFormat::kV2);
  }
}

TEST_CASE("integers are read in overlong forms of up to ten bytes", "[crdt][hostile]") {
  Doc doc;
  // The number of clients as 0, in more and more bytes.
  for (int more = 0; more < 10; ++more) {
    CAPTURE(more);
    CHECK(Attack(doc, std::string(more, '\x80') + Hex("0000"), UpdateFormat::kV1).ok());
  }
  CHECK(Refused(Attack(doc, std::string(10, '\x80') + Hex("0000"), UpdateFormat::kV1)));
  CHECK(Refused(Attack(doc, std::string(200, '\x80') + Hex("0000"), UpdateFormat::kV1)));
  CHECK(Refused(Attack(doc, std::string(1 << 20, '\xff'), UpdateFormat::kV1)));
  // 2^53 as a client, as a clock, as a length.
  const std::string two53 = Hex("8080808080808010");
  CHECK(Refused(Attack(doc, Hex("0101") + two53 + Hex("000401017401") + Hex("6100"), UpdateFormat::kV1)));
  CHECK(Refused(Attack(doc, Hex("010101") + two53 + Hex("0401017401") + Hex("6100"), UpdateFormat::kV1)));
  CHECK(Refused(Attack(doc, Hex("0101010000") + two53 + Hex("00"), UpdateFormat::kV1)));
  const std::string below = Hex("ffffffffffffff0f");
  CHECK(Attack(doc, Hex("0101") + below + Hex("000401017401") + Hex("6100"), UpdateFormat::kV1).ok());
}

TEST_CASE("text that isn't UTF-8 is refused where it begins", "[crdt][hostile]") {
  for (const std::string_view text : {"ff", "c3", "c080", "e08080", "eda080", "edb080", "f0808080", "f4908080", "80"}) {
    CAPTURE(text);
    Doc doc;
    const std::string bytes = Hex(text);
    const std::string size(1, static_cast<char>(bytes.size()));
    const absl::Status refused = Attack(doc, Hex("0101010004010174") + size + bytes + '\0', UpdateFormat::kV1);
    CHECK(Refused(refused));
    CHECK(absl::StrContains(refused.message(), "byte 9"));
    CHECK(Refused(Attack(doc, Hex("01010100080101740177") + size + bytes + '\0', UpdateFormat::kV1)));
    CHECK(Refused(Attack(doc, Hex("010101000401") + size + bytes + Hex("016100"), UpdateFormat::kV1)));
  }
}

TEST_CASE("strings of V2 that begin and end inside characters are what JavaScript's slices are", "[crdt][hostile]") {
  // The text "t\U0001F600\U0001F600" cut into "t", a high half, low and high halves, a low half: three texts.
  std::string strings;
  WriteVarBytes(strings, "t\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
  strings += Hex("410002") + Hex("01");
  const std::string update =
      Columns({"", Hex("4102"), Hex("0004"), "", Hex("04008401"), strings, Hex("01"), "", ""}, Hex("01030000"));
  Doc doc;
  const absl::Status applied = Attack(doc, update, UpdateFormat::kV2);
  CAPTURE(applied.message(), Hexed(update));
  REQUIRE(applied.ok());
  CHECK(DocInside::Text(doc, "t") == "\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
  CHECK(DocInside::Length(doc, "t") == 4);
  CHECK(DocInside::UnitAt(doc, "t", 0) == 0xd83d);
  CHECK(DocInside::UnitAt(doc, "t", 3) == 0xde00);
}

TEST_CASE("a character that is cut in two becomes two others, in the text, its length and its index",
          "[crdt][hostile]") {
  Doc doc;
  DocInside::UnitAt(doc, "t", 0);
  REQUIRE(doc.Apply(Hex("0101010004010174") + Hex("04f09f9880") + Hex("00"), UpdateFormat::kV1).ok());
  // Between the halves of 1:0, another's letter.
  REQUIRE(Attack(doc, Hex("01010200c4010001010161") + Hex("00"), UpdateFormat::kV1).ok());
  CHECK(DocInside::Text(doc, "t") ==
        "\xef\xbf\xbd"
        "a"
        "\xef\xbf\xbd");
  CHECK(DocInside::UnitAt(doc, "t", 1) == u'a');
  // Half of it deleted.
  Doc other;
  DocInside::UnitAt(other, "t", 0);
  REQUIRE(other.Apply(Hex("0101010004010174") + Hex("04f09f9880") + Hex("00"), UpdateFormat::kV1).ok());
  REQUIRE(Attack(other, Hex("000101010101"), UpdateFormat::kV1).ok());
  CHECK(DocInside::Text(other, "t") == "\xef\xbf\xbd");
}

TEST_CASE("structs without length, of unknown kinds and with unknown types are refused", "[crdt][hostile]") {
  Doc doc;
  for (const std::string_view update : {"010101000000"
                                        "00",
                                        "0101010001010174"
                                        "0000",
                                        "0101010004010174"
                                        "0000",
                                        "0101010008010174"
                                        "0000",
                                        "0101010002010174"
                                        "0000",
                                        "010101000a0000", "010101002a0100", "010101000b01017400", "010101001f01017400",
                                        "010101000701017407"
                                        "00",
                                        "0101010007010174"
                                        "0900",
                                        "0001010101"
                                        "00",
                                        "0101010009010174"
                                        "01617e00",
                                        "0101010005010174"
                                        "017b00",
                                        "0101010008010174"
                                        "017300",
                                        "0101010008010174"
                                        "01750500"}) {
    CAPTURE(update);
    CHECK(Refused(Attack(doc, Hex(update), UpdateFormat::kV1)));
  }
}

TEST_CASE("a few bytes that claim 2^40 deleted ranges or clients are refused at once", "[crdt][hostile]") {
  const std::string two40 = Hex("808080808020");
  Doc doc;
  CHECK(Refused(Attack(doc, Hex("000101") + two40 + Hex("0001"), UpdateFormat::kV1)));
  CHECK(Exhausted(Attack(doc, Hex("00") + two40 + Hex("010101"), UpdateFormat::kV1)));
  CHECK(Exhausted(Attack(doc, two40 + Hex("010101"), UpdateFormat::kV1)));
  CHECK(Refused(Attack(doc, Columns({"", "", "", "", "", Hex("00"), "", "", ""}, Hex("000101") + two40 + Hex("0001")),
                       UpdateFormat::kV2)));
  CHECK(Exhausted(DiffUpdate(Hex("0000"), two40 + Hex("0101"), UpdateFormat::kV1).status()));
  CHECK(!DiffUpdate(Hex("0000"), Hex("020101"), UpdateFormat::kV1).ok());
  CHECK(!DiffUpdate(Hex("0000"), Hex("0001"), UpdateFormat::kV1).ok());
}

TEST_CASE("columns of V2 that are read past their end are refused", "[crdt][hostile]") {
  const RealUpdate& update = kUpdates[0];
  // Each column of a real update made empty, or shortened by its last byte, where it had one that counts.
  const std::string whole = BytesOf(update, UpdateFormat::kV2);
  std::vector<std::string> columns;
  size_t at = 1;
  for (int i = 0; i < 9; ++i) {
    const auto size = static_cast<uint8_t>(whole[at]);
    columns.push_back(whole.substr(at + 1, size));
    at += 1 + size;
  }
  const std::string rest = whole.substr(at);
  REQUIRE(Columns(columns, rest) == whole);
  for (size_t column = 0; column < columns.size(); ++column) {
    if (columns[column].empty()) continue;
    CAPTURE(column);
    std::vector<std::string> damaged = columns;
    damaged[column].clear();
    Doc doc = Known();
    CHECK(Refused(Attack(doc, Columns(damaged, rest), UpdateFormat::kV2)));
  }
}

TEST_CASE("a column of V2 that has only zeros can't be left away, though yjs reads zeros behind its end",
          "[crdt][hostile]") {
  const WireStruct item = Behind(Text({1, 1}, "", "x"), {1, 0});
  WireStruct format = OfKind(item, ContentKind::kFormat), values = OfKind(item, ContentKind::kAny);
  values.content.data = format.content.data = "\x78";
  const std::vector<std::pair<WireStruct, size_t>> cases = {
      {format, 0},
      {OfKind(Text({0, 0}, "", ""), ContentKind::kGc), 1},
      {item, 2},
      {Before(Text({1, 1}, "", "x"), {1, 0}), 3},
      {OfKind(Text({1, 0}, "", ""), ContentKind::kGc), 4},
      {OfKind(Text({1, 0}, "", ""), ContentKind::kDeleted), 5},
      {Inside(Text({1, 1}, "", "x"), {1, 0}), 6},
      {OfKind(item, ContentKind::kType), 7},
      {values, 8},
  };
  for (const auto& [made, column] : cases) {
    CAPTURE(column);
    std::vector<std::string> columns;
    std::string update = Update({made}, UpdateFormat::kV2);
    CHECK(CheckUpdate(update, UpdateFormat::kV2).ok());
    std::string_view left = std::string_view(update).substr(1);
    for (int i = 0; i < 9; ++i) {
      const size_t size = static_cast<uint8_t>(left[0]);
      columns.emplace_back(left.substr(1, size));
      left.remove_prefix(1 + size);
    }
    CHECK_FALSE(columns[column].empty());
    columns[column].clear();
    const std::string damaged = Columns(columns, left);
    Doc doc;
    for (const absl::Status& refused :
         {Attack(doc, damaged, UpdateFormat::kV2), CheckUpdate(damaged, UpdateFormat::kV2)}) {
      CHECK(Refused(refused));
      CHECK(absl::StrContains(refused.message(), "it ends too early"));
    }
  }
}

TEST_CASE("an embed or format of V2 whose value JSON lacks is refused", "[crdt][hostile]") {
  const std::string bigint = Hex("7a0000000000000005");
  for (const std::string_view value : {std::string_view("\x7f"), std::string_view(bigint)}) {
    for (const ContentKind kind : {ContentKind::kEmbed, ContentKind::kFormat}) {
      WireStruct item = OfKind(Text({1, 0}, "t", ""), kind);
      item.content.name = "b";
      item.content.data = value;
      Doc doc;
      CHECK(Refused(Attack(doc, Update({item}, UpdateFormat::kV2), UpdateFormat::kV2)));
    }
  }
}

TEST_CASE("a subdocument whose options are none, or whose other guid is no text, is refused", "[crdt][hostile]") {
  for (const std::string_view options : {"7e", "7f", "760104677569647d05"}) {
    Doc doc;
    CHECK(Refused(Attack(doc, Hex("01010100090101740167") + Hex(options) + '\0', UpdateFormat::kV1)));
  }
}

TEST_CASE("deleted ranges of V2 whose gaps add up to clocks over 2^53 are refused", "[crdt][hostile]") {
  // Clock 2^53 - 2, length 1; then one that begins 5 later.
  const std::string rest = Hex("00010102") + Hex("feffffffffffff0f") + Hex("000500");
  Doc doc;
  CHECK(Refused(Attack(doc, Columns({"", "", "", "", "", Hex("00"), "", "", ""}, rest), UpdateFormat::kV2)));
}

TEST_CASE("values nested a million deep are refused, and as deep as the limit they are taken", "[crdt][hostile]") {
  const auto nested = [](int depth) {
    std::string value;
    for (int i = 0; i < depth; ++i) value += Hex("7501");
    return Hex("010101000801017401") + value + Hex("7e") + Hex("00");
  };
  Doc doc;
  CHECK(Exhausted(Attack(doc, nested(1'000'000), UpdateFormat::kV1)));
  CHECK(Exhausted(Attack(doc, nested(513), UpdateFormat::kV1)));
  std::string json = Hex("0101010005010174");
  WriteVarBytes(json, std::string(1'000'000, '['));
  CHECK(Exhausted(Attack(doc, json + '\0', UpdateFormat::kV1)));
  CHECK(Attack(doc, nested(512), UpdateFormat::kV1).ok());
}

TEST_CASE("shared types nested a million deep are taken apart without recursion", "[crdt][hostile]") {
  constexpr uint64_t kDepth = 1'000'000;
  // Each a type in the one before.
  std::string update = Hex("01") + Hex("c0843d") + Hex("0100") + Hex("0701017400");
  for (uint64_t clock = 1; clock < kDepth; ++clock) {
    update += Hex("070001");
    WriteVarUint(update, clock - 1);
    update += '\0';
  }
  update += '\0';
  DocOptions deep;
  deep.limits.max_depth = 2'000'000;
  for (const bool gc : {true, false}) {
    deep.gc = gc;
    Doc doc(deep);
    REQUIRE(doc.Apply(update, UpdateFormat::kV1).ok());
    REQUIRE(doc.Apply(Hex("000101010001"), UpdateFormat::kV1).ok());
    CHECK(FaultOf(doc) == "");
    CHECK(DocInside::Length(doc, "t") == 0);
  }
}

TEST_CASE("shared types nested deeper than max_depth are refused", "[crdt][hostile]") {
  std::vector<WireStruct> items = {OfKind(Text({1, 0}, "t", ""), ContentKind::kType)};
  for (uint64_t clock = 1; clock < 600; ++clock) {
    items.push_back(OfKind(Inside(Text({1, clock}, "", ""), {1, clock - 1}), ContentKind::kType));
  }
  Doc doc;
  CHECK(Exhausted(Attack(doc, Update(items, UpdateFormat::kV1), UpdateFormat::kV1)));
}

TEST_CASE("structs that overlap what is known, or each other, count once", "[crdt][hostile]") {
  for (const UpdateFormat format : kFormats) {
    Doc doc;
    REQUIRE(Attack(doc, Update({Text({1, 0}, "t", "abc")}, format), format).ok());
    REQUIRE(Attack(doc, Update({Text({1, 1}, "t", "bcde")}, format), format).ok());
    REQUIRE(Attack(doc, Update({Text({1, 0}, "t", "ab")}, format), format).ok());
    CHECK(DocInside::Text(doc, "t") == "abcde");
    // Unsorted: the later one first, in an update of its own and in one with the former.
    REQUIRE(Attack(doc, Update({Behind(Text({1, 8}, "", "i"), {1, 7})}, format), format).ok());
    REQUIRE(Attack(doc, Update({Behind(Text({1, 4}, "", "efgh"), {1, 3})}, format), format).ok());
    CHECK(DocInside::Text(doc, "t") == "abcdefghi");
    CHECK(!doc.HasPending());
  }
}

TEST_CASE("every limit ends in an error that names it, and the document as it was", "[crdt][hostile]") {
  const std::string three =
      Update({Text({3, 0}, "t", "c"), Text({2, 0}, "t", "b"), Text({1, 0}, "t", "a")}, UpdateFormat::kV1);
  const auto refused_under = [&](auto set, std::string_view named) {
    DocOptions options;
    set(options.limits);
    Doc doc(options);
    const absl::Status status = Attack(doc, three, UpdateFormat::kV1);
    CHECK(Exhausted(status));
    CHECK(absl::StrContains(status.message(), std::string(named)));
  };
  refused_under([](Limits& limits) { limits.max_update_bytes = 10; }, "max_update_bytes");
  for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2}) {
    const absl::Status status =
        CheckUpdate(*ConvertUpdate(three, UpdateFormat::kV1, format), format, {.max_update_bytes = 4});
    CHECK(Exhausted(status));
    CHECK(absl::StrContains(status.message(), "max_update_bytes"));
  }
  refused_under([](Limits& limits) { limits.max_structs = 2; }, "max_structs");
  refused_under([](Limits& limits) { limits.max_clients = 2; }, "max_clients");
  refused_under([](Limits& limits) { limits.max_document_bytes = 100; }, "max_document_bytes");
  // In a document that has something already.
  DocOptions options;
  options.limits.max_structs = 3;
  options.limits.max_clients = 3;
  Doc doc(options);
  REQUIRE(Attack(doc, three, UpdateFormat::kV1).ok());
  CHECK(Exhausted(Attack(doc, Update({Text({1, 1}, "u", "x")}, UpdateFormat::kV1), UpdateFormat::kV1)));
  CHECK(Attack(doc, three, UpdateFormat::kV1).ok());
}

}  // namespace
}  // namespace rivermeet::crdt::internal
