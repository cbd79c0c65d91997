// What every service stands on: catalog, event log, object store, metrics, health.
#ifndef RIVERMEET_SUITE_PLATFORM_H_
#define RIVERMEET_SUITE_PLATFORM_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/database.h"
#include "catalog/private_postgres.h"
#include "eventlog/event_log.h"
#include "objects/object_store.h"
#include "prometheus/registry.h"
#include "rivermeet/config/v1/suite.pb.h"
#include "suite/data_folder.h"
#include "suite/log_metrics.h"
#include "suite/readiness.h"
#include "telemetry/health.h"

namespace rivermeet::suite {

class Platform {
 public:
  // Starts what `target` ("all", "catalog" or a service) needs of what the settings name: the private PostgreSQL
  // unless a connection is given, migrations, the log, objects. `folder` outlives the platform.
  //
  // Errors: those of the parts, each with what to do, and:
  //   FAILED_PRECONDITION  The catalog was begun with another log; the message names both.
  static absl::StatusOr<std::unique_ptr<Platform>> Start(const config::v1::SuiteConfig& settings,
                                                         std::string_view target, const DataFolder& folder,
                                                         absl::Time deadline);
  ~Platform();

  // After everything that uses it has stopped.
  void Stop(absl::Time deadline);

  // Each only where the target needs it.
  catalog::Database& database() { return *database_; }
  eventlog::EventLog& log() { return *log_; }
  objects::ObjectStore& objects() { return *objects_; }
  prometheus::Registry& registry() { return *registry_; }
  telemetry::Health& health() { return health_; }

  // What of it can go away while the process runs, and how long the process does without.
  std::vector<Dependency> Dependencies();

  // What to collect metrics from besides the registry.
  std::vector<const prometheus::Collectable*> MetricSources() const;

 private:
  Platform() = default;

  absl::Status StartCatalog(const config::v1::SuiteConfig& settings, std::string_view target, const DataFolder& folder,
                            absl::Time deadline);
  absl::Status OpenLog(const config::v1::SuiteConfig& settings, const DataFolder& folder);
  // The catalog's offsets are of one log: the first that was opened with it.
  absl::Status CheckLog(absl::Time deadline);

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  telemetry::Health health_;
  std::unique_ptr<catalog::PrivatePostgres> postgres_;
  std::unique_ptr<catalog::Database> database_;
  std::unique_ptr<eventlog::EventLog> log_;
  std::unique_ptr<LogMetrics> log_metrics_;
  std::unique_ptr<objects::ObjectStore> objects_;
};

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_PLATFORM_H_
