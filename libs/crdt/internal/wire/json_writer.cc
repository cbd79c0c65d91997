// Any to JSON, as JSON.stringify writes it.
#include <charconv>
#include <cmath>

#include "absl/container/inlined_vector.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/utf.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {
namespace {

// Digits d1...dk and the point's place after them, as JavaScript lays them out (k and n in the specification's words).
void AppendLaidOut(std::string_view digits, int n, std::string& to) {
  const int k = static_cast<int>(digits.size());
  if (n > 21 || n <= -6) {
    to.push_back(digits[0]);
    if (k > 1) to.append(".").append(digits.substr(1));
    char exponent[8];
    const auto end = std::to_chars(exponent, exponent + sizeof(exponent), n - 1).ptr;
    to.append(n > 0 ? "e+" : "e").append(exponent, end);
  } else if (n <= 0) {
    to.append("0.").append(static_cast<size_t>(-n), '0').append(digits);
  } else if (n < k) {
    to.append(digits.substr(0, static_cast<size_t>(n))).append(".").append(digits.substr(static_cast<size_t>(n)));
  } else {
    to.append(digits).append(static_cast<size_t>(n - k), '0');
  }
}

void AppendEscaped(uint32_t unit, std::string& to) {
  constexpr std::string_view kHex = "0123456789abcdef";
  to.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) to.push_back(kHex[(unit >> shift) & 0xf]);
}

// A character of ASCII that doesn't stand for itself.
void AppendEscapedAscii(char c, std::string& to) {
  constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
  constexpr std::string_view kNames = "\"\\bfnrt";
  const size_t name = kMeanings.find(c);
  if (name == std::string_view::npos) return AppendEscaped(static_cast<uint8_t>(c), to);
  to.push_back('\\');
  to.push_back(kNames[name]);
}

// Writes one value as JSON.
class JsonWriter {
 public:
  JsonWriter(ByteReader& reader, BigInts bigints, std::string& to) : reader_(reader), bigints_(bigints), to_(to) {}

  bool Write();

 private:
  struct Frame {
    uint64_t left = 0;
    bool is_object = false;
    bool first = true;  // nothing was written for it yet
  };

  // False for a value that JSON has no text for.
  bool WriteValue();
  void WriteNumber(double number);
  void WriteBytes(std::string_view bytes);
  void Open(bool is_object);
  // What comes before the next value that is written of the innermost array or object: false when it has none.
  bool WriteBeforeValue();

  ByteReader& reader_;
  const BigInts bigints_;
  std::string& to_;
  absl::InlinedVector<Frame, 8> frames_;
};

bool JsonWriter::Write() {
  if (reader_.remaining() > 0 && AnyTag{static_cast<uint8_t>(*reader_.position())} == AnyTag::kUndefined) return false;
  for (;;) {
    if (!WriteValue()) return false;
    while (!frames_.empty() && !WriteBeforeValue()) {
      to_.push_back(frames_.back().is_object ? '}' : ']');
      frames_.pop_back();
    }
    if (!reader_.ok()) return false;
    if (frames_.empty()) return true;
  }
}

bool JsonWriter::WriteBeforeValue() {
  Frame& frame = frames_.back();
  while (frame.left > 0 && reader_.ok()) {
    --frame.left;
    std::string_view key;
    if (frame.is_object) {
      key = reader_.ReadVarBytes();
      if (reader_.remaining() > 0 && AnyTag{static_cast<uint8_t>(*reader_.position())} == AnyTag::kUndefined) {
        reader_.ReadByte();
        continue;
      }
    }
    if (!frame.first) to_.push_back(',');
    frame.first = false;
    if (frame.is_object) {
      AppendJsonString(key, to_);
      to_.push_back(':');
    }
    return true;
  }
  return false;
}

bool JsonWriter::WriteValue() {
  switch (AnyTag{reader_.ReadByte()}) {
    case AnyTag::kBytes:
      WriteBytes(reader_.ReadVarBytes());
      break;
    case AnyTag::kArray:
      Open(/*is_object=*/false);
      break;
    case AnyTag::kObject:
      Open(/*is_object=*/true);
      break;
    case AnyTag::kString:
      AppendJsonString(reader_.ReadVarBytes(), to_);
      break;
    case AnyTag::kTrue:
      to_.append("true");
      break;
    case AnyTag::kFalse:
      to_.append("false");
      break;
    case AnyTag::kFloat64:
      WriteNumber(reader_.ReadFloat64());
      break;
    case AnyTag::kFloat32:
      WriteNumber(reader_.ReadFloat32());
      break;
    case AnyTag::kInteger:
      WriteNumber(static_cast<double>(reader_.ReadVarInt().value()));
      break;
    case AnyTag::kNull:
    case AnyTag::kUndefined:
      to_.append("null");
      break;
    case AnyTag::kBigInt:
      if (bigints_ == BigInts::kRefuse) return false;
      to_.push_back('"');
      AppendBigInt(reader_, to_);
      to_.push_back('"');
      break;
    default:
      return false;
  }
  return reader_.ok();
}

void JsonWriter::WriteNumber(double number) {
  if (std::isfinite(number)) {
    AppendJavaScriptNumber(number, to_);
  } else {
    to_.append("null");
  }
}

void JsonWriter::WriteBytes(std::string_view bytes) {
  to_.push_back('{');
  for (size_t i = 0; i < bytes.size(); ++i) {
    to_.append(i == 0 ? "\"" : ",\"");
    AppendJavaScriptNumber(static_cast<double>(i), to_);
    to_.append("\":");
    AppendJavaScriptNumber(static_cast<uint8_t>(bytes[i]), to_);
  }
  to_.push_back('}');
}

void JsonWriter::Open(bool is_object) {
  to_.push_back(is_object ? '{' : '[');
  frames_.push_back({reader_.ReadVarUint(), is_object});
}

}  // namespace

bool AppendJson(ByteReader& reader, BigInts bigints, std::string& to) {
  return JsonWriter(reader, bigints, to).Write();
}

bool AnyToJson(std::string_view any, std::string& to) {
  ByteReader reader(any);
  return AppendJson(reader, BigInts::kRefuse, to);
}

void AppendBigInt(ByteReader& reader, std::string& to) {
  uint64_t value = 0;
  for (const char byte : reader.ReadBytes(8)) value = (value << 8) | static_cast<uint8_t>(byte);
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), static_cast<int64_t>(value)).ptr;
  to.append(text, end);
}

void AppendJavaScriptNumber(double number, std::string& to) {
  constexpr double kExactIntegers = 1e15;  // below, a double's digits are those of the integer
  if (std::abs(number) < kExactIntegers) {
    if (const auto integer = static_cast<int64_t>(number); static_cast<double>(integer) == number) {
      const fmt::format_int digits(integer);
      to.append(digits.data(), digits.size());
      return;
    }
  }
  char text[32];
  if (std::isnan(number)) {
    to.append("NaN");
    return;
  }
  if (number < 0) to.push_back('-');
  if (std::isinf(number)) {
    to.append("Infinity");
    return;
  }
  // The shortest digits that give the number back, as d.ddde[+-]dd.
  const auto end = std::to_chars(text, text + sizeof(text), std::abs(number), std::chars_format::scientific).ptr;
  const std::string_view scientific(text, static_cast<size_t>(end - text));
  const size_t e = scientific.find('e');
  std::string digits(scientific.substr(0, e));
  if (digits.size() > 1) digits.erase(1, 1);
  int exponent = 0;
  std::from_chars(text + e + (text[e + 1] == '+' ? 2 : 1), end, exponent);
  AppendLaidOut(digits, exponent + 1, to);
}

void AppendJsonString(std::string_view text, std::string& to) {
  to.push_back('"');
  size_t done = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(text[at]);
    const bool is_surrogate = byte == 0xed && at + 2 < text.size() && static_cast<uint8_t>(text[at + 1]) >= 0xa0;
    if (byte >= 0x20 && byte != '"' && byte != '\\' && !is_surrogate) continue;
    to.append(text.substr(done, at - done));
    if (is_surrogate) {
      std::string_view rest = text.substr(at);
      AppendEscaped(TakeCharacter(rest), to);
      at += 2;
    } else {
      AppendEscapedAscii(text[at], to);
    }
    done = at + 1;
  }
  to.append(text.substr(done));
  to.push_back('"');
}

}  // namespace rivermeet::crdt::internal
