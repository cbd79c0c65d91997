// The one door: tells what an HTTP request means, checks who sends it, and hands it to the service that can answer.
#ifndef RIVERMEET_GATEWAY_GATEWAY_H_
#define RIVERMEET_GATEWAY_GATEWAY_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/rate_limiter.h"
#include "gateway/authenticator.h"
#include "gateway/gateway_metrics.h"
#include "gateway/live_hub.h"
#include "gateway/operations.h"
#include "gateway/route_table.h"
#include "gateway/static_files.h"
#include "gateway/upstream.h"
#include "net/http.h"
#include "telemetry/health.h"

namespace rivermeet::gateway {

// Thread-safe; everything that the options point to outlives it.
class Gateway final : public net::Handler {
 public:
  struct Options {
    RouteTable routes;
    Upstream* upstream = nullptr;
    Authenticator* authenticator = nullptr;
    LiveHub* live = nullptr;
    const StaticFiles* files = nullptr;  // nullptr: no web app.
    GatewayMetrics* metrics = nullptr;
    const telemetry::Health* health = nullptr;                   // nullptr: no /healthz and /readyz.
    std::vector<const prometheus::Collectable*> metric_sources;  // Empty: no /metrics.
    const Clock* clock = &Clock::System();
    size_t max_body_bytes = 8 << 20;  // Of a bulk request; other bodies: kMaxSmallBody.
    double requests_per_second = 2000;
    double logins_per_minute = 20;
  };
  static constexpr size_t kMaxSmallBody = 1 << 20;

  explicit Gateway(Options options);

  net::BodyRules RulesFor(const net::RequestHead& head) override;
  net::Task<net::Response> Handle(net::Request& request) override;

 private:
  // What is known of a request besides itself.
  struct Context {
    net::Request& request;
    rpc::CallInfo call;
    std::string request_id;
    absl::Duration began;
    SessionPtr session = nullptr;
  };

  net::Task<net::Response> Dispatch(Context& context);
  net::Task<net::Response> Rest(Context& context, const HttpRule& rule, const PathTemplate::Bindings& bindings);
  net::Task<net::Response> RestStream(Context& context, const HttpRule& rule, grpc::ByteBuffer request);
  net::Task<net::Response> Bulk(Context& context, std::string stream);
  net::Task<net::Response> ConnectUnary(Context& context, const Method& method, bool json);
  net::Task<net::Response> ConnectStream(Context& context, const Method& method, bool json);
  net::Task<net::Response> Live(Context& context);
  net::Response Page(Context& context);

  // Whether the request may make this call: signed in where it must be, allowed, within limits.
  net::Task<absl::Status> Admit(Context& context, const Method& method);
  absl::Status Limit(RateLimiter& limiter, std::string_view key, std::string_view name);
  net::Task<absl::StatusOr<grpc::ByteBuffer>> Call(Context& context, const Method& method, grpc::ByteBuffer request);
  net::Response Fail(Context& context, const absl::Status& status, std::string_view rpc);
  net::Response FailConnect(Context& context, const absl::Status& status, std::string_view rpc);
  void Count(const Context& context, std::string_view rpc, const absl::Status& status);

  const Options options_;
  const Operations operations_;
  const std::string open_api_;
  RateLimiter callers_;
  RateLimiter addresses_;
  RateLimiter logins_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_GATEWAY_H_
