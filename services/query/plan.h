// What a time-series query comes to once it is checked against its stream.
#ifndef RIVERMEET_QUERY_PLAN_H_
#define RIVERMEET_QUERY_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "partials/partials_table.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::query {

// One column of numbers in the answer.
struct OutputColumn {
  std::string name;
  std::string unit;
  v1::AggregateFunction function = v1::AGGREGATE_FUNCTION_UNSPECIFIED;
  // The place in Plan::measures; nothing for a count of events.
  std::optional<size_t> measure;
  // Whether the column is int64.
  bool is_int64 = false;
  // RATE of a delta: the sum over the step; else the counter's increase.
  bool rate_of_sum = false;
};

// Times are microseconds since the Unix epoch, durations microseconds.
struct Plan {
  std::string stream;
  uint64_t stream_id = 0;
  // The log's partitions that hold the stream, ascending.
  std::vector<uint32_t> partitions;

  // Window i of the answer starts at origin_us + i * step_us.
  int64_t origin_us = 0;
  int64_t step_us = 0;
  // Where the range ends; 0: without end.
  int64_t end_us = 0;
  // Windows in the range; of a subscription: when it begins.
  size_t windows = 0;
  // A subscription whose range moves: this far back from now.
  std::optional<int64_t> last_us;

  // What owners are asked for: divides step_us and origin_us. Smaller than step_us when the range is one row that
  // does not begin on a multiple of it.
  int64_t read_step_us = 0;
  // The rollup: 1 s, 10 s or 60 s; divides read_step_us.
  int64_t resolution_us = 0;

  std::vector<partials::MeasureSpec> measures;
  std::vector<std::string> group_by;
  std::vector<v1::Filter> filters;
  std::vector<OutputColumn> columns;
  uint32_t group_limit = 0;

  // For some of the partitions, from window `first` on, as the owners and the segment reader want it.
  aggregation::v1::PartialsQuery ToPartialsQuery(const std::vector<uint32_t>& of, int64_t first = 0) const;
  // The first window that the range holds at `now_us`; 0 unless the range moves.
  int64_t FirstWindow(int64_t now_us) const;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_PLAN_H_
