// From merged states to the columns of an answer.
#ifndef RIVERMEET_QUERY_FRAME_BUILDER_H_
#define RIVERMEET_QUERY_FRAME_BUILDER_H_

#include <cstdint>
#include <vector>

#include "partials/group_table.h"
#include "partials/partials_table.h"
#include "query/plan.h"
#include "rivermeet/query/v1/frame.pb.h"

namespace rivermeet::query {

// One aggregate of one cell: nothing when the window has no value.
struct CellValue {
  bool is_null = true;
  int64_t i64 = 0;  // when the column is int64
  double f64 = 0;
};
CellValue ValueOf(const OutputColumn& column, const partials::PartialsTable& table, uint32_t cell, int64_t step_us);

// The groups that the limit lets in: those with the largest last value of the first aggregate; ties by the group's
// values. Per group whether it is in; `left_out`, where given, is how many aren't.
std::vector<bool> ChooseGroups(const Plan& plan, const partials::GroupTable& groups,
                               const partials::PartialsTable& table, uint64_t* left_out);

// Every cell of `table` whose group is in `chosen`, by group (in the order of their values), then time.
v1::Frame BuildFrame(const Plan& plan, const partials::GroupTable& groups, const partials::PartialsTable& table,
                     const std::vector<bool>& chosen);

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_FRAME_BUILDER_H_
