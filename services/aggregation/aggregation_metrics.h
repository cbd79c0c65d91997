// Every metric of the aggregation service.
#ifndef RIVERMEET_AGGREGATION_AGGREGATION_METRICS_H_
#define RIVERMEET_AGGREGATION_AGGREGATION_METRICS_H_

#include <cstdint>

#include "telemetry/metrics.h"

namespace rivermeet::aggregation {

// Of one partition. Thread-safe.
struct PartitionMetrics {
  prometheus::Counter& folded_events;
  prometheus::Counter& deduplicated_events;
  prometheus::Counter& stale_events;
  prometheus::Counter& too_late_events;
  prometheus::Counter& over_series_limit_events;
  prometheus::Counter& malformed_records;
  prometheus::Counter& lost_records;  // removed by the log's retention before they were folded
  prometheus::Gauge& lag_records;     // in the log, not folded
  prometheus::Gauge& lag_seconds;     // between a record's append and its fold, of the newest
  prometheus::Gauge& through_offset;
  prometheus::Gauge& hot_bytes;
  prometheus::Gauge& replayed_records;  // at the last start of the partition
  prometheus::Gauge& snapshot_seconds;  // the last one took
  prometheus::Gauge& snapshot_time;     // of the last one, seconds since the Unix epoch
  prometheus::Gauge& snapshot_bytes;
  prometheus::Counter& snapshots;
  prometheus::Counter& failed_snapshots;
  prometheus::Counter& damaged_snapshots;
  prometheus::Counter& damaged_segments;
  prometheus::Counter& segments;
  prometheus::Counter& segment_rows;
};

class AggregationMetrics {
 public:
  // `registry` outlives this.
  explicit AggregationMetrics(prometheus::Registry& registry);

  PartitionMetrics Of(uint32_t partition);

  prometheus::Gauge& owned_partitions;
  prometheus::Gauge& watches;
  prometheus::Counter& watch_rows;
  prometheus::Counter& reads;
  prometheus::Counter& read_rows;
  prometheus::Histogram& read_seconds;
  prometheus::Histogram& publish_seconds;  // working out what changed, for one watch

 private:
  prometheus::Family<prometheus::Counter>& Counters(const char* name, const char* help);
  prometheus::Family<prometheus::Gauge>& Gauges(const char* name, const char* help);

  prometheus::Registry& registry_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_AGGREGATION_METRICS_H_
