#include "events/time_text.h"

#include <cmath>

namespace rivermeet::events {
namespace {

constexpr int64_t kPowers[] = {1,
                               10,
                               100,
                               1'000,
                               10'000,
                               100'000,
                               1'000'000,
                               10'000'000,
                               100'000'000,
                               1'000'000'000,
                               10'000'000'000,
                               100'000'000'000,
                               1'000'000'000'000,
                               10'000'000'000'000,
                               100'000'000'000'000,
                               1'000'000'000'000'000,
                               10'000'000'000'000'000,
                               100'000'000'000'000'000,
                               1'000'000'000'000'000'000};

// `count` digits as a number, or -1.
int Digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool IsLeap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
int64_t DaysFromCivil(int year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

// "Z" or "+hh:mm" from `at` to the end, in seconds.
bool ParseOffset(std::string_view text, size_t at, int& seconds) {
  seconds = 0;
  if (at + 1 == text.size()) return text[at] == 'Z' || text[at] == 'z';
  if (at + 6 != text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':') return false;
  const int hours = Digits(text, at + 1, 2);
  const int minutes = Digits(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  seconds = (hours * 3'600 + minutes * 60) * (text[at] == '-' ? -1 : 1);
  return true;
}

}  // namespace

bool ParseRfc3339(std::string_view text, int64_t& time_us) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return false;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return false;
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  const int hour = Digits(text, 11, 2), minute = Digits(text, 14, 2), second = Digits(text, 17, 2);
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59)
    return false;
  if (day > kDays[month - 1] + (month == 2 && IsLeap(year))) return false;
  if (second < 0 || second > 60) return false;

  size_t at = 19;
  int64_t micros = 0;
  if (text[at] == '.') {
    const size_t first = ++at;
    int64_t unit = 100'000;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) micros += (text[at] - '0') * unit;
    if (at == first) return false;
  }
  int offset = 0;
  if (at >= text.size() || !ParseOffset(text, at, offset)) return false;
  const int64_t seconds = DaysFromCivil(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second - offset;
  if (second == 60) {
    // Only at the end of a day of UTC; the fraction of a second that doesn't exist here is dropped.
    if (seconds % 86'400 != 0) return false;
    micros = 0;
  }
  time_us = seconds * 1'000'000 + micros;
  return true;
}

bool ParseEpoch(const JsonNumber& number, int64_t& time_us) {
  if (!number.is_short || !std::isfinite(number.float64)) return false;
  const double size = std::abs(number.float64);
  // 10^shift of the number's unit make a microsecond.
  const int shift = size < 1e11 ? 6 : size < 1e14 ? 3 : size < 1e17 ? 0 : -3;
  const int exponent = number.exponent + shift;
  if (number.significand == 0 || exponent < -18) {
    time_us = 0;
    return true;
  }
  if (exponent >= 0) {
    // Below 10^17 microseconds by the choice of unit, so it fits; the exponent alone may be larger than the table.
    return exponent <= 18 && !__builtin_mul_overflow(number.significand, kPowers[exponent], &time_us);
  }
  time_us = number.significand / kPowers[-exponent];
  // Toward the past, like every other cut.
  if (number.significand < 0 && number.significand % kPowers[-exponent] != 0) --time_us;
  return true;
}

}  // namespace rivermeet::events
