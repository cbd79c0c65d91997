#include "cli/progress.h"

#include <algorithm>

#include "base/strings.h"
#include "commandline/durations.h"

namespace rivermeet::cli {

std::string GroupedNumber(uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<size_t>(at), 1, ',');
  }
  return text;
}

std::string ProgressLine(const ProgressState& state) {
  const double seconds = std::max(absl::ToDoubleSeconds(state.elapsed), 0.001);
  const double rate = static_cast<double>(state.done_bytes - std::min(state.start_bytes, state.done_bytes)) / seconds;
  std::string line;
  if (state.total_bytes > 0) {
    constexpr int kWidth = 24;
    const double share = std::min(1.0, static_cast<double>(state.done_bytes) / static_cast<double>(state.total_bytes));
    const int full = static_cast<int>(share * kWidth);
    line += fmt::format("[{}{}] {:3.0f} %  ", std::string(static_cast<size_t>(full), '#'),
                        std::string(static_cast<size_t>(kWidth - full), '-'), 100 * share);
  }
  line += fmt::format("{}/s  {} events/s", commandline::FormatBytes(rate),
                      GroupedNumber(static_cast<uint64_t>(static_cast<double>(state.events) / seconds)));
  if (state.total_bytes > state.done_bytes && rate > 0) {
    const double left = static_cast<double>(state.total_bytes - state.done_bytes) / rate;
    line += fmt::format("  {} left", commandline::FormatBriefly(absl::Seconds(std::max(left, 1.0))));
  }
  if (state.rejected > 0) line += fmt::format("  {} rejected", GroupedNumber(state.rejected));
  return line;
}

}  // namespace rivermeet::cli
