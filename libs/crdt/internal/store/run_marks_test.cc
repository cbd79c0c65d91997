#include <random>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/internal/store/content_arena.h"

namespace rivermeet::crdt::internal {
namespace {

constexpr TextUnit kUnits[] = {TextUnit::kUtf16, TextUnit::kUtf8, TextUnit::kCodePoint};

// Letters of one to three bytes, characters of two units, and halves of these alone.
std::string RandomText(std::mt19937& random, size_t characters) {
  constexpr std::string_view kCharacters[] = {
      "a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "\xed\xa0\xbd", "\xed\xb8\x80"};
  std::string text;
  for (size_t i = 0; i < characters; ++i) {
    const uint32_t drawn = random() % 40;
    AppendJoined(kCharacters[drawn < 2 ? 4 + drawn : drawn % 4], text);
  }
  return text;
}

bool IsSame(const TextPlace& a, const TextPlace& b) {
  return a.byte == b.byte && a.inside_pair == b.inside_pair && a.before.utf16 == b.before.utf16 &&
         a.before.astral == b.before.astral;
}

// What JavaScript's splice leaves of a text cut between two units that go together.
std::vector<std::string> Cut(std::string_view text, uint64_t units) {
  const uint64_t length = Measure(text).utf16;
  std::string left, right(kReplacementCharacter);
  AppendSlice(text, 0, units - 1, left);
  left.append(kReplacementCharacter);
  AppendSlice(text, units + 1, length, right);
  return {left, right};
}

TEST_CASE("places in a long text are found in every unit, also in what it is cut into", "[crdt]") {
  std::mt19937 random(11);
  for (int round = 0; round < 4; ++round) {
    ContentArena arena;
    std::vector<std::string_view> pieces = {arena.Add(RandomText(random, 40'000))};
    std::vector<std::string> expected = {std::string(pieces[0])};
    for (int step = 0; step < 400; ++step) {
      const size_t at = random() % pieces.size();
      const std::string_view piece = pieces[at];
      for (const TextUnit unit : kUnits) {
        const uint64_t count = random() % (piece.size() + 2);
        REQUIRE(IsSame(arena.Find(piece, unit, count), FindPlace(expected[at], unit, count)));
      }
      const uint64_t length = Measure(piece).utf16;
      if (length < 3) continue;
      // Near the ends more often than not, so that either part is the longer one.
      const uint64_t range = random() % 3 == 0 ? length - 1 : std::min<uint64_t>(length - 1, 30);
      const uint64_t units = random() % 2 == 0 ? 1 + random() % range : length - 1 - random() % range;
      const TextPlace place = arena.Find(piece, TextUnit::kUtf16, units);
      std::string_view left = piece.substr(0, place.byte), right = piece.substr(place.byte);
      std::vector<std::string> parts = {std::string(left), std::string(right)};
      if (place.inside_pair || EndsInHighSurrogate(left)) {
        const TextSize before = Measure(piece);
        parts = Cut(piece, units);
        const ContentArena::CutText cut = arena.CutCharacter(piece, place);
        left = cut.left;
        right = cut.right;
        REQUIRE(Measure(left).astral + Measure(right).astral + (cut.lost_astral ? 1 : 0) == before.astral);
      }
      REQUIRE(left == parts[0]);
      REQUIRE(right == parts[1]);
      pieces[at] = left;
      expected[at] = parts[0];
      pieces.insert(pieces.begin() + at + 1, right);
      expected.insert(expected.begin() + at + 1, parts[1]);
    }
    uint64_t live = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      REQUIRE(pieces[i] == expected[i]);
      live += pieces[i].size();
    }
    CHECK(arena.live() == live);
    CHECK(arena.bytes() < 8 * live);
  }
}

TEST_CASE("two halves of a character that come together become one where they are", "[crdt]") {
  ContentArena arena;
  std::string expected = "\xed\xb8\x80";
  std::string_view run = arena.Add(expected);
  for (int i = 0; i < 30'000; ++i) {
    run = arena.Join(run, arena.Add("x\xed\xa0\xbd"));
    run = arena.JoinCharacter(run, arena.Add("\xed\xb8\x80y"));
    expected += "x\xf0\x9f\x98\x80y";
  }
  CHECK(run == expected);
  CHECK(arena.live() == expected.size());
  CHECK(arena.bytes() < 16 * expected.size());
  CHECK(arena.Find(run, TextUnit::kUtf16, 60'001).byte == 1 + 2 + 6 * 14'999 + 6 + 0);
}

TEST_CASE("values are skipped in what a run of them is cut into", "[crdt]") {
  // Text values of many lengths, each with its number.
  ContentArena arena;
  std::vector<std::string> values;
  std::string all;
  for (int i = 0; i < 3'000; ++i) {
    const std::string digits = std::to_string(i * i);
    values.push_back(std::string("\x77") + static_cast<char>(digits.size()) + digits);
    all += values.back();
  }
  std::mt19937 random(5);
  std::vector<std::pair<std::string_view, size_t>> pieces = {{arena.Add(all), 0}};  // with its first value's number
  std::vector<size_t> sizes = {values.size()};
  for (int step = 0; step < 2'000; ++step) {
    const size_t at = random() % pieces.size();
    const size_t count = random() % (sizes[at] + 1);
    const auto [piece, first] = pieces[at];
    const std::string_view rest = arena.Skip(piece, count);
    std::string expected;
    for (size_t i = first + count; i < first + sizes[at]; ++i) expected += values[i];
    REQUIRE(rest == expected);
    if (count == 0 || count == sizes[at]) continue;
    pieces[at].first = piece.substr(0, piece.size() - rest.size());
    pieces.emplace_back(rest, first + count);
    sizes.push_back(sizes[at] - count);
    sizes[at] = count;
  }
  CHECK(pieces.size() > 500);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
