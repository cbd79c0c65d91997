// A strict JSON reader (RFC 8259) that says where it stopped and why.
//
// Not simdjson, which parses a document or refuses it: an event that is cut short must not cost the ones before it,
// and its sender needs the byte. docs/adr has the measurements.
#ifndef RIVERMEET_EVENTS_JSON_READER_H_
#define RIVERMEET_EVENTS_JSON_READER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/arena.h"
#include "events/names.h"

namespace rivermeet::events {

// A number as it was written.
struct JsonNumber {
  std::string_view text;
  // The nearest float64; infinite when the number is over its range.
  double float64 = 0;
  // Whether it is written without fraction and exponent.
  bool is_integer = false;
  // Whether the number is exactly `int64`.
  bool fits_int64 = false;
  int64_t int64 = 0;
  // Its value as significand * 10^exponent, when it has at most 18 digits.
  bool is_short = false;
  int64_t significand = 0;
  int exponent = 0;
};

// Reads values one after another. Every Read and Skip returns false at a syntax error and after one. Not thread-safe.
class JsonReader {
 public:
  // Borrows `text`. `is_utf8` says that it is known to be UTF-8; else every string is checked: see TakeBadUtf8().
  JsonReader(std::string_view text, bool is_utf8)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), is_utf8_(is_utf8) {}

  // The next byte that is not white space, which it moves to; 0 at the end.
  char Peek() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    return at_ < end_ ? *at_ : '\0';
  }
  // Whether only white space is left.
  bool AtEnd() { return Peek() == '\0' && at_ == end_; }
  // Moves over `c` if it is next.
  bool TryConsume(char c) {
    if (Peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }
  // The same, or a syntax error.
  bool Consume(char c) { return TryConsume(c) || Fail(c); }

  // A string, its escapes resolved in `arena`. A lone surrogate is an error: no UTF-8 says it.
  bool ReadString(std::string_view& value, Arena& arena);
  bool ReadNumber(JsonNumber& number);
  bool ReadBool(bool& value);
  bool ReadNull() { return Word("null"); }
  // Moves over any value; `raw` is its text. `*depth` becomes the deepest nesting in it, 0 for a scalar.
  bool SkipValue(std::string_view& raw, size_t& depth);
  // A number that spans the whole of `text`, for other text formats.
  static bool ParseWhole(std::string_view text, JsonNumber& number);

  // Where it is, in bytes from the start; after an error, where that is.
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  // Goes on with the bytes from `from` to `to` of the text, after an error too.
  void Restrict(size_t from, size_t to) {
    at_ = begin_ + from;
    end_ = begin_ + to;
    error_.clear();
  }
  bool failed() const { return !error_.empty(); }
  // What is wrong there.
  const std::string& error() const { return error_; }
  // Whether a string since the last call was not UTF-8, and where it began. The reader goes on over such strings, so
  // that they cost one event and not the rest of the text.
  bool TakeBadUtf8(size_t& offset) {
    offset = bad_utf8_;
    return std::exchange(bad_utf8_, kNone) != kNone;
  }
  // Records a syntax error at the current place.
  bool Fail(std::string_view why);

 private:
  bool Fail(char expected);
  bool Word(std::string_view word);
  bool ReadEscaped(const char* start, std::string_view& value, Arena* arena);
  bool ReadUnicodeEscape(uint32_t& code);
  bool ReadHex4(uint32_t& code);
  bool SkipString();
  bool SkipScalar(char first);
  void CheckUtf8(const char* start, std::string_view text) {
    if (!is_utf8_ && bad_utf8_ == kNone && !IsText(text)) bad_utf8_ = static_cast<size_t>(start - begin_);
  }

  static constexpr size_t kNone = SIZE_MAX;

  const char* begin_;
  const char* at_;
  const char* end_;
  bool is_utf8_;
  size_t bad_utf8_ = kNone;
  std::string error_;
  std::string unescaped_;
  std::vector<bool> in_object_;
};

// Whether `text` is one JSON object nested at most `max_depth` deep; if not, `why` says why.
bool IsJsonObject(std::string_view text, size_t max_depth, std::string& why, bool& too_deep);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_JSON_READER_H_
