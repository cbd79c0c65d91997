// How far an upload is, on one line of the terminal.
#ifndef RIVERMEET_CLI_PROGRESS_H_
#define RIVERMEET_CLI_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace rivermeet::cli {

struct ProgressState {
  uint64_t done_bytes = 0;   // of the input, from its start
  uint64_t start_bytes = 0;  // where this run began
  uint64_t total_bytes = 0;  // 0: not known
  uint64_t events = 0;       // of this run
  uint64_t rejected = 0;
  absl::Duration elapsed;
};

// "[####----]  45 %  12.3 MiB/s  120,000 events/s  3 min 2 s left  5 rejected"; without bar, share and time left where
// the total is not known.
std::string ProgressLine(const ProgressState& state);

// "1,234,567".
std::string GroupedNumber(uint64_t number);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_PROGRESS_H_
