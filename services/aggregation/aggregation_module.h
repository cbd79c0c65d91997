// The aggregation service of a process: takes partitions by lease, owns them, gives them back.
#ifndef RIVERMEET_AGGREGATION_AGGREGATION_MODULE_H_
#define RIVERMEET_AGGREGATION_AGGREGATION_MODULE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "catalog/database.h"
#include "eventlog/event_log.h"
#include "objects/object_store.h"
#include "prometheus/registry.h"
#include "rivermeet/config/v1/aggregation.pb.h"
#include "rpc/authorizer.h"

namespace rivermeet::aggregation {

// All outlive the module.
struct AggregationDependencies {
  eventlog::EventLog* log = nullptr;
  objects::ObjectStore* objects = nullptr;
  catalog::Database* database = nullptr;
  const rpc::Authorizer* authorizer = nullptr;
  prometheus::Registry* registry = nullptr;
  // For segment files on their way to the object store.
  std::string scratch_folder;
  // How long the log is kept beyond what snapshots need.
  absl::Duration log_retention = absl::Hours(1);
  // True when no other process can have this log (the built-in one): then reads go on for 5 minutes while the catalog
  // is away, because nobody else can have taken the partitions.
  bool exclusive_log = false;
  const Clock* clock = &Clock::System();
};

// The catalog's schema must be there. Thread-safe.
class AggregationModule {
 public:
  // Errors:
  //   INVALID_ARGUMENT  A setting is out of its range; the message names it.
  static absl::StatusOr<std::unique_ptr<AggregationModule>> Open(const config::v1::AggregationConfig& config,
                                                                 const AggregationDependencies& dependencies,
                                                                 absl::Time deadline);
  ~AggregationModule();

  // To be added to the process's gRPC server.
  grpc::Service& service();

  // Takes every partition that is free or was this owner's before a restart, restores each and lets it fold; takes
  // more as they become free. `address` is where other services reach this process.
  //
  // Errors:
  //   DATA_LOSS         A partition can't be restored; the message says what to do.
  //   UNAVAILABLE, DEADLINE_EXCEEDED  Catalog, log or store are away. Retry.
  absl::Status Start(const std::string& address, absl::Time deadline);

  // Ends watches and reads, takes a last snapshot of each partition, gives the leases back. Idempotent.
  void Stop(absl::Time deadline);

 private:
  class Keeper;
  explicit AggregationModule(std::unique_ptr<Keeper> keeper);
  std::unique_ptr<Keeper> keeper_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_AGGREGATION_MODULE_H_
