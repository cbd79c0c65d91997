// A time-series query from flags.
#ifndef RIVERMEET_CLI_QUERY_FLAGS_H_
#define RIVERMEET_CLI_QUERY_FLAGS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::cli {

struct QueryFlags {
  std::string stream;
  std::vector<std::string> measures;
  std::vector<std::string> functions;
  std::vector<std::string> group_by;
  std::vector<std::string> filters;
  std::string last, start, end, step;
  uint32_t limit = 0;
};

// Adds them to a command; `--end` where `with_end`. Filled when the command line is parsed.
std::shared_ptr<QueryFlags> AddQueryFlags(CLI::App& command, bool with_end);

// The query: every function of every measure (mean without --function, the count of events without --measure), over
// the last 15 minutes unless the flags say otherwise.
//
// Errors:
//   INVALID_ARGUMENT  A flag's value makes no sense; the message names the flag and shows a right one.
absl::StatusOr<query::v1::TimeSeriesQuery> BuildQuery(const QueryFlags& flags, absl::Time now);

// "core=0", "core=0,1" (one of them), "core!=0" (none of them); an empty value stands for "has none".
//
// Errors:
//   INVALID_ARGUMENT  Not such a text.
absl::StatusOr<query::v1::Filter> ParseFilter(const std::string& text);

// "mean" of "AGGREGATE_FUNCTION_MEAN"; nothing else than what the protocol knows.
absl::StatusOr<query::v1::AggregateFunction> ParseFunction(const std::string& text);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_QUERY_FLAGS_H_
