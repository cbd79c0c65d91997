// Every metric of the query service.
#ifndef RIVERMEET_QUERY_QUERY_METRICS_H_
#define RIVERMEET_QUERY_QUERY_METRICS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "telemetry/metrics.h"

namespace rivermeet::query {

// Thread-safe. `registry` outlives it.
class QueryMetrics {
 public:
  explicit QueryMetrics(prometheus::Registry& registry);

  // A unary call that has ended; `method` is the RPC's short name.
  void Finished(std::string_view method, const absl::Status& status, absl::Duration taken);

 private:
  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;

 public:
  prometheus::Counter& hot_rows;        // rollup rows read from owners' memory
  prometheus::Counter& stored_rows;     // rollup rows read from segments
  prometheus::Counter& segments;        // segment files opened
  prometheus::Counter& retries;         // attempts repeated because an owner was away or had changed
  prometheus::Gauge& subscriptions;     // now
  prometheus::Counter& updates;         // messages sent to subscribers
  prometheus::Counter& update_rows;     // rows in them
  prometheus::Counter& reconnects;      // watches that ended and were made anew
  prometheus::Histogram& update_delay;  // from an event's durable append to the message that shows it
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_QUERY_METRICS_H_
