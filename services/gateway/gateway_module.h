// The gateway with everything it is made of, as the suite links it.
#ifndef RIVERMEET_GATEWAY_GATEWAY_MODULE_H_
#define RIVERMEET_GATEWAY_GATEWAY_MODULE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "gateway/upstream.h"
#include "prometheus/registry.h"
#include "rivermeet/config/v1/gateway.pb.h"
#include "rpc/bearer_verifier.h"
#include "telemetry/health.h"

namespace rivermeet::gateway {

// What it needs of the process; all outlive the module.
struct GatewayDependencies {
  // A channel for each service that callers may reach, by full name ("rivermeet.query.v1.QueryService"). Every RPC
  // of them that says who may call it is offered.
  Channels services;
  rpc::BearerVerifier* bearers = nullptr;
  prometheus::Registry* registry = nullptr;  // Where the gateway's own metrics are made.
  telemetry::Health* health = nullptr;
  // Whether /metrics, /healthz and /readyz are answered here.
  bool serves_operations = true;
  // What /metrics shows beside `registry`.
  std::vector<const prometheus::Collectable*> metric_sources;
  const Clock* clock = &Clock::System();
};

class GatewayModule {
 public:
  // Fields of `config` that are not set get their defaults. Listens, and accepts nothing before Start().
  //
  // Errors:
  //   INVALID_ARGUMENT  A setting is wrong, named in the message; or an RPC's annotation is.
  //   NOT_FOUND         A service of no linked proto; or the web folder, when one is named.
  //   ALREADY_EXISTS    The address is in use; the message names it.
  static absl::StatusOr<std::unique_ptr<GatewayModule>> Open(const config::v1::GatewayConfig& config,
                                                             GatewayDependencies dependencies);
  virtual ~GatewayModule() = default;

  virtual void Start() = 0;
  // Lets requests under way finish until `deadline`, at most as long as the config says. Idempotent.
  virtual void Stop(absl::Time deadline) = 0;

  virtual int port() const = 0;
  virtual std::string url() const = 0;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_GATEWAY_MODULE_H_
