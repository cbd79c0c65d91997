// Durations as people write them.
#ifndef RIVERMEET_COMMANDLINE_DURATIONS_H_
#define RIVERMEET_COMMANDLINE_DURATIONS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"

namespace rivermeet::commandline {

// "10s", "15m", "1h30m", "7d", "2w", "500ms"; more than zero.
//
// Errors:
//   INVALID_ARGUMENT  Not such a text; the message shows some.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// RFC 3339 ("2026-11-21T10:00:00Z"), seconds since the Unix epoch, "now", or "now-15m".
//
// Errors:
//   INVALID_ARGUMENT  Not such a text; the message shows some.
absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now);

// "2 d 3 h", "1 h 5 min", "12 min", "45 s", "80 ms".
std::string FormatBriefly(absl::Duration duration);
// "1.5 GiB", "12 KiB", "87 B".
std::string FormatBytes(double bytes);

}  // namespace rivermeet::commandline

#endif  // RIVERMEET_COMMANDLINE_DURATIONS_H_
