#include "base/json_string.h"

#include <catch2/catch.hpp>

namespace rivermeet {
namespace {

TEST_CASE("a text becomes a JSON string that holds the same", "[base]") {
  CHECK(JsonString("") == "\"\"");
  CHECK(JsonString("a \"b\" \\ \xc3\xa9") == "\"a \\\"b\\\" \\\\ \xc3\xa9\"");
  CHECK(JsonString("1\n2\t3\x01\x7f") == "\"1\\n2\\u00093\\u0001\\u007f\"");
  CHECK(JsonString(std::string_view("\0", 1)) == "\"\\u0000\"");
}

TEST_CASE("what is not UTF-8 becomes the replacement character, the rest stays", "[base]") {
  CHECK(JsonString("a\xff\xfe z") == "\"a\xef\xbf\xbd\xef\xbf\xbd z\"");
  CHECK(JsonString("\xc3") == "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace rivermeet
