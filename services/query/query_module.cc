#include "query/query_module.h"

#include <utility>

#include "base/ids.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/lease_store.h"
#include "catalog/settings_store.h"
#include "catalog/stream_store.h"
#include "fmt/format.h"
#include "query/catalog_streams.h"
#include "query/grpc_owners.h"
#include "query/grpc_query.h"
#include "query/lease_directory.h"
#include "query/live_query.h"
#include "query/query_metrics.h"
#include "query/query_service.h"
#include "query/stored_segments.h"
#include "query/timer_queue.h"
#include "query/worker_pool.h"
#include "visibility/visibility_token.h"

namespace rivermeet::query {
namespace {

// Owners found and segments read for subscriptions at a time.
constexpr size_t kBackgroundThreads = 4;
constexpr size_t kBackgroundQueue = 100'000;

struct Settings {
  WorkerPoolOptions workers;
  QueryServiceOptions service;
  LiveQueryOptions live;
};

absl::Status Take(std::string_view name, uint64_t given, uint64_t smallest, uint64_t largest, uint64_t standard,
                  uint64_t& setting) {
  setting = given == 0 ? standard : given;
  if (setting >= smallest && setting <= largest) return absl::OkStatus();
  return absl::InvalidArgumentError(
      ToAbsl(fmt::format("query.{} is {}: it can be {} to {}", name, setting, smallest, largest)));
}

absl::Status Take(std::string_view name, bool is_set, const google::protobuf::Duration& given, absl::Duration standard,
                  absl::Duration& setting) {
  setting = is_set ? FromProto(given) : standard;
  if (setting > absl::ZeroDuration() && setting <= absl::Hours(1)) return absl::OkStatus();
  return absl::InvalidArgumentError(ToAbsl(fmt::format("query.{} has to be longer than 0 and at most 1 h", name)));
}

absl::StatusOr<Settings> Check(const config::v1::QueryConfig& config, uint32_t log_partitions) {
  Settings settings;
  uint64_t concurrency = 0, queue = 0, subscriptions = 0, max_rows = 0;
  RM_RETURN_IF_ERROR(
      Take("timeout", config.has_timeout(), config.timeout(), absl::Seconds(30), settings.service.timeout));
  RM_RETURN_IF_ERROR(
      Take("queue_wait", config.has_queue_wait(), config.queue_wait(), absl::Seconds(2), settings.workers.queue_wait));
  RM_RETURN_IF_ERROR(Take("memory_bytes", config.memory_bytes(), 1 << 20, uint64_t{1} << 40, uint64_t{256} << 20,
                          settings.service.memory_bytes));
  RM_RETURN_IF_ERROR(Take("concurrency", config.concurrency(), 1, 1'024, 16, concurrency));
  RM_RETURN_IF_ERROR(Take("max_rows", config.max_rows(), 1, 100'000'000, 1'000'000, max_rows));
  RM_RETURN_IF_ERROR(Take("queue", config.queue(), 1, 100'000, 256, queue));
  RM_RETURN_IF_ERROR(Take("subscriptions", config.subscriptions(), 1, 1'000'000, 4'096, subscriptions));
  RM_RETURN_IF_ERROR(Take("subscription_bytes", config.subscription_bytes(), 1 << 20, uint64_t{1} << 40,
                          uint64_t{64} << 20, settings.live.limits.max_bytes));
  settings.workers.concurrency = concurrency;
  settings.workers.queue = queue;
  settings.service.planner = {.log_partitions = log_partitions, .max_rows = max_rows};
  settings.live.limits.max_rows = max_rows;
  settings.live.max_subscriptions = subscriptions;
  return settings;
}

class Module : public QueryModule {
 public:
  Module(const Settings& settings, QueryDependencies dependencies, std::string visibility_key)
      : clock_(*dependencies.clock),
        stream_store_(*dependencies.database),
        lease_store_(*dependencies.database),
        streams_(stream_store_, clock_),
        directory_(lease_store_, clock_),
        owners_(directory_, std::move(dependencies.channel)),
        segments_(*dependencies.segments),
        tokens_(std::move(visibility_key)),
        metrics_(*dependencies.registry),
        timers_(clock_),
        workers_(settings.workers, timers_),
        background_({.what = "subscriptions",
                     .concurrency = kBackgroundThreads,
                     .queue = kBackgroundQueue,
                     .queue_wait = absl::Seconds(30)},
                    timers_),
        rules_(settings.service, streams_, owners_, segments_, tokens_, metrics_, clock_),
        live_(settings.live, owners_, segments_, background_, timers_, metrics_, clock_),
        grpc_(rules_, live_, *dependencies.authorizer, workers_, metrics_, clock_) {}
  ~Module() override { Stop(clock_.Now()); }

  grpc::Service& service() override { return grpc_; }

  void Stop(absl::Time deadline) override {
    live_.Stop();
    timers_.After(deadline - clock_.Now(), [this] { grpc_.CancelAll(); });
    workers_.Stop();
    background_.Stop();
    timers_.Stop();
  }

 private:
  const Clock& clock_;
  catalog::StreamStore stream_store_;
  catalog::LeaseStore lease_store_;
  CatalogStreams streams_;
  LeaseDirectory directory_;
  GrpcOwners owners_;
  StoredSegments segments_;
  visibility::VisibilityTokens tokens_;
  QueryMetrics metrics_;
  TimerQueue timers_;
  WorkerPool workers_;
  WorkerPool background_;
  QueryService rules_;
  LiveQueries live_;
  GrpcQuery grpc_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<QueryModule>> QueryModule::Open(const config::v1::QueryConfig& config,
                                                               QueryDependencies dependencies, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Settings settings, Check(config, dependencies.log_partitions));
  catalog::SettingsStore store(*dependencies.database);
  RM_ASSIGN_OR_RETURN(std::string key, store.GetOrSet(visibility::kKeySetting, RandomBytes(32), deadline));
  if (key.size() < 16) return absl::InternalError("the catalog's visibility key is too short");
  return std::make_unique<Module>(settings, std::move(dependencies), std::move(key));
}

}  // namespace rivermeet::query
