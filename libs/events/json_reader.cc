#include "events/json_reader.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/strings.h"
#include "events/names.h"

namespace rivermeet::events {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr double kTwo53 = 9007199254740992.0;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The first byte from `at` that ends a plain run of a string: a quote, a backslash or a control character.
const char* FindSpecial(const char* at, const char* end) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  const auto zeros = [](uint64_t v) { return (v - kOnes) & ~v & kHighs; };
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    const uint64_t found =
        zeros(word ^ kOnes * '"') | zeros(word ^ kOnes * '\\') | ((word - kOnes * 0x20) & ~word & kHighs);
    // Borrows only reach bytes above a real hit, so the lowest bit is right.
    if (found != 0) return at + (__builtin_ctzll(found) >> 3);
  }
  while (at < end && *at != '"' && *at != '\\' && static_cast<uint8_t>(*at) >= 0x20) ++at;
  return at;
}

void AppendUtf8(std::string& to, uint32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xc0 | code >> 6);
    to += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xe0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    to += static_cast<char>(0xf0 | code >> 18);
    to += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    to += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// The nearest float64 of a number of any length, by the C library when the fast ways don't apply.
double Nearest(const JsonNumber& number) {
  if (number.is_short && std::abs(static_cast<double>(number.significand)) <= kTwo53) {
    const auto significand = static_cast<double>(number.significand);
    // Exact operands, one rounding (Clinger 1990).
    if (number.exponent >= 0 && number.exponent <= 22) return significand * kPowersOfTen[number.exponent];
    if (number.exponent < 0 && number.exponent >= -22) return significand / kPowersOfTen[-number.exponent];
  }
  double value = 0;
  const char* begin = number.text.data();
  const auto [end, error] = std::from_chars(begin, begin + number.text.size(), value);
  if (error == std::errc()) return value;
  // Out of range both ways: strtod tells 0 from infinity.
  return std::strtod(std::string(number.text).c_str(), nullptr);
}

}  // namespace

bool JsonReader::Fail(std::string_view why) {
  if (error_.empty()) error_ = why;
  return false;
}

bool JsonReader::Fail(char expected) {
  if (at_ == end_) return Fail(fmt::format("the text ends where '{}' should be", expected));
  return Fail(fmt::format("{} where '{}' should be", Quoted({at_, 1}), expected));
}

bool JsonReader::Word(std::string_view word) {
  if (failed()) return false;
  if (static_cast<size_t>(end_ - at_) < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
    return Fail(at_ == end_ ? "the text ends where a value should be" : "not a JSON value");
  }
  at_ += word.size();
  return true;
}

bool JsonReader::ReadBool(bool& value) {
  value = at_ < end_ && *at_ == 't';
  return Word(value ? "true" : "false");
}

bool JsonReader::ReadString(std::string_view& value, Arena& arena) {
  if (failed() || !Consume('"')) return false;
  const char* start = at_;
  at_ = FindSpecial(at_, end_);
  if (at_ == end_) return Fail("the text ends within a string");
  if (*at_ == '\\') return ReadEscaped(start, value, &arena);
  if (*at_ != '"') return Fail("a control character in a string must be escaped");
  value = {start, static_cast<size_t>(at_ - start)};
  CheckUtf8(start, value);
  ++at_;
  return true;
}

// The rest of a string from its first backslash on. `arena` null: only checked.
bool JsonReader::ReadEscaped(const char* start, std::string_view& value, Arena* arena) {
  unescaped_.assign(start, at_);
  while (true) {
    const char* run = at_;
    at_ = FindSpecial(at_, end_);
    unescaped_.append(run, at_);
    if (at_ == end_) return Fail("the text ends within a string");
    if (*at_ == '"') break;
    if (*at_ != '\\') return Fail("a control character in a string must be escaped");
    if (++at_ == end_) return Fail("the text ends within a string");
    const char c = *at_++;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        unescaped_ += c;
        break;
      case 'b':
        unescaped_ += '\b';
        break;
      case 'f':
        unescaped_ += '\f';
        break;
      case 'n':
        unescaped_ += '\n';
        break;
      case 'r':
        unescaped_ += '\r';
        break;
      case 't':
        unescaped_ += '\t';
        break;
      case 'u': {
        uint32_t code = 0;
        if (!ReadUnicodeEscape(code)) return false;
        AppendUtf8(unescaped_, code);
        break;
      }
      default:
        --at_;
        return Fail("an escape that JSON doesn't have");
    }
  }
  CheckUtf8(start, unescaped_);
  ++at_;
  if (arena != nullptr) value = arena->Copy(unescaped_);
  return true;
}

bool JsonReader::ReadHex4(uint32_t& code) {
  if (end_ - at_ < 4) return Fail("a \\u escape needs four hexadecimal digits");
  const auto [end, error] = std::from_chars(at_, at_ + 4, code, 16);
  if (error != std::errc() || end != at_ + 4) return Fail("a \\u escape needs four hexadecimal digits");
  at_ += 4;
  return true;
}

bool JsonReader::ReadUnicodeEscape(uint32_t& code) {
  if (!ReadHex4(code)) return false;
  if (code >= 0xdc00 && code < 0xe000) return Fail("a lone low surrogate");
  if (code < 0xd800 || code >= 0xdc00) return true;
  uint32_t low = 0;
  if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return Fail("a lone high surrogate");
  at_ += 2;
  if (!ReadHex4(low)) return false;
  if (low < 0xdc00 || low >= 0xe000) return Fail("a lone high surrogate");
  code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

bool JsonReader::ReadNumber(JsonNumber& number) {
  if (failed()) return false;
  const char* start = at_;
  const bool negative = at_ < end_ && *at_ == '-';
  at_ += negative;
  uint64_t digits = 0;
  const char* first = at_;
  while (at_ < end_ && IsDigit(*at_)) digits = digits * 10 + static_cast<uint64_t>(*at_++ - '0');
  if (at_ == first) return Fail(at_ == end_ ? "the text ends where a value should be" : "not a JSON value");
  if (*first == '0' && at_ - first > 1) {
    at_ = first;
    return Fail("a number can't begin with 0 and another digit");
  }
  ptrdiff_t count = at_ - first;
  int exponent = 0;
  number.is_integer = true;
  if (at_ < end_ && *at_ == '.') {
    const char* fraction = ++at_;
    while (at_ < end_ && IsDigit(*at_)) digits = digits * 10 + static_cast<uint64_t>(*at_++ - '0');
    if (at_ == fraction) return Fail("a digit must follow the decimal point");
    count += at_ - fraction;
    exponent = -static_cast<int>(std::min<ptrdiff_t>(at_ - fraction, 1'000'000));
    number.is_integer = false;
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    const bool down = at_ < end_ && *at_ == '-';
    if (at_ < end_ && (*at_ == '-' || *at_ == '+')) ++at_;
    const char* power = at_;
    int value = 0;
    while (at_ < end_ && IsDigit(*at_)) value = std::min(value * 10 + (*at_++ - '0'), 1'000'000);
    if (at_ == power) return Fail("a digit must follow the exponent's sign");
    exponent += down ? -value : value;
    number.is_integer = false;
  }
  number.text = {start, static_cast<size_t>(at_ - start)};
  number.is_short = count <= 18;
  number.significand = number.is_short ? (negative ? -static_cast<int64_t>(digits) : static_cast<int64_t>(digits)) : 0;
  number.exponent = exponent;
  number.float64 = Nearest(number);
  if (negative && digits == 0 && number.is_short) number.float64 = -0.0;
  if (number.is_integer) {
    number.int64 = number.significand;
    number.fits_int64 = number.is_short || ParseNumber(number.text, number.int64);
  } else {
    // Beyond 2^53 a fraction or exponent may hide digits that a float64 loses.
    number.fits_int64 = std::abs(number.float64) <= kTwo53 && number.float64 == std::trunc(number.float64);
    number.int64 = number.fits_int64 ? static_cast<int64_t>(number.float64) : 0;
  }
  return true;
}

bool JsonReader::ParseWhole(std::string_view text, JsonNumber& number) {
  JsonReader reader(text, true);
  return reader.ReadNumber(number) && reader.at_ == reader.end_;
}

bool JsonReader::SkipString() {
  ++at_;
  const char* start = at_;
  at_ = FindSpecial(at_, end_);
  std::string_view ignored;
  if (at_ < end_ && *at_ == '\\') return ReadEscaped(start, ignored, nullptr);
  if (at_ == end_) return Fail("the text ends within a string");
  if (*at_ != '"') return Fail("a control character in a string must be escaped");
  CheckUtf8(start, {start, static_cast<size_t>(at_ - start)});
  ++at_;
  return true;
}

bool JsonReader::SkipScalar(char first) {
  JsonNumber number;
  switch (first) {
    case '"':
      return SkipString();
    case 't':
      return Word("true");
    case 'f':
      return Word("false");
    case 'n':
      return Word("null");
    default:
      return ReadNumber(number);
  }
}

bool JsonReader::SkipValue(std::string_view& raw, size_t& depth) {
  Peek();
  const char* start = at_;
  depth = 0;
  in_object_.clear();
  const auto key = [this] {
    if (Peek() != '"') return Fail('"');
    return SkipString() && Consume(':');
  };
  while (!failed()) {
    // A value begins here.
    const char c = Peek();
    if (c == '{' || c == '[') {
      ++at_;
      in_object_.push_back(c == '{');
      depth = std::max(depth, in_object_.size());
      if (!TryConsume(c == '{' ? '}' : ']')) {
        if (c == '{' && !key()) return false;
        continue;
      }
      in_object_.pop_back();
    } else if (!SkipScalar(c)) {
      return false;
    }
    // A value has ended: so do all containers that close here.
    while (!in_object_.empty() && TryConsume(in_object_.back() ? '}' : ']')) in_object_.pop_back();
    if (in_object_.empty()) {
      raw = {start, static_cast<size_t>(at_ - start)};
      return true;
    }
    if (!Consume(',') || (in_object_.back() && !key())) return false;
  }
  return false;
}

bool IsJsonObject(std::string_view text, size_t max_depth, std::string& why, bool& too_deep) {
  JsonReader reader(text, true);
  std::string_view raw;
  size_t depth = 0;
  too_deep = false;
  if (reader.Peek() != '{') {
    why = "not a JSON object";
    return false;
  }
  if (!reader.SkipValue(raw, depth) || !reader.AtEnd()) {
    why = fmt::format("not a JSON object: byte {}: {}", reader.offset(),
                      reader.failed() ? reader.error() : "something follows it");
    return false;
  }
  if (depth <= max_depth) return true;
  too_deep = true;
  why = fmt::format("nested {} deep; at most {}", depth, max_depth);
  return false;
}

}  // namespace rivermeet::events
