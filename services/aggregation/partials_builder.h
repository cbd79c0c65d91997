// Rows of windows and groups, as the columns of a Partials message.
#ifndef RIVERMEET_AGGREGATION_PARTIALS_BUILDER_H_
#define RIVERMEET_AGGREGATION_PARTIALS_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/strings.h"
#include "catalog/manifest_store.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"
#include "windows/rollup.h"

namespace rivermeet::aggregation {

// The query in the fold's terms. An `end_us` of 0 is without end.
//
// Errors:
//   INVALID_ARGUMENT  A step, resolution or range that can't be; the message says which.
absl::StatusOr<windows::RollupQuery> ToRollupQuery(const v1::PartialsQuery& query);

v1::SegmentReference ToReference(const catalog::Segment& segment);

// A message is full at about this size; an answer may have several.
inline constexpr size_t kResponseBytes = 4 << 20;

// Why an answer of more than `limit` bytes is not given.
absl::Status TooManyRows(size_t limit);

// Fills one message. Not thread-safe.
class PartialsBuilder {
 public:
  // `query` outlives the builder.
  PartialsBuilder(const v1::PartialsQuery& query, v1::Partials& partials);

  // The rows that follow come from `partition`, whose groups and measures these are; both outlive the builder's use.
  void Begin(uint32_t partition, const windows::Grouping& grouping, const std::vector<windows::Measure>& measures);
  void Add(const windows::RollupRow& row);

  int rows() const { return partials_.window_start_us_size(); }
  // Roughly, of the encoded message.
  size_t bytes() const { return static_cast<size_t>(rows()) * row_bytes_ + text_bytes_; }

 private:
  void AddMeasure(v1::MeasurePartials& to, const windows::MeasureTotal& total);

  const v1::PartialsQuery& query_;
  v1::Partials& partials_;
  uint32_t partition_ = 0;
  const windows::Grouping* grouping_ = nullptr;
  std::vector<StringMap<uint32_t>> dictionaries_;
  const size_t row_bytes_;
  size_t text_bytes_ = 0;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_PARTIALS_BUILDER_H_
