// Any text as a time: what is taken means what Abseil reads in it, cut to microseconds.
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "base/status.h"
#include "base/strings.h"
#include "events/time_text.h"

using namespace rivermeet::events;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  int64_t time_us = 0;
  JsonNumber number;
  if (JsonReader::ParseWhole(text, number)) ParseEpoch(number, time_us);
  if (!ParseRfc3339(text, time_us)) return 0;
  // Abseil wants capitals and, of a second that is a leap second, no more than ours drops.
  for (char& c : text) c = c == ' ' || c == 't' ? 'T' : c == 'z' ? 'Z' : c;
  const bool leap = text.substr(17, 2) == "60";
  absl::Time expected;
  std::string error;
  RM_CHECK(absl::ParseTime(absl::RFC3339_full, rivermeet::ToAbsl(text), &expected, &error));
  RM_CHECK(leap || absl::FromUnixMicros(time_us) == absl::FromUnixMicros(absl::ToUnixMicros(expected)));
  return 0;
}
