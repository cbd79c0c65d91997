// From a query as it was asked to a plan: everything that can be wrong with it is found here.
#ifndef RIVERMEET_QUERY_PLANNER_H_
#define RIVERMEET_QUERY_PLANNER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "query/plan.h"
#include "rivermeet/events/v1/stream.pb.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::query {

struct PlannerLimits {
  // Partitions of the event log.
  uint32_t log_partitions = 2;
  // Rows of an answer.
  uint64_t max_rows = 1'000'000;
};

inline constexpr uint32_t kDefaultGroupLimit = 1'000;
inline constexpr uint32_t kMaxGroupLimit = 100'000;
inline constexpr int kMaxFilterValues = 1'000;
inline constexpr int kMaxAggregates = 100;
inline constexpr int kMaxGroupBy = 16;
inline constexpr int64_t kRowsAGroup = 1'000;  // what an absent step aims at

enum class QueryKind { kOnce, kSubscription };

// Pure: no blocking, no state.
//
// Errors:
//   INVALID_ARGUMENT  The message begins with the field at fault ("query.step: ...") and says what would be right;
//                     for an unknown name it lists the known ones.
absl::StatusOr<Plan> MakePlan(const v1::TimeSeriesQuery& query, QueryKind kind, std::string_view tenant,
                              const events::v1::Stream& stream, absl::Time now, const PlannerLimits& limits);

// Whether `name` is a dimension of the stream.
//
// Errors:
//   INVALID_ARGUMENT  It is not; the message begins with `where` and lists those there are.
absl::Status CheckDimension(const events::v1::Stream& stream, std::string_view name, std::string_view where);

// The log's partitions that hold a stream, ascending, each once (events::LogPartitionOf).
std::vector<uint32_t> PartitionsOf(std::string_view tenant, const events::v1::Stream& stream, uint32_t log_partitions);

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_PLANNER_H_
