#include "gateway/gateway_module.h"

#include <algorithm>
#include <optional>
#include <thread>

#include "absl/time/clock.h"
#include "base/loopback.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "fmt/format.h"
#include "gateway/certificate_watch.h"
#include "gateway/gateway.h"
#include "gateway/gateway_metrics.h"
#include "gateway/live_hub.h"
#include "gateway/route_table.h"
#include "gateway/static_files.h"
#include "net/server.h"
#include "telemetry/logging.h"

namespace rivermeet::gateway {
namespace {

constexpr char kName[] = "gateway";

template <typename Value>
absl::Status CheckRange(std::string_view field, Value value, Value lowest, Value highest) {
  if (value >= lowest && value <= highest) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("gateway.{} is {}: it must be {} to {}", field, value, lowest, highest));
}

// `config` with its defaults filled in.
absl::StatusOr<config::v1::GatewayConfig> WithDefaults(config::v1::GatewayConfig config) {
  if (config.address().empty()) config.set_address("127.0.0.1");
  if (config.max_connections() == 0) config.set_max_connections(18000);
  if (config.max_connections_per_client() == 0) config.set_max_connections_per_client(1000);
  if (config.max_body_bytes() == 0) config.set_max_body_bytes(8 << 20);
  if (config.requests_per_second() == 0) config.set_requests_per_second(2000);
  if (config.logins_per_minute() == 0) config.set_logins_per_minute(20);
  if (config.max_live_queries() == 0) config.set_max_live_queries(1024);
  if (!config.has_drain_timeout()) config.mutable_drain_timeout()->set_seconds(10);
  if (FromProto(config.drain_timeout()) < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("gateway.drain_timeout is not negative");
  }
  RM_RETURN_IF_ERROR(CheckRange<uint32_t>("port", config.port(), 0, 65535));
  RM_RETURN_IF_ERROR(CheckRange<uint32_t>("max_connections", config.max_connections(), 16, 1000000));
  RM_RETURN_IF_ERROR(
      CheckRange<uint32_t>("max_connections_per_client", config.max_connections_per_client(), 1, 1000000));
  RM_RETURN_IF_ERROR(CheckRange<uint64_t>("max_body_bytes", config.max_body_bytes(), 1 << 10, 64 << 20));
  RM_RETURN_IF_ERROR(CheckRange<uint32_t>("requests_per_second", config.requests_per_second(), 1, 1000000));
  RM_RETURN_IF_ERROR(CheckRange<uint32_t>("max_live_queries", config.max_live_queries(), 1, 100000));
  RM_RETURN_IF_ERROR(CheckRange<uint32_t>("logins_per_minute", config.logins_per_minute(), 1, 10000));
  if (config.tls_certificate().empty() != config.tls_key().empty()) {
    return absl::InvalidArgumentError("gateway.tls_certificate and gateway.tls_key go together");
  }
  return config;
}

net::TlsFiles TlsFilesOf(const config::v1::GatewayConfig& config) {
  return {.certificate_chain = config.tls_certificate(), .private_key = config.tls_key()};
}

net::ServerOptions ServerOptionsOf(const config::v1::GatewayConfig& config, const Clock& clock) {
  net::ServerOptions options;
  options.address = config.address();
  options.port = static_cast<uint16_t>(config.port());
  options.max_connections = config.max_connections();
  options.max_connections_per_client =
      IsLoopback(config.address()) ? options.max_connections : config.max_connections_per_client();
  // A frame to 10,000 sockets is 10,000 system calls: two threads halve the time it takes.
  options.threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 4);
  options.clock = &clock;
  if (!config.tls_certificate().empty()) options.tls = TlsFilesOf(config);
  return options;
}

std::vector<const prometheus::Collectable*> SourcesOf(const GatewayDependencies& dependencies) {
  if (!dependencies.serves_operations) return {};
  std::vector<const prometheus::Collectable*> sources = dependencies.metric_sources;
  if (std::find(sources.begin(), sources.end(), dependencies.registry) == sources.end()) {
    sources.push_back(dependencies.registry);
  }
  return sources;
}

class Module final : public GatewayModule {
 public:
  Module(const config::v1::GatewayConfig& config, GatewayDependencies dependencies, RouteTable routes,
         std::unique_ptr<StaticFiles> files)
      : config_(config),
        dependencies_(dependencies),
        files_(std::move(files)),
        metrics_(*dependencies.registry),
        upstream_(dependencies.services, metrics_, *dependencies.clock),
        authenticator_(*dependencies.bearers, upstream_),
        live_({.rules = {.max_unsent_bytes = 256 * 1024},
               .max_tenant_channels = config.max_live_queries(),
               .clock = dependencies.clock},
              upstream_, authenticator_, metrics_),
        gateway_({.routes = std::move(routes),
                  .upstream = &upstream_,
                  .authenticator = &authenticator_,
                  .live = &live_,
                  .files = files_.get(),
                  .metrics = &metrics_,
                  .health = dependencies.serves_operations ? dependencies.health : nullptr,
                  .metric_sources = SourcesOf(dependencies),
                  .clock = dependencies.clock,
                  .max_body_bytes = config.max_body_bytes(),
                  .requests_per_second = static_cast<double>(config.requests_per_second()),
                  .logins_per_minute = static_cast<double>(config.logins_per_minute())}) {}

  ~Module() override { Stop(absl::InfinitePast()); }

  absl::Status Listen() {
    RM_ASSIGN_OR_RETURN(server_, net::Server::Open(ServerOptionsOf(config_, *dependencies_.clock), gateway_));
    live_.Attach(*server_);
    if (dependencies_.health != nullptr) dependencies_.health->Add(kName);
    return absl::OkStatus();
  }

  void Start() override {
    if (std::exchange(started_, true)) return;
    server_->Start();
    if (!config_.tls_certificate().empty()) certificates_.emplace(*server_, TlsFilesOf(config_));
    if (dependencies_.health != nullptr) dependencies_.health->Set(kName, true);
    telemetry::Log(telemetry::Level::kInfo, "gateway listens", {{"address", server_->url()}});
  }

  void Stop(absl::Time deadline) override {
    if (!started_ || std::exchange(stopped_, true)) return;
    if (dependencies_.health != nullptr) dependencies_.health->Set(kName, false, "stopping");
    certificates_.reset();
    live_.Stop();
    server_->Stop(std::min(deadline, absl::Now() + FromProto(config_.drain_timeout())));
    upstream_.WaitForStreams();
  }

  int port() const override { return server_->port(); }
  std::string url() const override { return server_->url(); }

 private:
  const config::v1::GatewayConfig config_;
  const GatewayDependencies dependencies_;
  const std::unique_ptr<StaticFiles> files_;
  GatewayMetrics metrics_;
  Upstream upstream_;
  Authenticator authenticator_;
  LiveHub live_;
  Gateway gateway_;
  std::unique_ptr<net::Server> server_;  // After all that it calls.
  std::optional<CertificateWatch> certificates_;
  bool started_ = false;
  bool stopped_ = false;
};

absl::StatusOr<std::unique_ptr<StaticFiles>> LoadWeb(const std::string& folder) {
  if (folder.empty()) return nullptr;
  RM_ASSIGN_OR_RETURN(std::unique_ptr<StaticFiles> files, StaticFiles::Load(folder));
  return files;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GatewayModule>> GatewayModule::Open(const config::v1::GatewayConfig& config,
                                                                   GatewayDependencies dependencies) {
  RM_ASSIGN_OR_RETURN(const config::v1::GatewayConfig whole, WithDefaults(config));
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const auto& [name, channel] : dependencies.services) {
    services.push_back(google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name));
    if (services.back() == nullptr) return absl::NotFoundError(fmt::format("no service {} is linked", name));
  }
  RM_ASSIGN_OR_RETURN(RouteTable routes, RouteTable::Make(services));
  RM_ASSIGN_OR_RETURN(std::unique_ptr<StaticFiles> files, LoadWeb(whole.web_folder()));
  auto module = std::make_unique<Module>(whole, std::move(dependencies), std::move(routes), std::move(files));
  RM_RETURN_IF_ERROR(module->Listen());
  return module;
}

}  // namespace rivermeet::gateway
