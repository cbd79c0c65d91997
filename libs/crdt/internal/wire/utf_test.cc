#include "crdt/internal/wire/utf.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace rivermeet::crdt::internal {
namespace {

using namespace std::literals;

constexpr std::string_view kHigh = "\xED\xA0\xBD";      // D83D
constexpr std::string_view kLow = "\xED\xB8\x80";       // DE00
constexpr std::string_view kPair = "\xF0\x9F\x98\x80";  // both: U+1F600

// The text of UTF-16 units, by the book.
std::string FromUnits(const std::vector<uint16_t>& units) {
  std::string text;
  for (size_t i = 0; i < units.size(); ++i) {
    uint32_t point = units[i];
    if (point >= 0xd800 && point < 0xdc00 && i + 1 < units.size() && units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000) {
      point = 0x10000 + ((point - 0xd800) << 10) + (units[++i] - 0xdc00u);
    }
    if (point < 0x80) {
      text.push_back(static_cast<char>(point));
      continue;
    }
    const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    constexpr int kLeads[] = {0, 0xc0, 0xe0, 0xf0};
    text.push_back(static_cast<char>(static_cast<uint32_t>(kLeads[more]) | (point >> (6 * more))));
    for (int j = more - 1; j >= 0; --j) text.push_back(static_cast<char>(0x80 | ((point >> (6 * j)) & 0x3f)));
  }
  return text;
}

// Texts of all kinds of characters, lone surrogates too, in runs long enough for every way through the functions.
class RandomUnits {
 public:
  explicit RandomUnits(uint32_t seed) : random_(seed) {}

  std::vector<uint16_t> Next() {
    std::vector<uint16_t> units;
    for (size_t runs = random_() % 6; runs > 0; --runs) {
      const uint32_t kind = random_() % 5;
      for (size_t size = random_() % (kind == 0 ? 150 : 30); size > 0; --size) AppendUnits(kind, units);
    }
    return units;
  }
  uint64_t Below(uint64_t n) { return random_() % n; }

 private:
  void AppendUnits(uint32_t kind, std::vector<uint16_t>& units) {
    switch (kind) {
      case 0:
        return units.push_back(static_cast<uint16_t>(random_() % 0x80));
      case 1:
        return units.push_back(static_cast<uint16_t>(0x80 + random_() % 0x780));
      case 2:
        return units.push_back(static_cast<uint16_t>(0x800 + random_() % 0xd000));
      case 3:
        units.push_back(static_cast<uint16_t>(0xd800 + random_() % 0x400));
        return units.push_back(static_cast<uint16_t>(0xdc00 + random_() % 0x400));
      default:
        return units.push_back(static_cast<uint16_t>(random_() % 3 == 0 ? 0xd800 + random_() % 0x800 : 'a'));
    }
  }

  std::mt19937 random_;
};

TEST_CASE("texts of any units measure, cut and join as UTF-16 does", "[crdt]") {
  RandomUnits random(1);
  for (int round = 0; round < 3000; ++round) {
    const auto units = random.Next();
    const std::string text = FromUnits(units);
    const TextSize size = Measure(text);
    REQUIRE(size.utf16 == units.size());
    REQUIRE(IsWtf8(text));
    REQUIRE(IsUtf8(text) == IsWellFormed(text));
    REQUIRE(AsciiPrefix(text) ==
            static_cast<size_t>(std::ranges::find_if(text, [](char c) { return c < 0; }) - text.begin()));

    const uint64_t from = random.Below(units.size() + 1);
    const uint64_t to = from + random.Below(units.size() - from + 1);
    const auto part = [&](uint64_t begin, uint64_t end) {
      return FromUnits({units.begin() + static_cast<ptrdiff_t>(begin), units.begin() + static_cast<ptrdiff_t>(end)});
    };
    std::string slice = "x";
    AppendSlice(text, from, to, slice);
    REQUIRE(slice == "x" + part(from, to));

    const Utf16Position position = FindUtf16(text, from);
    REQUIRE(Measure(std::string_view(text).substr(0, position.byte)).utf16 + (position.inside_pair ? 1 : 0) == from);
    std::string joined = part(0, from);
    AppendJoined(part(from, units.size()), joined);
    REQUIRE(joined == text);

    std::string formed;
    AppendWellFormed(text, formed);
    REQUIRE(IsUtf8(formed));
    REQUIRE(formed.size() == text.size());
    REQUIRE((formed == text) == IsWellFormed(text));
  }
}

TEST_CASE("every unit of a text is found", "[crdt]") {
  const std::string text =
      std::string(61, 'a') + "\xC3\xA9" + std::string(kPair) + std::string(kHigh) + std::string(70, 'b');
  uint64_t unit = 0;
  for (size_t byte = 0; byte < text.size();) {
    const auto lead = static_cast<uint8_t>(text[byte]);
    CHECK(FindUtf16(text, unit).byte == byte);
    CHECK_FALSE(FindUtf16(text, unit).inside_pair);
    ++unit;
    if (lead >= 0xf0) {
      CHECK(FindUtf16(text, unit).byte == byte);
      CHECK(FindUtf16(text, unit).inside_pair);
      ++unit;
    }
    byte += lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  }
  for (const uint64_t past : {unit, unit + 1, UINT64_MAX}) {
    CHECK(FindUtf16(text, past).byte == text.size());
    CHECK_FALSE(FindUtf16(text, past).inside_pair);
  }
}

TEST_CASE("long texts measure past what a byte counts", "[crdt]") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += kPair;
  for (int i = 0; i < 5000; ++i) text += "\xE6\x97\xA5";
  CHECK(Measure(text).utf16 == 15000);
  CHECK(Measure(text).astral == 5000);
  CHECK(IsUtf8(text));
}

TEST_CASE("what isn't UTF-8 is told at every place in a text", "[crdt]") {
  const std::string_view bad[] = {"\x80",
                                  "\xBF",
                                  "\xC0\x80",
                                  "\xC1\xBF",
                                  "\xC3",
                                  "\xC3\x28",
                                  "\xE0\x9F\xBF",
                                  "\xE6\x97",
                                  "\xE6\x28\xA5",
                                  "\xF0\x8F\xBF\xBF",
                                  "\xF0\x9F\x98",
                                  "\xF4\x90\x80\x80",
                                  "\xF5\x80\x80\x80",
                                  "\xFF",
                                  "\xF0\x9F\x98\x28"};
  for (const std::string_view bytes : bad) {
    for (const size_t before : {0, 1, 7, 15, 16, 63, 64, 65}) {
      for (const size_t after : {0, 1, 20, 70}) {
        const std::string text = std::string(before, 'a') + std::string(bytes) + std::string(after, 'b');
        CHECK_FALSE(IsUtf8(text));
        CHECK_FALSE(IsWtf8(text));
      }
    }
  }
  for (const std::string_view good : {"\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv,
                                      "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv, "\x00"sv, ""sv}) {
    CHECK(IsUtf8(good));
  }
}

TEST_CASE("surrogates are WTF-8 alone, not UTF-8, and not beside each other", "[crdt]") {
  const std::string high(kHigh);
  const std::string low(kLow);
  for (const std::string& text : {high, low, low + high, high + high, high + "a" + low}) {
    CHECK(IsWtf8(text));
    CHECK_FALSE(IsUtf8(text));
    CHECK_FALSE(IsWellFormed(text));
  }
  CHECK_FALSE(IsWtf8(high + low));
  CHECK_FALSE(IsWtf8(high + high + low));
}

TEST_CASE("halves that come together are joined, others stay", "[crdt]") {
  std::string text = "a" + std::string(kHigh);
  AppendJoined(std::string(kLow) + "b", text);
  CHECK(text == "a" + std::string(kPair) + "b");
  text = kLow;
  AppendJoined(kHigh, text);
  CHECK(text == std::string(kLow) + std::string(kHigh));
  text.clear();
  AppendJoined(kLow, text);
  CHECK(text == kLow);
}

TEST_CASE("a slice of half a character is a lone surrogate", "[crdt]") {
  const auto slice = [](uint64_t from, uint64_t to) {
    std::string out;
    AppendSlice("a" + std::string(kPair) + "b", from, to, out);
    return out;
  };
  CHECK(slice(1, 2) == kHigh);
  CHECK(slice(2, 3) == kLow);
  CHECK(slice(1, 3) == kPair);
  CHECK(slice(2, 9) == std::string(kLow) + "b");
  CHECK(slice(2, 2).empty());
  CHECK(slice(3, 1).empty());
}

TEST_CASE("cut off bytes are measured and cut without reading past them", "[crdt]") {
  for (const std::string_view bytes : {"\xF0"sv, "\xF0\x9F"sv, "\xED"sv, "\xED\xA0"sv, "\x80\x80"sv}) {
    const std::string text(bytes);
    std::string out;
    for (uint64_t unit = 0; unit < 3; ++unit) AppendSlice(text, unit, unit + 1, out);
    AppendJoined(text, out);
    AppendWellFormed(text, out);
    CHECK(Measure(text).utf16 <= 2);
  }
}

TEST_CASE("texts are ordered by their UTF-16 units", "[crdt]") {
  CHECK(LessInUtf16("", "a"));
  CHECK(LessInUtf16("a", "ab"));
  CHECK_FALSE(LessInUtf16("a", "a"));
  CHECK(LessInUtf16("\U0001f600", "\uffff"));
  CHECK_FALSE(LessInUtf16("\uffff", "\U0001f600"));
  CHECK(LessInUtf16("\U0001f600", "\U0001f601"));
  CHECK(LessInUtf16("\xed\xa0\xbd", "\U0001f600"));
  CHECK_FALSE(LessInUtf16("\U0001f600", "\xed\xa0\xbdz"));
  CHECK_FALSE(LessInUtf16("\xed\xa0\xbd\uffff", "\U0001f600"));
}

}  // namespace
}  // namespace rivermeet::crdt::internal
