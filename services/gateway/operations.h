// What a process tells those who run it: /healthz, /readyz and /metrics, on the gateway or on a port of their own.
#ifndef RIVERMEET_GATEWAY_OPERATIONS_H_
#define RIVERMEET_GATEWAY_OPERATIONS_H_

#include <string_view>
#include <vector>

#include "net/http.h"
#include "prometheus/collectable.h"
#include "telemetry/health.h"

namespace rivermeet::gateway {

bool IsOperationsPath(std::string_view path);

// Thread-safe. What it is given outlives it.
class Operations final : public net::Handler {
 public:
  // Without `health` there is no /healthz and no /readyz, without sources no /metrics: 404.
  Operations(const telemetry::Health* health, std::vector<const prometheus::Collectable*> metric_sources);

  net::Response Answer(std::string_view path) const;
  net::Task<net::Response> Handle(net::Request& request) override;

 private:
  const telemetry::Health* const health_;
  const std::vector<const prometheus::Collectable*> metric_sources_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_OPERATIONS_H_
