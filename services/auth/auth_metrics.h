// Every metric of the auth service.
#ifndef RIVERMEET_AUTH_AUTH_METRICS_H_
#define RIVERMEET_AUTH_AUTH_METRICS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "telemetry/metrics.h"

namespace rivermeet::auth {

// Thread-safe. `registry` outlives it.
class AuthMetrics {
 public:
  explicit AuthMetrics(prometheus::Registry& registry);

  // A call that has ended; `method` is the RPC's short name.
  void Finished(std::string_view method, const absl::Status& status, absl::Duration taken);

 private:
  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;

 public:
  prometheus::Gauge& keys_read;        // when the signing keys were last read from the catalog, Unix seconds
  prometheus::Counter& keys_failures;  // times they could not be read
};

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_AUTH_METRICS_H_
