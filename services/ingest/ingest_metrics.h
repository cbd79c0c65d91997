// Every metric of the ingest service.
#ifndef RIVERMEET_INGEST_INGEST_METRICS_H_
#define RIVERMEET_INGEST_INGEST_METRICS_H_

#include <array>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "events/event_error.h"
#include "telemetry/metrics.h"

namespace rivermeet::ingest {

// How events come in.
enum class Form { kColumns, kRows, kJson, kNdjson, kCsv };
inline constexpr size_t kFormCount = 5;

// Thread-safe. `registry` outlives it.
class IngestMetrics {
 public:
  explicit IngestMetrics(prometheus::Registry& registry);

  // A request that has ended: its bytes as they came, how it ended, how long it took.
  void Finished(Form form, size_t bytes, const absl::Status& status, absl::Duration taken);
  void Accepted(Form form, uint64_t events) {
    accepted_[static_cast<size_t>(form)]->Increment(static_cast<double>(events));
  }
  void Rejected(const events::ErrorList& errors);

 private:
  prometheus::Family<prometheus::Counter>& requests_;
  std::array<prometheus::Counter*, kFormCount> accepted_;
  std::array<prometheus::Counter*, kFormCount> bytes_;
  std::array<prometheus::Counter*, kFormCount> served_;
  std::array<prometheus::Histogram*, kFormCount> seconds_;
  std::array<prometheus::Counter*, events::kReasonCount> rejected_;

 public:
  prometheus::Histogram& record_events;    // events of a record
  prometheus::Histogram& append_seconds;   // from an append's start to its durability
  prometheus::Counter& untouched_records;  // stored byte for byte
  prometheus::Counter& append_retries;     // appends begun again after an unclear one
  prometheus::Gauge& inflight_bytes;       // of requests being worked on
  prometheus::Counter& streams_created;
  prometheus::Gauge& catalog_away;  // 1 while schemas can't be refreshed
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_INGEST_METRICS_H_
