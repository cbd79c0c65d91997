// The event log's counters as Prometheus metrics.
#ifndef RIVERMEET_SUITE_LOG_METRICS_H_
#define RIVERMEET_SUITE_LOG_METRICS_H_

#include <vector>

#include "eventlog/event_log.h"
#include "prometheus/collectable.h"

namespace rivermeet::suite {

// Thread-safe; `log` outlives it.
class LogMetrics final : public prometheus::Collectable {
 public:
  explicit LogMetrics(const eventlog::EventLog& log) : log_(log) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const eventlog::EventLog& log_;
};

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_LOG_METRICS_H_
