// Places in a text, for callers that count otherwise than JavaScript.
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"

namespace rivermeet::crdt {
namespace {

constexpr TextUnit kUtf16 = TextUnit::kUtf16, kUtf8 = TextUnit::kUtf8, kCodePoint = TextUnit::kCodePoint;

TEST_CASE("a text is measured, and its places are told, in bytes and code points too", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  REQUIRE(text.Insert(0, "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z").ok());  // of 1, 2, 3, 4 and 1 bytes
  CHECK(text.length(kUtf16) == 6);
  CHECK(text.length(kUtf8) == 11);
  CHECK(text.length(kCodePoint) == 5);
  const std::vector<uint64_t> units = {0, 1, 2, 3, 5, 6}, bytes = {0, 1, 3, 6, 10, 11};
  for (uint64_t point = 0; point < units.size(); ++point) {
    CAPTURE(point);
    CHECK(text.ConvertPlace(point, kCodePoint, kUtf16) == units[point]);
    CHECK(text.ConvertPlace(point, kCodePoint, kUtf8) == bytes[point]);
    CHECK(text.ConvertPlace(units[point], kUtf16, kUtf8) == bytes[point]);
    CHECK(text.ConvertPlace(units[point], kUtf16, kCodePoint) == point);
    CHECK(text.ConvertPlace(bytes[point], kUtf8, kUtf16) == units[point]);
    CHECK(text.ConvertPlace(bytes[point], kUtf8, kCodePoint) == point);
  }
}

TEST_CASE("a place inside a character is where that starts, and one past the end the end", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  REQUIRE(text.Insert(0, "a\xf0\x9f\x98\x80z").ok());
  CHECK(text.ConvertPlace(2, kUtf16, kUtf8) == 1);
  CHECK(text.ConvertPlace(2, kUtf16, kCodePoint) == 1);
  CHECK(text.ConvertPlace(2, kUtf16, kUtf16) == 2);
  CHECK(text.ConvertPlace(4, kUtf8, kUtf16) == 1);
  CHECK(text.ConvertPlace(4, kUtf8, kUtf8) == 1);
  CHECK(text.ConvertPlace(99, kUtf16, kUtf8) == 6);
  CHECK(text.ConvertPlace(uint64_t{1} << 40, kUtf8, kUtf16) == 4);
}

TEST_CASE("an embed is a unit and a code point and no byte, half a character is three bytes", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  REQUIRE(text.Insert(0, "\xc3\xa9\xed\xa0\xbdz").ok());
  REQUIRE(text.InsertEmbed(1, Any(true)).ok());
  CHECK(text.length(kUtf16) == 4);
  CHECK(text.length(kCodePoint) == 4);
  CHECK(text.length(kUtf8) == 6);
  CHECK(text.ConvertPlace(1, kUtf16, kUtf8) == 2);
  CHECK(text.ConvertPlace(2, kUtf16, kUtf8) == 2);
  CHECK(text.ConvertPlace(2, kUtf8, kUtf16) == 2);  // behind it
  CHECK(text.ConvertPlace(3, kUtf16, kUtf8) == 5);
  CHECK(text.ConvertPlace(3, kCodePoint, kUtf8) == 5);
}

TEST_CASE("places follow edits, formats and deletions of a long text of many runs", "[crdt]") {
  Doc doc;
  Text text = *doc.GetText("t");
  std::string paste;
  for (int i = 0; i < 20'000; ++i) paste += i % 3 == 0 ? "\xf0\x9f\x98\x80" : "\xd0\xb6";
  REQUIRE(text.Insert(0, paste).ok());
  for (uint64_t i = 0; i < 200; ++i) {
    REQUIRE(text.Insert(i * 97, "x").ok());
    REQUIRE(text.Delete(i * 113 + 5, 2).ok());
    REQUIRE(text.Format(i * 51, 3, {{"b", true}}).ok());
  }
  const std::string all = text.PlainText();
  CHECK(text.length(kUtf8) == all.size());
  // Character by character, what is before each.
  uint64_t units = 0, points = 0;
  for (size_t byte = 0; byte < all.size();) {
    if (points % 31 == 0) {
      REQUIRE(text.ConvertPlace(byte, kUtf8, kUtf16) == units);
      REQUIRE(text.ConvertPlace(units, kUtf16, kUtf8) == byte);
      REQUIRE(text.ConvertPlace(points, kCodePoint, kUtf16) == units);
      REQUIRE(text.ConvertPlace(units, kUtf16, kCodePoint) == points);
    }
    const auto lead = static_cast<uint8_t>(all[byte]);
    byte += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    units += lead < 0xf0 ? 1 : 2;
    ++points;
  }
  CHECK(text.length(kCodePoint) == points);
}

TEST_CASE("a text that is gone has no length in any unit", "[crdt]") {
  Doc doc;
  List list = *doc.GetArray("a");
  REQUIRE(list.Push({NewType{.kind = SharedKind::kText}}).ok());
  Text text = *std::get<SharedType>(*list.At(0)).AsText();
  REQUIRE(list.Delete(0, 1).ok());
  for (const TextUnit unit : {kUtf16, kUtf8, kCodePoint}) CHECK(text.length(unit) == 0);
  CHECK(text.ConvertPlace(3, kUtf16, kUtf8) == 0);
}

}  // namespace
}  // namespace rivermeet::crdt
