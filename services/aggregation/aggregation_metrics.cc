#include "aggregation/aggregation_metrics.h"

#include <string>

namespace rivermeet::aggregation {
namespace {

prometheus::Counter& OneCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Gauge& OneGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Histogram& Latency(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, telemetry::LatencyBuckets());
}

}  // namespace

AggregationMetrics::AggregationMetrics(prometheus::Registry& registry)
    : owned_partitions(OneGauge(registry, "rivermeet_aggregation_owned_partitions", "Partitions this process owns.")),
      watches(OneGauge(registry, "rivermeet_aggregation_watches", "Watches under way.")),
      watch_rows(OneCounter(registry, "rivermeet_aggregation_watch_rows_total", "Rows pushed to watches.")),
      reads(OneCounter(registry, "rivermeet_aggregation_reads_total", "Reads of windows in memory.")),
      read_rows(OneCounter(registry, "rivermeet_aggregation_read_rows_total", "Rows answered to reads.")),
      read_seconds(Latency(registry, "rivermeet_aggregation_read_seconds", "Time a read of memory takes.")),
      publish_seconds(
          Latency(registry, "rivermeet_aggregation_publish_seconds", "Time to work out what changed, for one watch.")),
      registry_(registry) {}

prometheus::Family<prometheus::Counter>& AggregationMetrics::Counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
}

prometheus::Family<prometheus::Gauge>& AggregationMetrics::Gauges(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
}

PartitionMetrics AggregationMetrics::Of(uint32_t partition) {
  const std::map<std::string, std::string> labels = {{"partition", std::to_string(partition)}};
  const auto counter = [&](const char* name, const char* help) -> prometheus::Counter& {
    return Counters(name, help).Add(labels);
  };
  const auto gauge = [&](const char* name, const char* help) -> prometheus::Gauge& {
    return Gauges(name, help).Add(labels);
  };
  return PartitionMetrics{
      counter("rivermeet_aggregation_folded_events_total", "Events counted in results."),
      counter("rivermeet_aggregation_deduplicated_events_total", "Events of repeated batches."),
      counter("rivermeet_aggregation_stale_events_total", "Events of batches below the producer's window."),
      counter("rivermeet_aggregation_too_late_events_total", "Events behind watermark and allowed lateness."),
      counter("rivermeet_aggregation_over_series_limit_events_total", "Events of series beyond the stream's limit."),
      counter("rivermeet_aggregation_malformed_records_total", "Records whose payload contradicts itself."),
      counter("rivermeet_aggregation_lost_records_total", "Offsets removed from the log before they were folded."),
      gauge("rivermeet_aggregation_lag_records", "Offsets in the log that are not folded."),
      gauge("rivermeet_aggregation_lag_seconds", "Between append and fold, of the newest folded record."),
      gauge("rivermeet_aggregation_through_offset", "The last offset folded."),
      gauge("rivermeet_aggregation_hot_bytes", "Memory of windows and series."),
      gauge("rivermeet_aggregation_replayed_records", "Offsets between snapshot and log's end at the last start."),
      gauge("rivermeet_aggregation_snapshot_seconds", "Time the last snapshot took."),
      gauge("rivermeet_aggregation_snapshot_time_seconds", "When the last snapshot was committed, Unix time."),
      gauge("rivermeet_aggregation_snapshot_bytes", "Size of the last snapshot."),
      counter("rivermeet_aggregation_snapshots_total", "Snapshots committed."),
      counter("rivermeet_aggregation_failed_snapshots_total", "Snapshots that were not committed."),
      counter("rivermeet_aggregation_damaged_snapshots_total", "Snapshots refused at a start."),
      counter("rivermeet_aggregation_damaged_segments_total", "Segments found damaged at a start."),
      counter("rivermeet_aggregation_segments_total", "Segments written."),
      counter("rivermeet_aggregation_segment_rows_total", "Rows written to segments."),
  };
}

}  // namespace rivermeet::aggregation
