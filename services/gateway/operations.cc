#include "gateway/operations.h"

#include <utility>

#include "telemetry/metrics.h"

namespace rivermeet::gateway {
namespace {

net::Response Fresh(int status, std::string_view content_type, std::string body) {
  return net::Response::Of(status, content_type, std::move(body)).Set("Cache-Control", "no-store");
}

}  // namespace

bool IsOperationsPath(std::string_view path) { return path == "/healthz" || path == "/readyz" || path == "/metrics"; }

Operations::Operations(const telemetry::Health* health, std::vector<const prometheus::Collectable*> metric_sources)
    : health_(health), metric_sources_(std::move(metric_sources)) {}

net::Response Operations::Answer(std::string_view path) const {
  if (path == "/healthz" && health_ != nullptr) return Fresh(200, "application/json", "{\"alive\":true}\n");
  if (path == "/readyz" && health_ != nullptr) {
    return Fresh(health_->Ready() ? 200 : 503, "application/json", health_->ToJson());
  }
  if (path == "/metrics" && !metric_sources_.empty()) {
    return Fresh(200, "text/plain; version=0.0.4; charset=utf-8", telemetry::RenderMetrics(metric_sources_));
  }
  return net::ProblemResponse({.status = 404});
}

net::Task<net::Response> Operations::Handle(net::Request& request) { co_return Answer(request.path()); }

}  // namespace rivermeet::gateway
