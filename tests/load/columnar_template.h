// Columnar batches made before the clock starts; only their time moves when they are sent.
#ifndef RIVERMEET_LOAD_COLUMNAR_TEMPLATE_H_
#define RIVERMEET_LOAD_COLUMNAR_TEMPLATE_H_

#include <string>
#include <vector>

#include "event_source.h"
#include "ingest.h"

namespace rivermeet::load {

// An encoded batch whose times move with one number at a known place.
struct ColumnarTemplate {
  std::string bytes;
  size_t base_time_at;
  Sums sums;

  // Moves the batch to end at `now`.
  void SetTime(absl::Time now);
};

// Those of one connection: `options.distinct` shared among all connections, each with its own seed and partition.
std::vector<ColumnarTemplate> MakeColumnarTemplates(const Options& options, uint32_t connection);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_COLUMNAR_TEMPLATE_H_
