// What tools/bench crdt measures of libs/crdt; README.md has the cases and what each prints.
#ifndef RIVERMEET_LOAD_CRDT_CASES_H_
#define RIVERMEET_LOAD_CRDT_CASES_H_

#include <string>

#include "absl/status/status.h"
#include "crdt/update_format.h"

namespace rivermeet::load {

struct BenchOptions {
  std::string name;  // the case
  std::string data;
  std::string updates;
  std::string trace;
  crdt::UpdateFormat format = crdt::UpdateFormat::kV2;
  std::string root = "text";
  std::string line;
  double seconds = 0.5;
};

// Each runs a case and prints its line. Errors: what reading the files gives.
absl::Status ApplyOneByOne(const BenchOptions& options);
absl::Status ApplyBatches(const BenchOptions& options);
absl::Status ReplayLocally(const BenchOptions& options);
absl::Status Load(const BenchOptions& options);
absl::Status EncodeAfterAnEdit(const BenchOptions& options);
absl::Status Merge(const BenchOptions& options, size_t count);
absl::Status LoadAndEncodeTrace(const BenchOptions& options);
// Needs a process of its own.
absl::Status MeasureMemory(const BenchOptions& options);
// Needs a process of its own, too.
absl::Status LoadLarge(const BenchOptions& options);
absl::Status RepeatB4(const BenchOptions& options, int times);

// The tables: all lines, or the one that `options` names.
absl::Status RunTables(const BenchOptions& options);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_CASES_H_
