#include "base/strings.h"

#include <catch2/catch.hpp>

namespace rivermeet {
namespace {

TEST_CASE("UTF-8 is accepted and refused as RFC 3629 says", "[base]") {
  for (const char* good : {"", "plain ascii text", "é", "€", "😀", "\xf4\x8f\xbf\xbf"}) CHECK(IsUtf8(good));
  for (const char* bad : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xff", "\x80", "\xe2\x82", "\xc3"}) {
    CHECK_FALSE(IsUtf8(bad));
  }
  size_t at = 0;
  CHECK_FALSE(IsUtf8("0123456789\xff", &at));
  CHECK(at == 10);
}

TEST_CASE("numbers parse whole or not at all", "[base]") {
  int value = 0;
  CHECK(ParseNumber("-12", value));
  CHECK(value == -12);
  for (const char* bad : {"", "1 ", " 1", "1x", "99999999999999"}) CHECK_FALSE(ParseNumber(bad, value));
}

TEST_CASE("splitting keeps empty pieces", "[base]") {
  CHECK(Split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(Split("", ',').size() == 1);
  CHECK(Trim(" \t a b\r\n") == "a b");
  CHECK(ToLower("AbZ-é") == "abz-é");
}

TEST_CASE("maps by string look up a view", "[base]") {
  StringMap<int> map;
  map["a"] = 1;
  CHECK(map.find(std::string_view("a"))->second == 1);
  CHECK_FALSE(map.contains(std::string_view("b")));
}

}  // namespace
}  // namespace rivermeet
