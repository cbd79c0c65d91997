// Times as people and programs write them.
#ifndef RIVERMEET_EVENTS_TIME_TEXT_H_
#define RIVERMEET_EVENTS_TIME_TEXT_H_

#include <cstdint>
#include <string_view>

#include "events/json_reader.h"

namespace rivermeet::events {

// Microseconds since the Unix epoch of an RFC 3339 time, "2026-11-21T10:00:00.25Z" or with an offset; a space may
// stand for the T. Finer digits are cut. 23:59:60 UTC, a leap second, is the midnight after it, as in POSIX. False
// when it isn't one; a date without offset isn't.
bool ParseRfc3339(std::string_view text, int64_t& time_us);

// Microseconds since the Unix epoch of a count in seconds (below 10^11), milliseconds (below 10^14), microseconds
// (below 10^17) or nanoseconds; a fraction is kept as far as microseconds go, the rest cut. Exact: it reads the digits,
// not the float64. False when it is over 18 digits.
bool ParseEpoch(const JsonNumber& number, int64_t& time_us);

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_TIME_TEXT_H_
