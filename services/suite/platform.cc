#include "suite/platform.h"

#include <fstream>

#include "absl/time/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/migrations.h"
#include "catalog/settings_store.h"
#include "eventlog/kafka_event_log.h"
#include "eventlog/local_event_log.h"
#include "fmt/format.h"
#include "objects/file_object_store.h"
#include "suite/kafka_settings.h"
#include "telemetry/logging.h"

namespace rivermeet::suite {
namespace {

// As long as cached keys, schemas and leases serve.
constexpr absl::Duration kWithoutCatalog = absl::Minutes(5);
// Without it nothing is taken, but a broker that changes its leader is no reason to be taken for ill.
constexpr absl::Duration kWithoutLog = absl::Seconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<Platform>> Platform::Start(const config::v1::SuiteConfig& settings,
                                                          std::string_view target, const DataFolder& folder,
                                                          absl::Time deadline) {
  std::unique_ptr<Platform> made(new Platform());
  const bool all = target == "all";
  if (all || target == "ingest" || target == "aggregation") {
    RM_RETURN_IF_ERROR(Annotate(made->OpenLog(settings, folder), "event log"));
    made->log_metrics_ = std::make_unique<LogMetrics>(*made->log_);
  }
  if (all || target == "aggregation" || target == "query") {
    RM_ASSIGN_OR_RETURN(made->objects_, objects::FileObjectStore::Open(
                                            {.folder = folder.Path("objects"), .read_only = target == "query"}));
  }
  if (target != "gateway") {
    RM_RETURN_IF_ERROR(Annotate(made->StartCatalog(settings, target, folder, deadline), "catalog"));
  }
  if (made->log_ != nullptr) RM_RETURN_IF_ERROR(Annotate(made->CheckLog(deadline), "event log"));
  return made;
}

Platform::~Platform() { Stop(absl::Now() + absl::Seconds(10)); }

absl::Status Platform::StartCatalog(const config::v1::SuiteConfig& settings, std::string_view target,
                                    const DataFolder& folder, absl::Time deadline) {
  std::string connection = settings.catalog().connection();
  if (connection.empty()) {
    RM_ASSIGN_OR_RETURN(postgres_,
                        catalog::PrivatePostgres::Open({
                            .data = folder.Path(""),
                            .on_trouble =
                                [](std::string_view message) {
                                  telemetry::Log(telemetry::Level::kWarn, "private PostgreSQL", {{"trouble", message}});
                                },
                        }));
    RM_RETURN_IF_ERROR(postgres_->Start(deadline));
    connection = postgres_->connection();
    // Another process of this folder finds it there; the socket is what keeps others out.
    if (target == "catalog") std::ofstream(folder.Path("catalog.conninfo"), std::ios::trunc) << connection << '\n';
  } else if (!settings.catalog().password_file().empty()) {
    RM_ASSIGN_OR_RETURN(const std::string password, ReadSecretFile(settings.catalog().password_file()));
    connection += " password=" + password;
  }
  database_ = std::make_unique<catalog::Database>(catalog::DatabaseOptions{
      .connection = connection, .max_connections = static_cast<int>(settings.catalog().connections())});
  return catalog::Migrate(*database_, deadline);
}

absl::Status Platform::OpenLog(const config::v1::SuiteConfig& settings, const DataFolder& folder) {
  if (settings.log().kind() == "kafka") {
    RM_ASSIGN_OR_RETURN(eventlog::KafkaEventLogOptions options, KafkaOptionsOf(settings.log()));
    RM_ASSIGN_OR_RETURN(log_, eventlog::KafkaEventLog::Open(std::move(options)));
    return absl::OkStatus();
  }
  auto local = eventlog::LocalEventLog::Open({
      .folder = folder.Path("log"),
      .partitions = settings.log().partitions(),
      .segment_bytes = static_cast<int64_t>(settings.log().segment_bytes()),
  });
  if (absl::IsDataLoss(local.status())) {
    return absl::DataLossError(fmt::format("{}; restore the file from a copy", MessageOf(local.status())));
  }
  RM_RETURN_IF_ERROR(local.status());
  for (const absl::Status& damage : (*local)->Damage()) {
    telemetry::Log(telemetry::Level::kError, "the event log is damaged", {{"status", damage}});
  }
  log_ = *std::move(local);
  return absl::OkStatus();
}

absl::Status Platform::CheckLog(absl::Time deadline) {
  const std::string identity = log_->identity();
  RM_ASSIGN_OR_RETURN(const std::string known,
                      catalog::SettingsStore(*database_).GetOrSet("log.identity", identity, deadline));
  if (known == identity) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the catalog belongs to the {}, but this is the {}: name that log in the settings or restore it, or "
                  "give this one a data folder and a catalog of its own",
                  known, identity));
}

void Platform::Stop(absl::Time deadline) {
  if (log_ != nullptr) log_->Stop(deadline);
  database_.reset();
  if (postgres_ == nullptr) return;
  if (const absl::Status status = postgres_->Stop(deadline); !status.ok()) {
    telemetry::Log(telemetry::Level::kWarn, "private PostgreSQL did not stop in time", {{"status", status}});
  }
  postgres_.reset();
}

std::vector<Dependency> Platform::Dependencies() {
  std::vector<Dependency> dependencies;
  if (database_ != nullptr) {
    dependencies.push_back({"catalog",
                            [this](absl::Time deadline) { return database_->Execute(deadline, "SELECT 1").status(); },
                            kWithoutCatalog});
  }
  if (log_ != nullptr) {
    // One partition that answers is enough, and the next one is asked after one that doesn't: of what is lost with a
    // partition its own metrics speak.
    dependencies.push_back({"event log",
                            [this, partition = uint32_t{0}](absl::Time deadline) mutable {
                              const absl::Status status = log_->Range(partition, deadline).status();
                              if (!status.ok()) partition = (partition + 1) % log_->partitions();
                              return status;
                            },
                            kWithoutLog});
  }
  return dependencies;
}

std::vector<const prometheus::Collectable*> Platform::MetricSources() const {
  if (log_metrics_ == nullptr) return {};
  return {log_metrics_.get()};
}

}  // namespace rivermeet::suite
