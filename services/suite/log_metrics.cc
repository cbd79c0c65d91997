#include "suite/log_metrics.h"

#include <limits>

#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/metric_type.h"

namespace rivermeet::suite {
namespace {

prometheus::MetricFamily Single(const char* name, const char* help, prometheus::MetricType type, int64_t value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = static_cast<double>(value);
  } else {
    metric.gauge.value = static_cast<double>(value);
  }
  return {name, help, type, {metric}};
}

prometheus::MetricFamily SyncSeconds(const eventlog::LogStats& stats) {
  prometheus::ClientMetric metric;
  uint64_t so_far = 0;
  for (size_t i = 0; i < stats.sync_latency.counts.size(); ++i) {
    so_far += static_cast<uint64_t>(stats.sync_latency.counts[i]);
    const bool last = i + 1 == stats.sync_latency.counts.size();
    const double bound = last ? std::numeric_limits<double>::infinity()
                              : static_cast<double>(eventlog::LatencyHistogram::kFirstUs << i) * 1e-6;
    metric.histogram.bucket.push_back({so_far, bound});
  }
  metric.histogram.sample_count = so_far;
  metric.histogram.sample_sum = static_cast<double>(stats.sync_latency.sum_us) * 1e-6;
  return {"rivermeet_log_sync_seconds",
          "Time to make a group of records durable.",
          prometheus::MetricType::Histogram,
          {metric}};
}

}  // namespace

std::vector<prometheus::MetricFamily> LogMetrics::Collect() const {
  using prometheus::MetricType;
  const eventlog::LogStats stats = log_.Stats();
  return {
      Single("rivermeet_log_appended_records_total", "Records appended.", MetricType::Counter, stats.appended_records),
      Single("rivermeet_log_payload_bytes_total", "Bytes of headers and payloads appended.", MetricType::Counter,
             stats.appended_bytes),
      Single("rivermeet_log_written_bytes_total", "The same, framed and compressed.", MetricType::Counter,
             stats.stored_bytes),
      Single("rivermeet_log_failed_appends_total", "Appends that failed.", MetricType::Counter, stats.failed_appends),
      Single("rivermeet_log_refused_appends_total", "Appends refused because the queue was full.", MetricType::Counter,
             stats.refused_appends),
      Single("rivermeet_log_queued_bytes", "Bytes waiting to be written.", MetricType::Gauge, stats.queued_bytes),
      Single("rivermeet_log_read_records_total", "Records read.", MetricType::Counter, stats.read_records),
      Single("rivermeet_log_failed_syncs_total", "Syncs that failed.", MetricType::Counter, stats.failed_syncs),
      Single("rivermeet_log_segments", "Segment files of the built-in log.", MetricType::Gauge, stats.segments),
      Single("rivermeet_log_disk_bytes", "Bytes in them.", MetricType::Gauge, stats.disk_bytes),
      Single("rivermeet_log_failed_removals_total", "Old files that could not be removed.", MetricType::Counter,
             stats.failed_removals),
      Single("rivermeet_log_disk_full_total", "Groups refused because no space was left.", MetricType::Counter,
             stats.disk_full),
      Single("rivermeet_log_damaged_segments_total", "Damaged files found.", MetricType::Counter,
             stats.damaged_segments),
      SyncSeconds(stats),
  };
}

}  // namespace rivermeet::suite
