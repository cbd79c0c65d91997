// JSON to Any, as JSON.parse reads it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/byte_writer.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
void WriteTag(AnyTag tag, std::string& to) { WriteByte(to, static_cast<uint8_t>(tag)); }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A UTF-16 unit; the second half of a pair is joined with the first.
void AppendUnit(uint32_t unit, std::string& out) {
  std::string character;
  AppendCharacter(unit, character);
  AppendJoined(character, out);
}

// The value of `number`, a JSON number that a double can't hold: too large, or too close to zero.
double OutOfRange(std::string_view number) {
  const bool negative = number[0] == '-';
  const size_t mantissa_end = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, mantissa_end);
  // Large when the first digit that isn't zero stands, after the exponent is applied, before the point.
  const auto point = static_cast<int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto first = static_cast<int64_t>(std::min(mantissa.find_first_of("123456789"), mantissa.size()));
  int64_t exponent = 0;
  if (mantissa_end < number.size()) {
    std::string_view digits = number.substr(mantissa_end + 1);
    if (digits[0] == '+') digits.remove_prefix(1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc()) {
      exponent = digits[0] == '-' ? INT64_MIN : INT64_MAX;
    }
    exponent = std::clamp(exponent, INT64_MIN / 2, INT64_MAX / 2);
  }
  const double size = point - first + exponent > 0 ? HUGE_VAL : 0.0;
  return negative ? -size : size;
}

// Writes the value of one JSON text as Any. Keys stay in the order of the text, equal ones too.
class JsonParser {
 public:
  JsonParser(std::string_view json, int max_depth, std::string& to)
      : json_(json), max_depth_(static_cast<size_t>(std::max(max_depth, 0))), to_(to) {}

  bool Parse();

  const char* error() const { return error_; }
  size_t error_offset() const { return error_offset_; }
  // Whether some object has more than one key.
  bool has_key_order() const { return has_key_order_; }

 private:
  // An array or object that isn't at its end yet.
  struct Frame {
    size_t count_at = 0;  // where in to_ its count is to stand, in one byte at first
    uint64_t count = 0;
    bool is_object = false;
  };
  // A count that needs more bytes than the one that is there.
  struct WideCount {
    size_t at = 0;
    uint64_t count = 0;
  };

  bool Fail(const char* error) { return FailAt(at_, error); }
  bool FailAt(size_t offset, const char* error) {
    error_ = error;
    error_offset_ = offset;
    return false;
  }
  // The next character; zero at the end, which is none that JSON has outside of strings.
  char Peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  bool Accept(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (Peek() == ' ' || Peek() == '\n' || Peek() == '\r' || Peek() == '\t') ++at_;
  }

  bool ParseValue();
  // What stands between a value's end and the next one's start; `*more` is false at the end of the text.
  bool ParseAfterValue(bool* more);
  bool Open(bool is_object);
  bool BeginMember();
  void Close();
  bool ParseLiteral(std::string_view literal, AnyTag tag);
  bool ParseNumber();
  bool ParseString();
  bool ParsePlain(std::string_view* plain);
  bool ParseEscape();
  void WidenCounts();

  const std::string_view json_;
  const size_t max_depth_;
  std::string& to_;
  size_t at_ = 0;
  const char* error_ = nullptr;
  size_t error_offset_ = 0;
  bool has_key_order_ = false;
  absl::InlinedVector<Frame, 8> frames_;
  std::vector<WideCount> wide_counts_;
  std::string unescaped_;
};

bool JsonParser::Parse() {
  for (bool more = true; more;) {
    if (!ParseValue() || !ParseAfterValue(&more)) return false;
  }
  WidenCounts();
  return true;
}

bool JsonParser::ParseValue() {
  // An array or object that is opened goes on with its first value.
  for (;;) {
    SkipSpace();
    const char c = Peek();
    if (c == '[' || c == '{') {
      const size_t depth = frames_.size();
      if (!Open(c == '{')) return false;
      if (frames_.size() > depth) continue;
      return true;
    }
    switch (c) {
      case '"':
        WriteTag(AnyTag::kString, to_);
        return ParseString();
      case 't':
        return ParseLiteral("true", AnyTag::kTrue);
      case 'f':
        return ParseLiteral("false", AnyTag::kFalse);
      case 'n':
        return ParseLiteral("null", AnyTag::kNull);
      default:
        return ParseNumber();
    }
  }
}

bool JsonParser::ParseAfterValue(bool* more) {
  for (;;) {
    SkipSpace();
    if (frames_.empty()) {
      *more = false;
      return at_ == json_.size() || Fail("something follows the value");
    }
    Frame& frame = frames_.back();
    if (Accept(',')) {
      ++frame.count;
      return !frame.is_object || BeginMember();
    }
    if (!Accept(frame.is_object ? '}' : ']')) return Fail("a comma or an end is missing");
    Close();
  }
}

bool JsonParser::Open(bool is_object) {
  if (frames_.size() >= max_depth_) return Fail(kNestsTooDeeply);
  ++at_;
  WriteTag(is_object ? AnyTag::kObject : AnyTag::kArray, to_);
  const size_t count_at = to_.size();
  WriteByte(to_, 0);
  SkipSpace();
  if (Accept(is_object ? '}' : ']')) return true;
  frames_.push_back({count_at, 1, is_object});
  return !is_object || BeginMember();
}

bool JsonParser::BeginMember() {
  if (frames_.back().count > 1) has_key_order_ = true;
  SkipSpace();
  if (Peek() != '"') return Fail("a key is missing");
  if (!ParseString()) return false;
  SkipSpace();
  return Accept(':') || Fail("a colon is missing");
}

void JsonParser::Close() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  if (frame.count < 0x80) {
    to_[frame.count_at] = static_cast<char>(frame.count);
  } else {
    wide_counts_.push_back({frame.count_at, frame.count});
  }
}

bool JsonParser::ParseLiteral(std::string_view literal, AnyTag tag) {
  if (json_.substr(at_, literal.size()) != literal) return Fail("a value is missing");
  at_ += literal.size();
  WriteTag(tag, to_);
  return true;
}

bool JsonParser::ParseNumber() {
  constexpr size_t kExactDigits = 15;  // any so many make an integer that a double holds
  const size_t start = at_;
  const bool negative = Accept('-');
  const size_t digits_at = at_;
  uint64_t integer = 0;
  const auto skip_digits = [&] {
    const size_t from = at_;
    for (; IsDigit(Peek()); ++at_) integer = integer * 10 + static_cast<uint64_t>(Peek() - '0');
    return at_ > from;
  };
  if (!Accept('0') && !skip_digits()) return Fail(negative ? "a digit is missing" : "a value is missing");
  const size_t digits = at_ - digits_at;
  bool is_integer = true;
  if (Accept('.')) {
    is_integer = false;
    if (!skip_digits()) return Fail("a digit is missing");
  }
  if (Accept('e') || Accept('E')) {
    is_integer = false;
    if (!Accept('+')) Accept('-');
    if (!skip_digits()) return Fail("a digit is missing");
  }
  double number = 0;
  if (is_integer && digits <= kExactDigits) {
    const auto magnitude = static_cast<double>(integer);
    number = negative ? -magnitude : magnitude;
  } else {
    const std::string_view text = json_.substr(start, at_ - start);
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec == std::errc::result_out_of_range) number = OutOfRange(text);
  }
  AppendAnyNumber(number, to_);
  return true;
}

// Text of a string up to the next quote, backslash or control character.
bool JsonParser::ParsePlain(std::string_view* plain) {
  const size_t start = at_;
  while (at_ < json_.size() && json_[at_] != '"' && json_[at_] != '\\' && static_cast<uint8_t>(json_[at_]) >= 0x20) {
    ++at_;
  }
  *plain = json_.substr(start, at_ - start);
  return IsWtf8(*plain) || FailAt(start, "a text isn't UTF-8");
}

// A string with its quotes, written as a length and text.
bool JsonParser::ParseString() {
  const size_t quote = at_++;
  std::string_view plain;
  if (!ParsePlain(&plain)) return false;
  if (Accept('"')) {
    WriteVarBytes(to_, plain);
    return true;
  }
  unescaped_.assign(plain);
  while (Accept('\\')) {
    if (!ParseEscape() || !ParsePlain(&plain)) return false;
    AppendJoined(plain, unescaped_);
  }
  if (at_ == json_.size()) return FailAt(quote, "a string has no end");
  if (!Accept('"')) return Fail("a string has a control character");
  WriteVarBytes(to_, unescaped_);
  return true;
}

// What stands after a backslash.
bool JsonParser::ParseEscape() {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (Accept('u')) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = HexDigit(Peek());
      if (digit < 0) return Fail("an escape isn't one that JSON has");
      unit = unit * 16 + static_cast<uint32_t>(digit);
    }
    AppendUnit(unit, unescaped_);
    return true;
  }
  const size_t name = at_ < json_.size() ? kNames.find(json_[at_]) : std::string_view::npos;
  if (name == std::string_view::npos) return Fail("an escape isn't one that JSON has");
  ++at_;
  unescaped_.push_back(kMeanings[name]);
  return true;
}

// Makes room for the counts that don't fit in their byte, in one pass from the end whatever the nesting.
void JsonParser::WidenCounts() {
  if (wide_counts_.empty()) return;
  std::ranges::sort(wide_counts_, {}, &WideCount::at);
  std::vector<std::string> forms;
  size_t more = 0;
  for (const WideCount& wide : wide_counts_) {
    WriteVarUint(forms.emplace_back(), wide.count);
    more += forms.back().size() - 1;
  }
  size_t end = to_.size();
  to_.resize(end + more);
  for (size_t i = wide_counts_.size(); i-- > 0;) {
    const size_t after = wide_counts_[i].at + 1;
    std::copy_backward(to_.begin() + static_cast<ptrdiff_t>(after), to_.begin() + static_cast<ptrdiff_t>(end),
                       to_.begin() + static_cast<ptrdiff_t>(end + more));
    more -= forms[i].size() - 1;
    forms[i].copy(to_.data() + wide_counts_[i].at + more, forms[i].size());
    end = wide_counts_[i].at;
  }
}

}  // namespace

bool JsonToAny(std::string_view json, int max_depth, std::string& to, const char** error, size_t* offset) {
  const size_t start = to.size();
  JsonParser parser(json, max_depth, to);
  if (!parser.Parse()) {
    *error = parser.error();
    *offset = parser.error_offset();
    return false;
  }
  if (!parser.has_key_order()) return true;
  ByteReader written(std::string_view(to).substr(start));
  if (SkipAny(written, max_depth, AnySource::kOwn)) return true;
  const std::string unordered = to.substr(start);
  to.resize(start);
  ByteReader reader(unordered);
  return CopyAny(reader, max_depth, to, AnySource::kOwn);
}

}  // namespace rivermeet::crdt::internal
