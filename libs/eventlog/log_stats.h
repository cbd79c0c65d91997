// What a log counts, for whoever exports metrics.
#ifndef RIVERMEET_EVENTLOG_LOG_STATS_H_
#define RIVERMEET_EVENTLOG_LOG_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace rivermeet::eventlog {

// Latencies in buckets that double, as Prometheus counts them but not yet summed up: bucket i holds those of at most
// kFirstUs << i, the last one all longer ones too.
struct LatencyHistogram {
  static constexpr int64_t kFirstUs = 32;
  static constexpr size_t kBuckets = 20;  // the largest limit is 16.8 s

  std::array<int64_t, kBuckets> counts{};
  int64_t sum_us = 0;

  static constexpr size_t BucketOf(int64_t us) {
    size_t bucket = 0;
    while (bucket + 1 < kBuckets && us > kFirstUs << bucket) ++bucket;
    return bucket;
  }
};

struct LogStats {
  int64_t appended_records = 0;
  int64_t appended_bytes = 0;   // headers and payloads as the caller gave them
  int64_t stored_bytes = 0;     // the same as written, framed and compressed
  int64_t failed_appends = 0;   // by whatever error but a full queue
  int64_t refused_appends = 0;  // because the queue was full
  int64_t queued_bytes = 0;     // now
  int64_t read_records = 0;
  int64_t read_bytes = 0;
  // What made records durable: an fdatasync of a group; on Kafka, the acknowledgement of a record.
  int64_t syncs = 0;
  int64_t failed_syncs = 0;
  LatencyHistogram sync_latency;
  // The built-in log only.
  int64_t segments = 0;          // files now
  int64_t disk_bytes = 0;        // in them now
  int64_t failed_removals = 0;   // of old files; they are tried again
  int64_t disk_full = 0;         // groups refused because no space was left
  int64_t damaged_segments = 0;  // found since opening, by recovery or by a reader
  int64_t cut_tail_bytes = 0;    // torn ends cut by recovery
  // Kafka only.
  int64_t producers_made = 0;  // the first one too; more than one means unclear sends
};

}  // namespace rivermeet::eventlog

#endif  // RIVERMEET_EVENTLOG_LOG_STATS_H_
