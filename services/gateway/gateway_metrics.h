// Every metric of the gateway.
#ifndef RIVERMEET_GATEWAY_GATEWAY_METRICS_H_
#define RIVERMEET_GATEWAY_GATEWAY_METRICS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "telemetry/metrics.h"

namespace rivermeet::gateway {

// Thread-safe.
class GatewayMetrics {
 public:
  explicit GatewayMetrics(prometheus::Registry& registry);

  // One call through REST, Connect or the bulk path; `rpc` is the RPC's name, never what a caller typed.
  void Called(std::string_view rpc, absl::StatusCode code, absl::Duration took);
  // A request turned away by a limit: "caller", "login" or "address".
  void Limited(std::string_view limit);
  // A call not made because its service has stopped answering, or has too many under way.
  void Refused() { refused_.Increment(); }
  void LiveChannels(double count) { live_channels_.Set(count); }
  void LiveUpdate(size_t sockets) {
    live_updates_.Increment(), live_deliveries_.Increment(static_cast<double>(sockets));
  }
  void LiveRestart() { live_restarts_.Increment(); }

 private:
  prometheus::Family<prometheus::Counter>& calls_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  prometheus::Family<prometheus::Counter>& limited_;
  prometheus::Counter& refused_;
  prometheus::Gauge& live_channels_;
  prometheus::Counter& live_updates_;
  prometheus::Counter& live_deliveries_;
  prometheus::Counter& live_restarts_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_GATEWAY_METRICS_H_
