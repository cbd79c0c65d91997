// Beside what any_codec_test.cc compares with JavaScript: limits, faults and lone surrogates.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "crdt/internal/wire/any_codec.h"

namespace rivermeet::crdt::internal {
namespace {

using namespace std::literals;

struct Parsed {
  bool ok = false;
  std::string any;
  const char* error = "";
  size_t offset = 0;
};

Parsed Parse(std::string_view json, int max_depth = 512) {
  Parsed parsed;
  parsed.ok = JsonToAny(json, max_depth, parsed.any, &parsed.error, &parsed.offset);
  return parsed;
}

// The text of one string value.
std::string TextOf(std::string_view json) {
  const Parsed parsed = Parse(json);
  REQUIRE(parsed.ok);
  ByteReader reader(parsed.any);
  REQUIRE(AnyTag{reader.ReadByte()} == AnyTag::kString);
  return std::string(reader.ReadVarBytes());
}

std::string Quoted(std::string_view text) {
  std::string json;
  AppendJsonString(text, json);
  return json;
}

TEST_CASE("JSON cut short is an error at every byte", "[crdt]") {
  const std::string_view json = R"({"a":[1,-2.5e+3,true,false,null,"x\u0041\n"],"b":{"c":{}},"a":[]})";
  CHECK(Parse(json).ok);
  for (size_t size = 0; size < json.size(); ++size) {
    const Parsed parsed = Parse(json.substr(0, size));
    CHECK_FALSE(parsed.ok);
    CHECK(parsed.offset <= size);
  }
}

TEST_CASE("JSON nests up to the limit, and a million brackets are an error and no crash", "[crdt]") {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(Parse(nested(512)).ok);
  CHECK(Parse(nested(513)).error == kNestsTooDeeply);
  CHECK(Parse(nested(513)).offset == 512);
  CHECK(Parse(std::string(1'000'000, '[')).error == kNestsTooDeeply);
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += R"({"":)";
  CHECK(Parse(objects).error == kNestsTooDeeply);
  const Parsed deep = Parse(nested(1'000'000), 1'000'000);
  CHECK(deep.ok);
  std::string json;
  CHECK(AnyToJson(deep.any, json));
  CHECK(json == nested(1'000'000));
  CHECK(Parse("1", 0).ok);
  CHECK(Parse("[]", 0).error == kNestsTooDeeply);
}

TEST_CASE("errors in JSON say where", "[crdt]") {
  CHECK(Parse("[1,2,]").offset == 5);
  CHECK(Parse("[1 2]").offset == 3);
  CHECK(Parse(R"({"a" 1})").offset == 5);
  CHECK(Parse(R"("abc)").offset == 0);
  CHECK(Parse("1 1").offset == 2);
  CHECK(Parse("\"a\xff\"").error == "a text isn't UTF-8"sv);
  CHECK(Parse("\"a\\n\xff\"").offset == 4);
  CHECK_FALSE(Parse("\"a\0b\""sv).ok);
  CHECK_FALSE(Parse("1\0"sv).ok);
  CHECK_FALSE(Parse("\"\\\0\""sv).ok);
}

TEST_CASE("lone surrogates keep three bytes, and halves that meet are joined", "[crdt]") {
  CHECK(TextOf(R"("\ud83d")") == "\xED\xA0\xBD");
  CHECK(TextOf(R"("\ude00\ud83d")") == "\xED\xB8\x80\xED\xA0\xBD");
  CHECK(TextOf(R"("\ud83d\ude00")") == "\xF0\x9F\x98\x80");
  CHECK(TextOf(R"("\ud83da\ude00")") ==
        "\xED\xA0\xBD"
        "a\xED\xB8\x80");
  // One half written out, as a text cut within a pair has it.
  CHECK(TextOf("\"\\ud83d\xED\xB8\x80\"") == "\xF0\x9F\x98\x80");
  CHECK(TextOf("\"\xED\xA0\xBD\\ude00\"") == "\xF0\x9F\x98\x80");
  CHECK(TextOf("\"\xED\xA0\xBD\"") == "\xED\xA0\xBD");
  CHECK_FALSE(Parse("\"\xED\xA0\xBD\xED\xB8\x80\"").ok);
}

TEST_CASE("strings are quoted as JSON.stringify does", "[crdt]") {
  CHECK(Quoted("") == R"("")");
  CHECK(Quoted("a\"\\/\b\f\n\r\t\x01\x1f\x7f") == "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  CHECK(Quoted("\0"sv) == R"("\u0000")");
  CHECK(Quoted("\xED\xA0\xBD") == R"("\ud83d")");
  CHECK(Quoted("x\xED\xB8\x80y") == R"("x\ude00y")");
  CHECK(Quoted("\xED\x9F\xBF\xF0\x9F\x98\x80\xE2\x80\xA8") == "\"\xED\x9F\xBF\xF0\x9F\x98\x80\xE2\x80\xA8\"");
  CHECK(Quoted("\xED") == "\"\xED\"");
}

TEST_CASE("numbers have JavaScript's layouts", "[crdt]") {
  const auto text = [](double number) {
    std::string text;
    AppendJavaScriptNumber(number, text);
    return text;
  };
  CHECK(text(-0.0) == "0");
  CHECK(text(std::nan("")) == "NaN");
  CHECK(text(-HUGE_VAL) == "-Infinity");
  CHECK(text(1e21) == "1e+21");
  CHECK(text(999999999999999900000.0) == "999999999999999900000");
  CHECK(text(-1.5e-6) == "-0.0000015");
  CHECK(text(1.5e-7) == "1.5e-7");
  CHECK(text(5e-324) == "5e-324");
}

TEST_CASE("numbers that no double holds are infinite or zero, as JSON.parse has them", "[crdt]") {
  const auto number = [](std::string_view json) {
    const Parsed parsed = Parse(json);
    REQUIRE(parsed.ok);
    std::string text;
    ByteReader reader(parsed.any);
    const AnyTag tag{reader.ReadByte()};
    AppendJavaScriptNumber(tag == AnyTag::kFloat32 ? reader.ReadFloat32() : reader.ReadVarInt().value(), text);
    return text;
  };
  for (const char* exponent : {"400", "9223372036854775806", "9223372036854775807", "9223372036854775808"}) {
    CAPTURE(exponent);
    for (const std::string mantissa : {"1", "0.01", "100.5"}) {
      CHECK(number(mantissa + "e" + exponent) == "Infinity");
      CHECK(number("-" + mantissa + "E+" + exponent) == "-Infinity");
      CHECK(number(mantissa + "e-" + exponent) == "0");
    }
    CHECK(number("0.00e"s + exponent) == "0");
  }
}

TEST_CASE("a long array and what surrounds it keep their places", "[crdt]") {
  for (const size_t count : {127, 128, 129, 16383, 16384, 20000}) {
    std::string inner = "[0";
    for (size_t i = 1; i < count; ++i) inner += ",0";
    inner += "]";
    const std::string json = "[" + inner + R"(,{"a":)" + inner + R"(,"b":[)" + inner + "]}]";
    const Parsed parsed = Parse(json);
    REQUIRE(parsed.ok);
    ByteReader reader(parsed.any);
    CHECK(SkipAny(reader, 512));
    CHECK(reader.AtEnd());
    std::string back;
    CHECK(AnyToJson(parsed.any, back));
    CHECK(back == json);
  }
}

TEST_CASE("bytes that are no value give no JSON and no crash", "[crdt]") {
  for (const std::string_view bytes : {""sv, "\x00"sv, "\x75\x05\x7e"sv, "\x76\x01"sv,
                                       "\x77\x05"
                                       "a"sv,
                                       "\x7c\x00"sv}) {
    std::string json;
    CHECK_FALSE(AnyToJson(bytes, json));
  }
}

}  // namespace
}  // namespace rivermeet::crdt::internal
