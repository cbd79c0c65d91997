#include "crdt/internal/wire/utf.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace rivermeet::crdt::internal {
namespace {

constexpr size_t kBlock = 16;      // what the functions below look at in one go
constexpr size_t kLongBlock = 64;  // what is looked at first, in the hope that it is ASCII

uint8_t ByteAt(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }
bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

template <typename Word>
Word LoadWord(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

#ifdef __SSE2__

// All of x86-64 has SSE2.
__m128i Load(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

bool IsAsciiBlock(const char* at) { return _mm_movemask_epi8(Load(at)) == 0; }
bool IsAsciiLongBlock(const char* at) {
  const __m128i all = _mm_or_si128(_mm_or_si128(Load(at), Load(at + 16)), _mm_or_si128(Load(at + 32), Load(at + 48)));
  return _mm_movemask_epi8(all) == 0;
}

uint64_t SumOfBytes(__m128i bytes) {
  const __m128i sums = _mm_sad_epu8(bytes, _mm_setzero_si128());
  return static_cast<uint64_t>(_mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
}

// Minus one in each byte that continues a character, that starts one of four bytes.
__m128i Continuations(__m128i bytes) { return _mm_cmplt_epi8(bytes, _mm_set1_epi8(-0x40)); }
__m128i AstralLeads(__m128i bytes) {
  return _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(static_cast<char>(0xf0))), bytes);
}

// What starts in the 16 bytes there.
TextSize MeasureBlock(const char* at) {
  const __m128i bytes = Load(at);
  const __m128i zero = _mm_setzero_si128();
  const uint64_t astral = SumOfBytes(_mm_sub_epi8(zero, AstralLeads(bytes)));
  return {kBlock - SumOfBytes(_mm_sub_epi8(zero, Continuations(bytes))) + astral, astral};
}

// What starts in the whole blocks of `size` bytes: their lanes are counted apart and summed before they can overflow.
TextSize MeasureBlocks(const char* at, size_t size) {
  TextSize total;
  while (size >= kBlock) {
    const size_t blocks = std::min<size_t>(size / kBlock, 255);
    __m128i continuations = _mm_setzero_si128();
    __m128i astral = _mm_setzero_si128();
    for (const char* end = at + blocks * kBlock; at != end; at += kBlock) {
      const __m128i bytes = Load(at);
      continuations = _mm_sub_epi8(continuations, Continuations(bytes));
      astral = _mm_sub_epi8(astral, AstralLeads(bytes));
    }
    const uint64_t pairs = SumOfBytes(astral);
    total.astral += pairs;
    total.utf16 += blocks * kBlock - SumOfBytes(continuations) + pairs;
    size -= blocks * kBlock;
  }
  return total;
}

#else

constexpr uint64_t kHighBits = 0x8080808080808080;

bool IsAsciiBlock(const char* at) { return ((LoadWord<uint64_t>(at) | LoadWord<uint64_t>(at + 8)) & kHighBits) == 0; }
bool IsAsciiLongBlock(const char* at) {
  uint64_t all = 0;
  for (size_t i = 0; i < kLongBlock; i += 8) all |= LoadWord<uint64_t>(at + i);
  return (all & kHighBits) == 0;
}

// How many of the bits that kHighBits selects are set.
uint64_t CountHighBits(uint64_t word) { return (((word & kHighBits) >> 7) * 0x0101010101010101) >> 56; }

TextSize MeasureWord(uint64_t word) {
  // A byte continues a character when its first bits are 10, and starts one of four bytes when they are 1111.
  const uint64_t astral = CountHighBits(word & (word << 1) & (word << 2) & (word << 3));
  return {8 - CountHighBits(word & ~(word << 1)) + astral, astral};
}

TextSize MeasureBlock(const char* at) {
  const TextSize first = MeasureWord(LoadWord<uint64_t>(at));
  const TextSize second = MeasureWord(LoadWord<uint64_t>(at + 8));
  return {first.utf16 + second.utf16, first.astral + second.astral};
}

TextSize MeasureBlocks(const char* at, size_t size) {
  TextSize total;
  for (; size >= kBlock; at += kBlock, size -= kBlock) {
    const TextSize block = MeasureBlock(at);
    total.utf16 += block.utf16;
    total.astral += block.astral;
  }
  return total;
}

#endif

// Steps over whole blocks of ASCII.
size_t SkipAsciiBlocks(std::string_view text, size_t at) {
  while (text.size() - at >= kLongBlock && IsAsciiLongBlock(text.data() + at)) at += kLongBlock;
  while (text.size() - at >= kBlock && IsAsciiBlock(text.data() + at)) at += kBlock;
  return at;
}

// Whether a text of at most kBlock bytes is ASCII: two words that may overlap, or three bytes.
bool IsShortAscii(std::string_view text) {
  const char* const begin = text.data();
  const size_t size = text.size();
  if (size >= 8) return ((LoadWord<uint64_t>(begin) | LoadWord<uint64_t>(begin + size - 8)) & 0x8080808080808080) == 0;
  if (size >= 4) return ((LoadWord<uint32_t>(begin) | LoadWord<uint32_t>(begin + size - 4)) & 0x80808080) == 0;
  return size == 0 || ((begin[0] | begin[size / 2] | begin[size - 1]) & 0x80) == 0;
}

enum class Surrogate : uint8_t { kNone, kHigh, kLow };

// A surrogate in its three-byte form at `at`.
Surrogate SurrogateAt(std::string_view text, size_t at) {
  if (text.size() < 3 || at > text.size() - 3 || ByteAt(text, at) != 0xed) return Surrogate::kNone;
  const uint8_t second = ByteAt(text, at + 1);
  if (second < 0xa0) return Surrogate::kNone;
  return second < 0xb0 ? Surrogate::kHigh : Surrogate::kLow;
}

// The size of the character at `at`, which isn't ASCII; zero when it is none. Surrogates are characters here.
size_t CharacterSize(std::string_view bytes, size_t at) {
  const uint8_t lead = ByteAt(bytes, at);
  const size_t left = bytes.size() - at;
  if (lead < 0xc2 || left < 2 || !IsContinuation(ByteAt(bytes, at + 1))) return 0;
  if (lead < 0xe0) return 2;
  if (left < 3 || !IsContinuation(ByteAt(bytes, at + 2))) return 0;
  // Overlong forms have a small second byte, and what is past U+10FFFF a large one.
  const uint8_t second = ByteAt(bytes, at + 1);
  if (lead < 0xf0) return lead == 0xe0 && second < 0xa0 ? 0 : 3;
  if (left < 4 || !IsContinuation(ByteAt(bytes, at + 3))) return 0;
  return lead > 0xf4 || (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) ? 0 : 4;
}

// Whether a character that starts with ED may stand at `at`.
template <bool kLoneSurrogates>
bool MayStand(std::string_view bytes, size_t at) {
  const Surrogate surrogate = SurrogateAt(bytes, at);
  if (surrogate == Surrogate::kNone) return true;
  return kLoneSurrogates && (surrogate == Surrogate::kHigh || at < 3 || SurrogateAt(bytes, at - 3) != Surrogate::kHigh);
}

template <bool kLoneSurrogates>
bool IsEncoded(std::string_view bytes) {
  if (bytes.size() <= kBlock && IsShortAscii(bytes)) return true;
  for (size_t at = 0; at < bytes.size();) {
    at = SkipAsciiBlocks(bytes, at);
    for (const size_t block_end = std::min(bytes.size(), at + kBlock); at < block_end;) {
      const uint8_t lead = ByteAt(bytes, at);
      if (lead < 0x80) {
        ++at;
        continue;
      }
      const size_t size = CharacterSize(bytes, at);
      if (size == 0 || (lead == 0xed && !MayStand<kLoneSurrogates>(bytes, at))) return false;
      at += size;
    }
  }
  return true;
}

uint32_t DecodeThree(std::string_view text, size_t at) {
  return ((ByteAt(text, at) & 0x0fu) << 12) | ((ByteAt(text, at + 1) & 0x3fu) << 6) | (ByteAt(text, at + 2) & 0x3fu);
}

// Half of the four-byte character at `at`, as a lone surrogate. Nothing where it is cut off.
void AppendHalf(std::string_view text, size_t at, bool low, std::string& out) {
  if (text.size() - at < 4) return;
  std::string_view rest = text.substr(at);
  const uint32_t point = TakeCharacter(rest);
  const uint32_t above = point - 0x10000;
  AppendCharacter(low ? 0xdc00 + (above & 0x3ff) : 0xd800 + (above >> 10), out);
}

// Where code point `point` starts; the end of `text` when it has fewer.
size_t FindCodePoint(std::string_view text, uint64_t point) {
  size_t at = 0;
  for (; text.size() - at >= kBlock; at += kBlock) {
    const TextSize size = MeasureBlock(text.data() + at);
    if (size.utf16 - size.astral > point) break;
    point -= size.utf16 - size.astral;
  }
  for (; at < text.size(); ++at) {
    if (!IsContinuation(ByteAt(text, at)) && point-- == 0) return at;
  }
  return text.size();
}

// The first surrogate from `at` on; npos when there is none.
size_t FindSurrogate(std::string_view text, size_t at) {
  while ((at = text.find('\xed', at)) != std::string_view::npos && SurrogateAt(text, at) == Surrogate::kNone) ++at;
  return at;
}

}  // namespace

size_t AsciiPrefix(std::string_view text) {
  size_t at = SkipAsciiBlocks(text, 0);
  while (at < text.size() && ByteAt(text, at) < 0x80) ++at;
  return at;
}

bool IsUtf8(std::string_view bytes) { return IsEncoded<false>(bytes); }
bool IsWtf8(std::string_view bytes) { return IsEncoded<true>(bytes); }

TextSize Measure(std::string_view text) {
  if (text.size() <= kBlock && IsShortAscii(text)) return {text.size(), 0};
  TextSize total = MeasureBlocks(text.data(), text.size());
  const std::string_view rest = text.substr(text.size() / kBlock * kBlock);
  if (IsShortAscii(rest)) {
    total.utf16 += rest.size();
    return total;
  }
  for (const char c : rest) {
    const auto byte = static_cast<uint8_t>(c);
    total.utf16 += IsContinuation(byte) ? 0 : 1;
    if (byte < 0xf0) continue;
    ++total.utf16;
    ++total.astral;
  }
  return total;
}

Utf16Position FindUtf16(std::string_view text, uint64_t unit) {
  // `unit` counts on from `at`. Bytes that continue a character whose start was passed count nothing.
  size_t at = 0;
  while (unit >= kLongBlock && text.size() - at >= kLongBlock && IsAsciiLongBlock(text.data() + at)) {
    at += kLongBlock;
    unit -= kLongBlock;
  }
  while (text.size() - at >= kBlock) {
    const uint64_t units = IsAsciiBlock(text.data() + at) ? kBlock : MeasureBlock(text.data() + at).utf16;
    if (units > unit) break;
    at += kBlock;
    unit -= units;
  }
  for (; at < text.size(); ++at) {
    const uint8_t byte = ByteAt(text, at);
    if (IsContinuation(byte)) continue;
    if (unit == 0) return {at, false};
    if (byte >= 0xf0 && unit == 1) return {at, true};
    unit -= byte >= 0xf0 ? 2 : 1;
  }
  return {text.size(), false};
}

TextPlace FindPlace(std::string_view text, TextUnit unit, uint64_t count) {
  Utf16Position found;
  switch (unit) {
    case TextUnit::kUtf16:
      found = FindUtf16(text, count);
      break;
    case TextUnit::kUtf8:
      found.byte = std::min<uint64_t>(count, text.size());
      while (found.byte > 0 && found.byte < text.size() && IsContinuation(ByteAt(text, found.byte))) --found.byte;
      break;
    case TextUnit::kCodePoint:
      found.byte = FindCodePoint(text, count);
      break;
  }
  return {found.byte, Measure(text.substr(0, found.byte)), found.inside_pair};
}

void AppendSlice(std::string_view text, uint64_t from, uint64_t to, std::string& out) {
  if (from >= to) return;
  const Utf16Position first = FindUtf16(text, from);
  std::string_view rest = text.substr(first.byte);
  // Counted from the start of the character that `from` is in.
  uint64_t left = to - from + (first.inside_pair ? 1 : 0);
  if (first.inside_pair) {
    AppendHalf(rest, 0, /*low=*/true, out);
    rest.remove_prefix(std::min<size_t>(4, rest.size()));
    left -= 2;
  }
  const Utf16Position last = FindUtf16(rest, left);
  out.append(rest.substr(0, last.byte));
  if (last.inside_pair) AppendHalf(rest, last.byte, /*low=*/false, out);
}

char16_t UnitAt(std::string_view text, uint64_t unit) {
  std::string slice;
  AppendSlice(text, unit, unit + 1, slice);
  if (slice.size() == 1) return static_cast<uint8_t>(slice[0]);
  if (slice.size() == 2) return static_cast<char16_t>((slice[0] & 0x1f) << 6 | (slice[1] & 0x3f));
  return static_cast<char16_t>((slice[0] & 0x0f) << 12 | (slice[1] & 0x3f) << 6 | (slice[2] & 0x3f));
}

bool StartsWithLowSurrogate(std::string_view text) { return SurrogateAt(text, 0) == Surrogate::kLow; }

bool EndsInHighSurrogate(std::string_view text) {
  return text.size() >= 3 && SurrogateAt(text, text.size() - 3) == Surrogate::kHigh;
}

void AppendJoined(std::string_view text, std::string& out) {
  if (EndsInHighSurrogate(out) && SurrogateAt(text, 0) == Surrogate::kLow) {
    const uint32_t high = DecodeThree(out, out.size() - 3);
    const uint32_t point = 0x10000 + ((high - 0xd800) << 10) + (DecodeThree(text, 0) - 0xdc00);
    out.resize(out.size() - 3);
    out.push_back(static_cast<char>(0xf0 | (point >> 18)));
    out.push_back(static_cast<char>(0x80 | ((point >> 12) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (point & 0x3f)));
    text.remove_prefix(3);
  }
  out.append(text);
}

void AppendWellFormed(std::string_view text, std::string& out) {
  size_t done = 0;
  for (size_t at = 0; (at = FindSurrogate(text, at)) != std::string_view::npos; done = at) {
    out.append(text.substr(done, at - done));
    out.append(kReplacementCharacter);
    at += 3;
  }
  out.append(text.substr(done));
}

bool IsWellFormed(std::string_view text) { return FindSurrogate(text, 0) == std::string_view::npos; }

void AppendCharacter(uint32_t character, std::string& out) {
  const auto append = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (character < 0x80) return append(character);
  if (character < 0x800) {
    append(0xc0 | (character >> 6));
  } else {
    if (character < 0x10000) {
      append(0xe0 | (character >> 12));
    } else {
      append(0xf0 | (character >> 18));
      append(0x80 | ((character >> 12) & 0x3f));
    }
    append(0x80 | ((character >> 6) & 0x3f));
  }
  append(0x80 | (character & 0x3f));
}

uint32_t TakeCharacter(std::string_view& text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint32_t character = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) character = (character << 6) | (static_cast<uint8_t>(text[i]) & 0x3f);
  text.remove_prefix(size);
  return character;
}

bool LessInUtf16(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const uint32_t x = TakeCharacter(a);
    const uint32_t y = TakeCharacter(b);
    if (x == y) continue;
    // A character of two units begins with a surrogate, which is less than U+E000.
    const auto first_unit = [](uint32_t c) { return c < 0x10000 ? c : 0xd800 + ((c - 0x10000) >> 10); };
    if (first_unit(x) != first_unit(y)) return first_unit(x) < first_unit(y);
    if (x >= 0x10000 && y >= 0x10000) return x < y;
    // One is a lone surrogate: what follows it is no low surrogate, which the other has there.
    std::string_view& rest = x < 0x10000 ? a : b;
    const bool lone_is_less = rest.empty() || TakeCharacter(rest) < 0xdc00;
    return lone_is_less == (x < 0x10000);
  }
  return a.empty() && !b.empty();
}

}  // namespace rivermeet::crdt::internal
