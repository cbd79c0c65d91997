#include "ingest/ingest_module.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/settings_store.h"
#include "telemetry/logging.h"

namespace rivermeet::ingest {
namespace {

constexpr absl::Duration kRefresh = absl::Seconds(1);
constexpr absl::Duration kRefreshTimeout = absl::Seconds(3);
// Threads for text bodies and for what asks the catalog.
constexpr size_t kWorkers = 4;
constexpr size_t kWorkerQueue = 1'024;
// A stream that doesn't say is kept in so many partitions, or as many as the log has where that is fewer: enough for a
// small machine's cores, few enough that a small stream's batches aren't cut to crumbs.
constexpr uint32_t kDefaultPartitions = 2;

absl::Duration Setting(const google::protobuf::Duration& duration, absl::Duration otherwise) {
  const absl::Duration given = FromProto(duration);
  return given == absl::ZeroDuration() ? otherwise : given;
}

absl::Status InRange(std::string_view name, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      ToAbsl(fmt::format("ingest.{}: {} is not between {} and {}", name, value, least, most)));
}

}  // namespace

absl::StatusOr<IngestModule::Settings> IngestModule::Read(const config::v1::IngestConfig& config,
                                                          uint32_t log_partitions) {
  Settings settings;
  settings.events_per_second = config.events_per_second();
  settings.max_inflight_bytes = config.max_inflight_bytes() == 0 ? size_t{256} << 20 : config.max_inflight_bytes();
  RM_RETURN_IF_ERROR(InRange("max_inflight_bytes", settings.max_inflight_bytes, 1 << 20, uint64_t{16} << 30));
  settings.ingest.max_fields = config.max_fields() == 0 ? 512 : config.max_fields();
  RM_RETURN_IF_ERROR(InRange("max_fields", settings.ingest.max_fields, 1, 10'000));
  settings.ingest.max_future = Setting(config.max_future(), absl::Minutes(5));
  settings.ingest.append_timeout = Setting(config.append_timeout(), absl::Seconds(10));
  if (settings.ingest.max_future < absl::ZeroDuration() || settings.ingest.append_timeout < absl::Milliseconds(1)) {
    return absl::InvalidArgumentError("ingest.max_future and ingest.append_timeout must be positive");
  }
  settings.ingest.default_partitions = std::min(kDefaultPartitions, log_partitions);
  settings.streams = {.max_fields = settings.ingest.max_fields,
                      .default_partitions = settings.ingest.default_partitions,
                      .max_partitions = log_partitions};
  return settings;
}

absl::StatusOr<std::unique_ptr<IngestModule>> IngestModule::Open(const config::v1::IngestConfig& config,
                                                                 const Dependencies& dependencies,
                                                                 absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Settings settings, Read(config, dependencies.log.partitions()));
  catalog::SettingsStore store(dependencies.database);
  RM_ASSIGN_OR_RETURN(std::string key, store.GetOrSet(visibility::kKeySetting, RandomBytes(32), deadline));
  return std::unique_ptr<IngestModule>(new IngestModule(settings, dependencies, std::move(key)));
}

IngestModule::IngestModule(const Settings& settings, const Dependencies& dependencies, std::string visibility_key)
    : health_(dependencies.health),
      clock_(dependencies.clock),
      metrics_(dependencies.registry),
      store_(dependencies.database),
      streams_(store_),
      schemas_(streams_, clock_),
      quotas_(settings.events_per_second, clock_),
      budget_(settings.max_inflight_bytes),
      tokens_(std::move(visibility_key)),
      workers_(kWorkers, kWorkerQueue),
      service_(settings.ingest, {.log = dependencies.log,
                                 .streams = streams_,
                                 .schemas = schemas_,
                                 .quotas = quotas_,
                                 .budget = budget_,
                                 .workers = workers_,
                                 .tokens = tokens_,
                                 .metrics = metrics_,
                                 .clock = clock_}),
      stream_service_(settings.streams, streams_, schemas_),
      grpc_ingest_(service_, dependencies.authorizer, settings.ingest.append_timeout, clock_),
      grpc_streams_(stream_service_, dependencies.authorizer, workers_, clock_) {
  health_.Add("ingest");
}

IngestModule::~IngestModule() { Stop(); }

void IngestModule::Start() {
  refresher_ = std::thread([this] { KeepFresh(); });
  health_.Set("ingest", true);
}

void IngestModule::KeepFresh() {
  bool away = false;
  do {
    const absl::Status status = schemas_.Refresh(clock_.Now() + kRefreshTimeout);
    if (!status.ok() != away) {
      away = !status.ok();
      metrics_.catalog_away.Set(away ? 1 : 0);
      if (away) {
        telemetry::Log(telemetry::Level::kWarn, "catalog away: cached schemas are used for five minutes",
                       {{"status", status}});
      } else {
        telemetry::Log(telemetry::Level::kInfo, "catalog back: schemas are fresh");
      }
    }
  } while (stop_.SleepFor(kRefresh));
}

void IngestModule::Stop() {
  if (!stop_.Stop()) return;
  health_.Set("ingest", false, "stopping");
  if (refresher_.joinable()) refresher_.join();
  workers_.Stop();
}

}  // namespace rivermeet::ingest
