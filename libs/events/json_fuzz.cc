// Any bytes as JSON: our reader takes them just when simdjson does, and numbers mean the same to both.
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "events/arena.h"
#include "events/json_reader.h"

using namespace rivermeet::events;

namespace {

// simdjson refuses numbers that no float64 holds; ours tells them as infinite, and the event is refused by name.
bool HasHugeNumber(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    JsonReader reader(text.substr(at), true);
    JsonNumber number;
    if (reader.ReadNumber(number) && (std::isinf(number.float64) || (number.is_integer && !number.fits_int64)))
      return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  JsonReader reader(text, false);
  std::string_view raw;
  size_t depth = 0, bad = 0;
  const bool ours = reader.SkipValue(raw, depth) && reader.AtEnd() && !reader.TakeBadUtf8(bad);
  RM_CHECK(reader.offset() <= size);

  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const bool theirs = parser.parse(text).get(element) == simdjson::SUCCESS;
  // simdjson skips a byte order mark and stops at its own depth.
  if (ours != theirs && !text.starts_with("\xef\xbb\xbf") && depth < 1000) RM_CHECK(ours && HasHugeNumber(text));

  JsonReader again(text, true);
  again.Peek();
  JsonNumber number;
  double value = 0;
  if (ours && theirs && element.get(value) == simdjson::SUCCESS && again.ReadNumber(number)) {
    RM_CHECK(number.float64 == value);
    // To simdjson -0 is an integer.
    if (element.type() == simdjson::dom::element_type::DOUBLE)
      RM_CHECK(std::signbit(number.float64) == std::signbit(value));
  }
  std::string_view unescaped, expected;
  Arena arena;
  JsonReader strings(text, true);
  if (ours && theirs && element.get(expected) == simdjson::SUCCESS) {
    RM_CHECK(strings.ReadString(unescaped, arena) && unescaped == expected);
  }
  return 0;
}
