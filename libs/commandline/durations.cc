#include "commandline/durations.h"

#include <array>
#include <cmath>
#include <utility>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::commandline {
namespace {

absl::Status NotADuration(std::string_view text) {
  return absl::InvalidArgumentError(fmt::format("\"{}\" is not a duration: write 10s, 15m, 1h30m, 7d or 2w", text));
}

bool UnitOf(std::string_view name, absl::Duration& unit) {
  static const std::array<std::pair<std::string_view, absl::Duration>, 6> kUnits = {{
      {"ms", absl::Milliseconds(1)},
      {"s", absl::Seconds(1)},
      {"m", absl::Minutes(1)},
      {"h", absl::Hours(1)},
      {"d", absl::Hours(24)},
      {"w", absl::Hours(24 * 7)},
  }};
  for (const auto& [text, value] : kUnits) {
    if (text == name) return unit = value, true;
  }
  return false;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  absl::Duration sum;
  while (!rest.empty()) {
    const size_t digits = rest.find_first_not_of("0123456789.");
    double number = 0;
    if (digits == 0 || digits == std::string_view::npos || !ParseNumber(rest.substr(0, digits), number)) {
      return NotADuration(text);
    }
    rest.remove_prefix(digits);
    const size_t letters = std::min(rest.find_first_of("0123456789."), rest.size());
    absl::Duration unit;
    if (!UnitOf(rest.substr(0, letters), unit)) return NotADuration(text);
    sum += number * unit;
    rest.remove_prefix(letters);
  }
  if (sum <= absl::ZeroDuration() || sum > absl::Hours(24 * 365 * 1000)) return NotADuration(text);
  return sum;
}

absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now) {
  if (text == "now") return now;
  if (text.rfind("now-", 0) == 0) {
    RM_ASSIGN_OR_RETURN(const absl::Duration back, ParseDuration(text.substr(4)));
    return now - back;
  }
  double seconds = 0;
  if (ParseNumber(text, seconds) && std::abs(seconds) < 1e11) return absl::UnixEpoch() + absl::Seconds(seconds);
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &time, &error)) return time;
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" is not a time: write 2026-11-21T10:00:00Z, seconds since 1970, now or now-15m", text));
}

std::string FormatBriefly(absl::Duration duration) {
  if (duration < absl::Seconds(1)) return fmt::format("{} ms", absl::ToInt64Milliseconds(duration));
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

std::string FormatBytes(double bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 || bytes >= 100 ? fmt::format("{:.0f} {}", bytes, kUnits[unit])
                                   : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

}  // namespace rivermeet::commandline
