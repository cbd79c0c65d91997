// Reads histories of yjs on standard input and does them again in libs/crdt: ends with 1 after a difference.
//   tests/conformance/yjs/histories --kind apply --count 1000 | build/release/tests/conformance/yjs/yjs_differential
#include <fmt/format.h>

#include <cstdio>

#include "yjs/history_check.h"
#include "yjs/history_stream.h"

int main() {
  using namespace rivermeet::yjs;
  constexpr int kShown = 5;
  HistoryStream stream(stdin);
  CheckCounts counts;
  for (;;) {
    const absl::StatusOr<bool> more = stream.Next();
    if (!more.ok()) {
      fmt::print(stderr, "{}\n", std::string(more.status().message()));
      return 2;
    }
    if (!*more) break;
    const std::string difference = CheckHistory(stream.history(), counts);
    if (!difference.empty() && counts.differences <= kShown) {
      fmt::print("seed {} kind {}{}{}: {}\n", stream.history().seed, static_cast<int>(stream.history().kind),
                 stream.history().causal ? " causal" : " shuffled", stream.history().gc ? " gc" : "", difference);
    }
  }
  fmt::print(
      "{} histories, {} steps, {} results compared; {} steps with pending, yjs behind in {}, threw in {}; {} "
      "differences\n",
      counts.histories, counts.steps, counts.results, counts.pending, counts.behind, counts.threw, counts.differences);
  return counts.differences == 0 ? 0 : 1;
}
