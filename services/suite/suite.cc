#include "suite/suite.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "agent/agent.h"
#include "aggregation/aggregation_module.h"
#include "auth/auth_module.h"
#include "base/config.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "gateway/gateway_module.h"
#include "gateway/operations.h"
#include "ingest/ingest_module.h"
#include "net/server.h"
#include "query/query_module.h"
#include "rpc/authorizer.h"
#include "rpc/bearer_verifier.h"
#include "rpc/channel.h"
#include "rpc/credentials.h"
#include "rpc/server.h"
#include "segments/segment_reader.h"
#include "suite/platform.h"
#include "suite/readiness.h"
#include "telemetry/logging.h"

namespace rivermeet::suite {
namespace {

constexpr const char* kAuth = "rivermeet.auth.v1.AuthService";
constexpr const char* kIngest = "rivermeet.ingest.v1.IngestService";
constexpr const char* kStreams = "rivermeet.ingest.v1.StreamService";
constexpr const char* kQuery = "rivermeet.query.v1.QueryService";

}  // namespace

class Suite::Graph {
 public:
  Graph(const config::v1::SuiteConfig& settings, const SuiteOptions& options, const DataFolder& folder)
      : settings_(settings), options_(options), folder_(folder) {}
  ~Graph() { Stop(absl::Now() + absl::Seconds(10)); }

  absl::Status Start(absl::Time deadline) {
    RM_ASSIGN_OR_RETURN(platform_, Platform::Start(settings_, options_.target, folder_, deadline));
    if (options_.target == "catalog") return absl::OkStatus();
    RM_ASSIGN_OR_RETURN(credentials_, rpc::ReadCredentials(settings_.rpc()));
    const rpc::ChannelSource auth = [this] { return ChannelTo(kAuth); };
    tokens_.emplace(TokenOptions(), rpc::PublishedBy(auth));
    bearers_.emplace(rpc::BearerVerifierOptions(), *tokens_, auth);
    authorizer_.emplace(*bearers_);
    RM_RETURN_IF_ERROR(OpenServices(deadline));
    RM_RETURN_IF_ERROR(StartServer());
    RM_RETURN_IF_ERROR(Annotate(tokens_->Refresh(deadline), "auth"));
    RM_RETURN_IF_ERROR(StartServices(deadline));
    RM_RETURN_IF_ERROR(StartGateway());
    WatchReadiness();
    RM_RETURN_IF_ERROR(Annotate(StartOperations(), "telemetry.listen"));
    return options_.agent ? StartAgent() : absl::OkStatus();
  }

  void Stop(absl::Time deadline) {
    readiness_.reset();
    for (const char* name : {"auth", "aggregation", "query"}) {
      if (platform_ != nullptr && Runs(name)) platform_->health().Set(name, false, "stopping");
    }
    if (server_ != nullptr) server_->SetServing(false);
    operations_server_.reset();
    if (agent_ != nullptr) agent_->Stop(std::min(deadline, absl::Now() + absl::Seconds(2)));
    if (gateway_ != nullptr) gateway_->Stop(deadline);
    if (query_ != nullptr) query_->Stop(deadline);
    if (aggregation_ != nullptr) aggregation_->Stop(deadline);
    agent_.reset();
    gateway_.reset();
    if (bearers_) bearers_->Stop();
    if (server_ != nullptr) server_->Stop(deadline);
    if (ingest_ != nullptr) ingest_->Stop();
    if (auth_ != nullptr) auth_->Stop();
    query_.reset();
    segments_.reset();
    ingest_.reset();
    aggregation_.reset();
    auth_.reset();
    server_.reset();
    if (platform_ != nullptr) platform_->Stop(deadline);
  }

  std::string url() const { return gateway_ == nullptr ? "" : gateway_->url(); }
  int port() const { return gateway_ == nullptr ? 0 : gateway_->port(); }
  const std::string& grpc_address() const { return grpc_address_; }
  std::string one_time_password() const { return auth_ == nullptr ? "" : auth_->first_password(); }

 private:
  bool Runs(std::string_view service) const { return options_.target == "all" || options_.target == service; }

  authn::JwtVerifierOptions TokenOptions() const {
    authn::JwtVerifierOptions options;
    options.issuer = settings_.auth().issuer();
    return options;
  }

  // In process for a service that runs here, else to where the settings say it is.
  std::shared_ptr<grpc::Channel> ChannelTo(std::string_view service) const {
    const auto& rpc = settings_.rpc();
    if (service == kAuth) return Runs("auth") ? in_process_ : auth_channel_;
    if (service == kQuery)
      return Runs("query") ? in_process_ : rpc::MakeChannel(rpc.query_address(), credentials_.channel);
    return Runs("ingest") ? in_process_ : rpc::MakeChannel(rpc.ingest_address(), credentials_.channel);
  }

  // Ingest and gateway say themselves how they are.
  void WatchReadiness() {
    for (const char* name : {"auth", "aggregation", "query"}) {
      if (Runs(name)) platform_->health().Set(name, true);
    }
    readiness_.emplace(platform_->Dependencies(), platform_->health(), [this](bool ready) {
      if (server_ != nullptr) server_->SetServing(ready);
    });
    readiness_->Start();
  }

  absl::Status OpenServices(absl::Time deadline) {
    for (const char* name : {"auth", "aggregation", "query"}) {
      if (Runs(name)) platform_->health().Add(name);
    }
    if (Runs("auth")) {
      RM_ASSIGN_OR_RETURN(auth_, auth::AuthModule::Open({.config = settings_.auth(),
                                                         .keys_folder = folder_.Path("keys"),
                                                         .database = &platform_->database(),
                                                         .registry = &platform_->registry()},
                                                        deadline));
    }
    if (Runs("aggregation")) {
      RM_ASSIGN_OR_RETURN(aggregation_,
                          aggregation::AggregationModule::Open(settings_.aggregation(),
                                                               {.log = &platform_->log(),
                                                                .objects = &platform_->objects(),
                                                                .database = &platform_->database(),
                                                                .authorizer = &*authorizer_,
                                                                .registry = &platform_->registry(),
                                                                .scratch_folder = folder_.Path("scratch"),
                                                                .log_retention = FromProto(settings_.log().retention()),
                                                                .exclusive_log = settings_.log().kind() == "local"},
                                                               deadline));
    }
    if (Runs("ingest")) {
      RM_ASSIGN_OR_RETURN(ingest_, ingest::IngestModule::Open(settings_.ingest(),
                                                              {.log = platform_->log(),
                                                               .database = platform_->database(),
                                                               .authorizer = *authorizer_,
                                                               .registry = platform_->registry(),
                                                               .health = platform_->health(),
                                                               .clock = Clock::System()},
                                                              deadline));
    }
    if (Runs("query")) {
      segments_ = std::make_unique<segments::SegmentReader>(
          segments::SegmentReaderOptions{.objects = &platform_->objects(),
                                         .store_folder = folder_.Path("objects"),
                                         .memory_bytes = settings_.query().memory_bytes()});
      RM_ASSIGN_OR_RETURN(query_, query::QueryModule::Open(settings_.query(),
                                                           {.database = &platform_->database(),
                                                            .segments = segments_.get(),
                                                            .authorizer = &*authorizer_,
                                                            .registry = &platform_->registry(),
                                                            .channel =
                                                                [this](const std::string& address) {
                                                                  return address == grpc_address_
                                                                             ? in_process_
                                                                             : rpc::MakeChannel(address,
                                                                                                credentials_.channel);
                                                                },
                                                            .log_partitions = settings_.log().partitions()},
                                                           deadline));
    }
    return absl::OkStatus();
  }

  absl::Status StartServer() {
    std::vector<grpc::Service*> services;
    if (auth_ != nullptr) services.push_back(&auth_->service());
    if (aggregation_ != nullptr) services.push_back(&aggregation_->service());
    if (ingest_ != nullptr) {
      for (grpc::Service* service : ingest_->Services()) services.push_back(service);
    }
    if (query_ != nullptr) services.push_back(&query_->service());
    if (!services.empty()) {
      RM_ASSIGN_OR_RETURN(
          server_,
          rpc::Server::Start({.listen = settings_.rpc().listen(), .credentials = credentials_.server}, services));
      in_process_ = server_->InProcessChannel();
      const std::string& listen = settings_.rpc().listen();
      grpc_address_ = fmt::format("{}:{}", listen.substr(0, listen.rfind(':')), server_->port());
      if (!settings_.rpc().advertise().empty()) grpc_address_ = settings_.rpc().advertise();
    }
    if (!Runs("auth")) auth_channel_ = rpc::MakeChannel(settings_.rpc().auth_address(), credentials_.channel);
    return absl::OkStatus();
  }

  absl::Status StartServices(absl::Time deadline) {
    if (auth_ != nullptr) auth_->Start();
    if (aggregation_ != nullptr) RM_RETURN_IF_ERROR(aggregation_->Start(grpc_address_, deadline));
    if (ingest_ != nullptr) ingest_->Start();
    if (server_ != nullptr) server_->SetServing(true);
    return absl::OkStatus();
  }

  absl::Status StartGateway() {
    if (!Runs("gateway")) return absl::OkStatus();
    RM_ASSIGN_OR_RETURN(
        gateway_, gateway::GatewayModule::Open(settings_.gateway(), {.services = {{kAuth, ChannelTo(kAuth)},
                                                                                  {kIngest, ChannelTo(kIngest)},
                                                                                  {kStreams, ChannelTo(kStreams)},
                                                                                  {kQuery, ChannelTo(kQuery)}},
                                                                     .bearers = &*bearers_,
                                                                     .registry = &platform_->registry(),
                                                                     .health = &platform_->health(),
                                                                     .metric_sources = platform_->MetricSources()}));
    gateway_->Start();
    return absl::OkStatus();
  }

  // For a process that isn't the gateway, or whose gateway is for others.
  absl::Status StartOperations() {
    const std::string& listen = settings_.telemetry().listen();
    if (listen.empty()) return absl::OkStatus();
    const size_t colon = listen.rfind(':');
    uint16_t port = 0;
    if (colon == std::string::npos || !ParseNumber(std::string_view(listen).substr(colon + 1), port)) {
      return absl::InvalidArgumentError(fmt::format("\"{}\" is not host:port", listen));
    }
    std::vector<const prometheus::Collectable*> sources = platform_->MetricSources();
    sources.push_back(&platform_->registry());
    operations_.emplace(&platform_->health(), std::move(sources));
    RM_ASSIGN_OR_RETURN(operations_server_,
                        net::Server::Open({.address = listen.substr(0, colon), .port = port}, *operations_));
    operations_server_->Start();
    return absl::OkStatus();
  }

  absl::Status StartAgent() {
    agent::Agent::Options options;
    options.address = grpc_address_;
    options.channel = rpc::MakeStreamingChannel(grpc_address_, credentials_.channel);
    options.api_key = [path = folder_.Path("keys/local.key")] { return ReadSecretFile(path).value_or(""); };
    options.spool_folder = folder_.Path("agent");
    RM_ASSIGN_OR_RETURN(agent_, agent::Agent::Open(std::move(options)));
    agent_->Start();
    return absl::OkStatus();
  }

  const config::v1::SuiteConfig settings_;
  const SuiteOptions options_;
  const DataFolder& folder_;
  rpc::Credentials credentials_;
  std::unique_ptr<Platform> platform_;
  std::shared_ptr<grpc::Channel> auth_channel_;
  std::optional<authn::JwtVerifier> tokens_;
  std::optional<rpc::BearerVerifier> bearers_;
  std::optional<rpc::Authorizer> authorizer_;
  std::unique_ptr<auth::AuthModule> auth_;
  std::unique_ptr<aggregation::AggregationModule> aggregation_;
  std::unique_ptr<ingest::IngestModule> ingest_;
  std::unique_ptr<segments::SegmentReader> segments_;
  std::unique_ptr<query::QueryModule> query_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> in_process_;
  std::string grpc_address_;
  std::unique_ptr<gateway::GatewayModule> gateway_;
  std::optional<gateway::Operations> operations_;
  std::unique_ptr<net::Server> operations_server_;
  std::unique_ptr<agent::Agent> agent_;
  std::optional<Readiness> readiness_;
};

Suite::Suite(std::unique_ptr<Graph> graph) : graph_(std::move(graph)) {}
Suite::~Suite() = default;

absl::StatusOr<std::unique_ptr<Suite>> Suite::Start(const config::v1::SuiteConfig& settings,
                                                    const SuiteOptions& options, const DataFolder& folder,
                                                    absl::Time deadline) {
  auto graph = std::make_unique<Graph>(settings, options, folder);
  RM_RETURN_IF_ERROR(graph->Start(deadline));
  return std::unique_ptr<Suite>(new Suite(std::move(graph)));
}

std::string Suite::url() const { return graph_->url(); }
int Suite::port() const { return graph_->port(); }
std::string Suite::grpc_address() const { return graph_->grpc_address(); }
std::string Suite::one_time_password() const { return graph_->one_time_password(); }
void Suite::Stop(absl::Time deadline) { graph_->Stop(deadline); }

}  // namespace rivermeet::suite
