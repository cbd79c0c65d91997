#include "events/json_reader.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "simdjson.h"

namespace rivermeet::events {
namespace {

// Whether `text` is one JSON value and nothing else.
bool Accepts(const std::string& text) {
  JsonReader reader(text, false);
  std::string_view raw;
  size_t depth = 0, offset = 0;
  return reader.SkipValue(raw, depth) && reader.AtEnd() && !reader.TakeBadUtf8(offset);
}

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// What RFC 8259 requires a parser to take, in the groups that the public JSONTestSuite has.
const std::vector<std::string>& Good() {
  static const std::vector<std::string> kGood = {
      // arrays
      "[[]   ]", "[\"\"]", "[]", "[\"a\"]", "[false]", "[null, 1, \"1\", {}]", "[null]", "[1\n]", " [1]",
      "[1,null,null,null,2]", "[2] ",
      // numbers
      "[123e65]", "[0e+1]", "[0e1]", "[ 4]",
      "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]", "[20e1]", "[-0]", "[-123]",
      "[-1]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]", "[1e+2]", "[123]", "[123.456789]",
      "[0]", "[0.1]", "[9007199254740993]", "[123456789012345678901234567890]", "[1e400]", "[-1e400]", "[1e-400]",
      // objects
      "{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"asd\":\"sdf\"}", "{\"a\":\"b\",\"a\":\"c\"}", "{}", "{\"\":0}",
      "{\"foo\\u0000bar\": 42}", "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }",
      "{\"x\":[{\"id\": \"xx\"}], \"id\": \"xx\"}", "{\"a\":[]}", "{\n\"a\": \"b\"\n}",
      "{\"title\":\"\\u041f\\u043e\" }",
      // strings
      "[\"\\u0060\\u012a\\u12AB\"]", "[\"\\uD801\\udc37\"]", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]",
      "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\\u0000\"]", "[\"\\\"\"]", "[\"a/*b*/c/*d//e\"]", "[\"\\\\a\"]",
      "[\"\\\\n\"]", "[\"\\u0012\"]", "[\"\\uFFFF\"]", "[\"asd\"]", "[ \"asd\"]", "[\"\xf4\x8f\xbf\xbf\"]",
      "[\"\xef\xbf\xbf\"]", "[\"\\u0000\"]", "[\"\\u002c\"]", "[\"\xcf\x80\"]", "[\"asd \"]", "\" \"",
      "[\"\xe2\x80\xa8\"]", "[\"\xe2\x80\xa9\"]", "[\"\\u0821\"]", "[\"\\u0123\"]", "[\"\x7f\"]", "[\"\\uA66D\"]",
      "[\"\xe2\x8d\x82\xe3\x88\xb4\"]", "[\"\\uDBFF\\uDFFF\"]", "[\"\\u200B\"]", "[\"\\u2064\"]", "[\"\\uFDD0\"]",
      "[\"\\uFFFE\"]", "[\"\\u005C\"]", "[\"\\u0022\"]",
      // structure
      "false", "42", "-0.1", "null", "\"asd\"", "true", "\"\"", "[\"a\"]\n", "[true]", " [] ", "\t\r\n{}"};
  return kGood;
}

// What it requires to be refused.
std::vector<std::string> Bad() {
  const std::string nul(1, '\0');
  std::vector<std::string> bad = {
      // arrays
      "[1 true]", "[a\xe5]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]", "[\"x\"",
      "[x", "[3[4]]", "[\xff]", "[1:2]", "[,]", "[-]", "[   , \"\"]", "[\"a\",\n4\n,1,", "[1,]", "[\"\va\"\\f]", "[*]",
      "[\"\"", "[1,", "[1,\n1\n,1", "[{}", "[fals]", "[nul]", "[tru]", "123" + nul,
      // numbers
      "[++1234]", "[+1]", "[+Inf]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[0.1.2]", "[0.3e+]",
      "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[0e+]", "[0e]", "[1.0e+]", "[1.0e-]", "[1.0e]", "[1 000.0]", "[1eE2]",
      "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[\xef\xbc\x91]", "[1+2]", "[0x1]", "[0x42]",
      "[Infinity]", "[0e+-1]", "[-123.123foo]", "[123\xe5]", "[1e1\xe5]", "[0\xe5]", "[-Infinity]", "[-foo]", "[- 1]",
      "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1e\xe5]", "[1.]", "[.123]", "[1.2a-3]", "[1.8011670033376514H-308]",
      "[012]", "[00]",
      // objects
      "[\"x\", truth]", "{[: \"x\"}\n", "{\"x\", null}", "{\"x\"::\"b\"}", "{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}",
      "{\"a\":\"a\" 123}", "{key: 'value'}", "{\"\xb9\":\"0\",}", "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}",
      "{\"a\":", "{\"a\"", "{1:1}", "{9999E9999:1}", "{null:null,null:null}", "{\"id\":0,,,,,}", "{'a':0}",
      "{\"id\":0,}", "{\"a\":\"b\"}/**/", "{\"a\":\"b\"}/**//", "{\"a\":\"b\"}//", "{\"a\":\"b\"}/",
      "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a", "{ \"foo\" : \"bar\", \"a\" }", "{\"a\":\"b\"}#", " ",
      // strings
      "[\"\\uD800\\\"]", "[\"\\uD800\\u\"]", "[\"\\uD800\\u1\"]", "[\"\\uD800\\u1x\"]", "[\xc3\xa9]",
      "[\"\\" + nul + "\"]", "[\"\\x00\"]", "[\"\\\\\\\"]", "[\"\\\t\"]", "[\"\\\xf0\x9f\x8c\x80\"]", "[\"\\\"]",
      "[\"\\u00A\"]", "[\"\\uD834\\uDd\"]", "[\"\\uD800\\uD800\\x\"]", "[\"\\u\xe5\"]", "[\"\\a\"]", "[\"\\uqqqq\"]",
      "[\"\\\xe5\"]", "[\\u0020\"asd\"]", "[\\n]", "\"", "['single quote']", "abc", "[\"\\", "[\"a" + nul + "a\"]",
      "[\"new\nline\"]", "[\"\t\"]", "\"\\UA66D\"", "\"\"x",
      // structure
      "<.>", "[<null>]", "[1]x", "[1]]", "[\"asd]", "a\xc3\xa5", "[True]", "1]", "{\"x\": true,", "[][]", "]",
      "\xef\xbb\xbf{}", "\xef\xbb{}", "\xe5", "[", "", "[" + nul + "]", "2@", "{}}",
      "{\"\":", "{\"a\":/*comment*/\"b\"}", "{\"a\": true} \"x\"", "['", "[,", "[{\"a\":\"b\"},", "[\"a", "[\"a\"", "{",
      "{]", "{,", "{[", "{\"a", "{'a'", "[\"\\{[\"\\{[\"\\{[\"\\{", "\xe9", "*", "{\"a\":\"b\"}#{}", "[\\u000A\"\"]",
      "[1", "[ false, nul", "[ true, fals", "[ false, tru", "{\"asd\":\"asd\"", "\xc3\xa5", "[\xe2\x81\xa0]", "[\f]",
      "[\"\xff\"]"};
  bad.push_back(Repeat("[", 100'000));
  bad.push_back(Repeat("[{\"\":", 50'000));
  return bad;
}

TEST_CASE("all JSON that RFC 8259 allows is read", "[events]") {
  for (const std::string& text : Good()) {
    INFO(text);
    CHECK(Accepts(text));
  }
}

TEST_CASE("all that RFC 8259 forbids is refused", "[events]") {
  for (const std::string& text : Bad()) {
    INFO(text.substr(0, 100));
    CHECK_FALSE(Accepts(text));
  }
}

TEST_CASE("a lone surrogate and bytes that are not UTF-8 are refused", "[events]") {
  for (const std::string text :
       {"[\"\\uDADA\"]", "[\"\\uD888\\u1234\"]", "[\"\\uDFAA\"]", "[\"\\ud800abc\"]", "[\"\\uDd1e\\uD834\"]",
        "[\"\xed\xa0\x80\"]", "[\"\xc0\xaf\"]", "[\"\xf4\xbf\xbf\xbf\"]", "[\"\x81\"]", "[\"\xe0\xff\"]",
        "[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"}) {
    INFO(text);
    CHECK_FALSE(Accepts(text));
  }
}

TEST_CASE("an error says where it is", "[events]") {
  const std::string text = "{\"a\": [1, 2, x]}";
  JsonReader reader(text, true);
  std::string_view raw;
  size_t depth = 0;
  CHECK_FALSE(reader.SkipValue(raw, depth));
  CHECK(reader.offset() == 13);
  CHECK(reader.error() == "not a JSON value");
}

TEST_CASE("strings come out with their escapes resolved", "[events]") {
  Arena arena;
  const std::string text = "\"a\\u00fc\\ud83d\\ude39\\n\\\"z\"";
  JsonReader reader(text, true);
  std::string_view value;
  REQUIRE(reader.ReadString(value, arena));
  CHECK(value == "a\xc3\xbc\xf0\x9f\x98\xb9\n\"z");
}

TEST_CASE("numbers are exact where they can be", "[events]") {
  JsonNumber number;
  const auto read = [&](std::string_view text) { REQUIRE(JsonReader::ParseWhole(text, number)); };
  read("9007199254740993");
  CHECK(number.fits_int64);
  CHECK(number.int64 == 9007199254740993);
  read("9223372036854775807");
  CHECK(number.int64 == INT64_MAX);
  read("-9223372036854775808");
  CHECK(number.int64 == INT64_MIN);
  read("9223372036854775808");
  CHECK_FALSE(number.fits_int64);
  CHECK(number.float64 == 9223372036854775808.0);
  read("1e400");
  CHECK(std::isinf(number.float64));
  read("1e-400");
  CHECK(number.float64 == 0);
  read("-0");
  CHECK(std::signbit(number.float64));
  read("12.0");
  CHECK(number.fits_int64);
  read("12.5");
  CHECK_FALSE(number.fits_int64);
  read("0.1");
  CHECK(number.float64 == 0.1);
  read("1.7976931348623157e308");
  CHECK(number.float64 == 1.7976931348623157e308);
  read("123456789012345678901234567890.5");
  CHECK(number.float64 == 123456789012345678901234567890.5);
  CHECK_FALSE(JsonReader::ParseWhole("1 ", number));
  CHECK_FALSE(JsonReader::ParseWhole("", number));
}

TEST_CASE("numbers round as the C library rounds them", "[events]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  JsonNumber number;
  for (int i = 0; i < 100'000; ++i) {
    std::string text = std::to_string(random() >> (random() % 60));
    if (random() % 2 == 0) text.insert(1 + random() % text.size(), "."), text += "0";
    if (random() % 3 == 0) text += "e" + std::to_string(static_cast<int>(random() % 640) - 320);
    REQUIRE(JsonReader::ParseWhole(text, number));
    INFO(text);
    REQUIRE(number.float64 == std::strtod(text.c_str(), nullptr));
  }
}

TEST_CASE("on damaged documents the reader and simdjson agree", "[events]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  simdjson::dom::parser parser;
  const std::string alphabet = "{}[]\",:\\u0123456789aeEtrufalsn.-+ \n\t\xc3\xbc";
  for (int i = 0; i < 50'000; ++i) {
    std::string text = Good()[random() % Good().size()];
    for (unsigned n = random() % 3; n > 0 && !text.empty(); --n) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
    }
    simdjson::dom::element element;
    const auto error = parser.parse(text).get(element);
    // simdjson refuses numbers beyond float64 and uint64, which are JSON; it takes lone low surrogates.
    if (error == simdjson::NUMBER_ERROR || text.find("\\u") != std::string::npos) continue;
    INFO(text);
    REQUIRE(Accepts(text) == (error == simdjson::SUCCESS));
  }
}

}  // namespace
}  // namespace rivermeet::events
