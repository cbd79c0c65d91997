// Reads histories of yjs on standard input and does them again in libs/crdt: ends with 1 at the first difference.
//   tests/conformance/yjs/histories --kind apply --count 1000 | build/release/tests/conformance/yjs/yjs_differential
#include <fmt/format.h>

#include <cstdio>

#include "yjs/history_check.h"
#include "yjs/history_stream.h"

namespace rivermeet::yjs {
namespace {

// The command line that writes the history again, with all results.
std::string CommandOf(const History& history) {
  constexpr const char* kKinds[] = {"", "apply", "functions", "local", "merges", "neighbours"};
  return fmt::format("tests/conformance/yjs/histories --kind {}{}{}{} --first-seed {} --full{} | yjs_differential",
                     kKinds[static_cast<int>(history.kind)], history.observes ? " --observe" : "",
                     history.disputed ? " --disputed" : "", history.yrs.empty() ? "" : " --causal --for-yrs",
                     history.seed, history.yrs.empty() ? "" : " | tests/conformance/yjs/ask_yrs");
}

// "N name" with commas in between, those that there are: `run` adds them up.
void Print(const CheckCounts& counts, const std::map<std::string, uint64_t>& totals) {
  const auto total = [&](const char* name) { return totals.count(name) == 0 ? 0 : totals.at(name); };
  const std::pair<uint64_t, const char*> all[] = {
      {total("edits"), "edits"},
      {total("steps"), "steps"},
      {counts.results, "results compared"},
      {counts.stepwise, "histories with the state's bytes after every step"},
      {total("conflicts"), "conflicts"},
      {total("splits"), "splits"},
      {total("collections"), "collections"},
      {counts.pending, "steps with something pending"},
      {counts.behind, "histories that yjs fell behind in"},
      {counts.threw, "histories that yjs threw in"},
      {counts.misplaced, "histories that yjs lost its places in"},
      {counts.yrs.histories, "histories that yrs was asked about"},
      {counts.yrs.answers, "answers of yrs"},
      {counts.yrs.tidied, "histories with formats that yjs has tidied and yrs not"},
      {counts.yrs.both_neighbours, "histories with a unit as both neighbours, which yrs takes otherwise"},
  };
  fmt::print("counts: {} histories", counts.histories);
  for (const auto& [count, name] : all) {
    if (count > 0) fmt::print(", {} {}", count, name);
  }
  fmt::print("\n");
}

int Run() {
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
    if (difference.empty()) continue;
    fmt::print("seed {}: {}\nagain: {}\n", stream.history().seed, difference, CommandOf(stream.history()));
    return 1;
  }
  Print(counts, stream.totals());
  for (const auto& [what, difference] : counts.yrs.differences) {
    fmt::print("yrs differs from yjs in {} histories: {}: {}\n", difference.histories, what, difference.example);
  }
  return counts.yrs.differences.empty() ? 0 : 1;
}

}  // namespace
}  // namespace rivermeet::yjs

int main() { return rivermeet::yjs::Run(); }
