// What the parts of a log count, from any thread.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_COUNTERS_H_
#define RIVERMEET_EVENTLOG_INTERNAL_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "eventlog/log_stats.h"

namespace rivermeet::eventlog::internal {

struct Counters {
  using Count = std::atomic<int64_t>;

  Count appended_records{0}, appended_bytes{0}, stored_bytes{0}, failed_appends{0}, refused_appends{0}, queued_bytes{0};
  Count read_records{0}, read_bytes{0};
  Count syncs{0}, failed_syncs{0}, sync_sum_us{0};
  std::array<Count, LatencyHistogram::kBuckets> sync_buckets{};
  Count failed_removals{0}, disk_full{0}, damaged_segments{0}, cut_tail_bytes{0}, producers_made{0};

  static void Add(Count& count, int64_t by) { count.fetch_add(by, std::memory_order_relaxed); }

  void AddSync(absl::Duration took) {
    const int64_t us = absl::ToInt64Microseconds(took);
    Add(syncs, 1);
    Add(sync_sum_us, us);
    Add(sync_buckets[LatencyHistogram::BucketOf(us)], 1);
  }

  LogStats Snapshot() const {
    LogStats stats;
    stats.appended_records = appended_records;
    stats.appended_bytes = appended_bytes;
    stats.stored_bytes = stored_bytes;
    stats.failed_appends = failed_appends;
    stats.refused_appends = refused_appends;
    stats.queued_bytes = queued_bytes;
    stats.read_records = read_records;
    stats.read_bytes = read_bytes;
    stats.syncs = syncs;
    stats.failed_syncs = failed_syncs;
    stats.sync_latency.sum_us = sync_sum_us;
    for (size_t i = 0; i < sync_buckets.size(); ++i) stats.sync_latency.counts[i] = sync_buckets[i];
    stats.failed_removals = failed_removals;
    stats.disk_full = disk_full;
    stats.damaged_segments = damaged_segments;
    stats.cut_tail_bytes = cut_tail_bytes;
    stats.producers_made = producers_made;
    return stats;
  }
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_COUNTERS_H_
