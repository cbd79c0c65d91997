#include "gateway/gateway_metrics.h"

#include "gateway/errors.h"

namespace rivermeet::gateway {
namespace {

prometheus::Counter& Count(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

GatewayMetrics::GatewayMetrics(prometheus::Registry& registry)
    : calls_(prometheus::BuildCounter()
                 .Name("rivermeet_gateway_calls_total")
                 .Help("Calls through the gateway, by RPC and canonical code.")
                 .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name("rivermeet_gateway_call_seconds")
                   .Help("From the request's head to the answer's first byte, by RPC.")
                   .Register(registry)),
      limited_(prometheus::BuildCounter()
                   .Name("rivermeet_gateway_limited_total")
                   .Help("Requests answered with 429, by the limit they met.")
                   .Register(registry)),
      refused_(Count(registry, "rivermeet_gateway_refused_total",
                     "Calls not made because their service has stopped answering, or has too many under way.")),
      live_channels_(prometheus::BuildGauge()
                         .Name("rivermeet_gateway_live_channels")
                         .Help("Subscriptions to the query service that sockets share.")
                         .Register(registry)
                         .Add({})),
      live_updates_(Count(registry, "rivermeet_gateway_live_updates_total", "Updates received for live channels.")),
      live_deliveries_(Count(registry, "rivermeet_gateway_live_deliveries_total", "Frames handed to sockets.")),
      live_restarts_(Count(registry, "rivermeet_gateway_live_restarts_total",
                           "Live channels whose subscription was lost and made anew.")) {}

void GatewayMetrics::Called(std::string_view rpc, absl::StatusCode code, absl::Duration took) {
  calls_.Add({{"rpc", std::string(rpc)}, {"code", std::string(ConnectNameOf(code))}}).Increment();
  seconds_.Add({{"rpc", std::string(rpc)}}, telemetry::LatencyBuckets()).Observe(absl::ToDoubleSeconds(took));
}

void GatewayMetrics::Limited(std::string_view limit) { limited_.Add({{"limit", std::string(limit)}}).Increment(); }

}  // namespace rivermeet::gateway
