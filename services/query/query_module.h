// The query service with everything it is made of, as the suite links it.
#ifndef RIVERMEET_QUERY_QUERY_MODULE_H_
#define RIVERMEET_QUERY_QUERY_MODULE_H_

#include <grpcpp/channel.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "catalog/database.h"
#include "prometheus/registry.h"
#include "rivermeet/config/v1/query.pb.h"
#include "rpc/authorizer.h"
#include "segments/segment_reader.h"

namespace rivermeet::query {

// What it needs of the process; all outlive the module.
struct QueryDependencies {
  catalog::Database* database = nullptr;
  segments::SegmentReader* segments = nullptr;
  const rpc::Authorizer* authorizer = nullptr;
  prometheus::Registry* registry = nullptr;
  // The channel to an owner's address: in process when it is our own. Called once an address.
  std::function<std::shared_ptr<grpc::Channel>(const std::string& address)> channel;
  // Partitions of the event log.
  uint32_t log_partitions = 2;
  const Clock* clock = &Clock::System();
};

class QueryModule {
 public:
  // Fields of `config` that are not set get their defaults. Reads the visibility key from the catalog, or makes it.
  //
  // Errors:
  //   INVALID_ARGUMENT  A setting is out of its range; the message names it.
  //   UNAVAILABLE, DEADLINE_EXCEEDED  The catalog is away.
  static absl::StatusOr<std::unique_ptr<QueryModule>> Open(const config::v1::QueryConfig& config,
                                                           QueryDependencies dependencies, absl::Time deadline);
  virtual ~QueryModule() = default;

  // For the process's gRPC server; answers as soon as that runs.
  virtual grpc::Service& service() = 0;

  // Ends subscriptions, refuses what waits, lets running queries end until `deadline`, then cancels them. Before the
  // gRPC server and the owners' channels stop. Idempotent.
  virtual void Stop(absl::Time deadline) = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_QUERY_MODULE_H_
