// UTF-8 with lone surrogates ("WTF-8"): the text form of this library, counted in JavaScript's UTF-16 code units.
//
// Text is kept as UTF-8; a surrogate without its partner, which JavaScript strings may hold, as the three bytes its
// number would give (ED A0..BF xx). Two halves that come together are joined to the four bytes of their character.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_UTF_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_UTF_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "crdt/text_unit.h"

namespace rivermeet::crdt::internal {

// What a text measures. Code points = utf16 - astral.
struct TextSize {
  uint64_t utf16 = 0;   // UTF-16 code units
  uint64_t astral = 0;  // characters outside the Basic Multilingual Plane: two units, four bytes each
};

// How many bytes before the first that isn't below 0x80.
size_t AsciiPrefix(std::string_view text);
// Whether `bytes` are UTF-8: shortest forms, no surrogates, at most U+10FFFF.
bool IsUtf8(std::string_view bytes);
// Whether `bytes` are WTF-8: as UTF-8, but a surrogate may stand where its partner doesn't stand beside it.
bool IsWtf8(std::string_view bytes);
// Measures text in WTF-8; every byte but the continuing ones starts a character.
TextSize Measure(std::string_view text);

// Where UTF-16 unit `unit` starts in `text`: a byte offset, and whether it is the second half of the character there.
// The end of `text` for a unit that it doesn't have.
struct Utf16Position {
  size_t byte = 0;
  bool inside_pair = false;
};
Utf16Position FindUtf16(std::string_view text, uint64_t unit);

// A place in a text: a byte that starts a character or is the end, with what is before it, and whether what is meant is
// the second half of the character there.
struct TextPlace {
  size_t byte = 0;
  TextSize before;
  bool inside_pair = false;
};
// The place `count` behind the start of `text`, the end when that has fewer. In other units than UTF-16 a place inside
// a character is the character's start. `text` may begin inside a character, whose rest counts nothing then.
TextPlace FindPlace(std::string_view text, TextUnit unit, uint64_t count);

// Appends units `from` to `to` of `text`, as String.prototype.slice cuts: half a character stays as a lone surrogate.
// Doesn't join with what `out` ends in.
void AppendSlice(std::string_view text, uint64_t from, uint64_t to, std::string& out);

// The UTF-16 unit `unit` of `text`, which has it.
char16_t UnitAt(std::string_view text, uint64_t unit);

// Whether `text` ends in a lone high surrogate, or starts with a lone low one.
bool EndsInHighSurrogate(std::string_view text);
bool StartsWithLowSurrogate(std::string_view text);

// Appends `text`, joining a lone high surrogate at the end of `out` with a low one at the start of `text`.
void AppendJoined(std::string_view text, std::string& out);

// Appends `text` with each lone surrogate as U+FFFD: what TextEncoder makes of it.
void AppendWellFormed(std::string_view text, std::string& out);
// Whether AppendWellFormed would change nothing.
bool IsWellFormed(std::string_view text);

// Appends a code point, or a surrogate, which isn't joined with what `out` ends in.
void AppendCharacter(uint32_t character, std::string& out);

// Takes the first character off `text`, which is WTF-8 and not empty.
uint32_t TakeCharacter(std::string_view& text);

// Calls `take` with each UTF-16 unit of `text`, which is WTF-8, as a text: a character of two as both its surrogates.
template <class Take>
void ForEachUnit(std::string_view text, Take&& take) {
  for (std::string half; !text.empty();) {
    std::string_view rest = text;
    const uint32_t character = TakeCharacter(rest);
    if (character < 0x10000) {
      take(text.substr(0, text.size() - rest.size()));
    } else {
      for (const uint32_t surrogate :
           {0xd800 + ((character - 0x10000) >> 10), 0xdc00 + ((character - 0x10000) & 0x3ff)}) {
        half.clear();
        AppendCharacter(surrogate, half);
        take(std::string_view(half));
      }
    }
    text = rest;
  }
}

// JavaScript's `<`: by UTF-16 code units. Both are WTF-8.
bool LessInUtf16(std::string_view a, std::string_view b);

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_UTF_H_
