// Everything of ingest, put together: what the suite starts.
#ifndef RIVERMEET_INGEST_INGEST_MODULE_H_
#define RIVERMEET_INGEST_INGEST_MODULE_H_

#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/stop_signal.h"
#include "catalog/database.h"
#include "catalog/stream_store.h"
#include "eventlog/event_log.h"
#include "ingest/catalog_streams.h"
#include "ingest/grpc_ingest.h"
#include "ingest/grpc_streams.h"
#include "ingest/ingest_service.h"
#include "prometheus/registry.h"
#include "rivermeet/config/v1/ingest.pb.h"
#include "rpc/authorizer.h"
#include "telemetry/health.h"
#include "visibility/visibility_token.h"

namespace rivermeet::ingest {

class IngestModule {
 public:
  // All outlive the module.
  struct Dependencies {
    eventlog::EventLog& log;
    catalog::Database& database;
    const rpc::Authorizer& authorizer;
    prometheus::Registry& registry;
    telemetry::Health& health;
    const Clock& clock;
  };

  // Reads or makes the key of visibility tokens. A field of `config` that is 0 or absent means its default.
  //
  // Errors:
  //   INVALID_ARGUMENT  A setting is out of its range; the message names it.
  //   UNAVAILABLE, DEADLINE_EXCEEDED  The catalog is away.
  static absl::StatusOr<std::unique_ptr<IngestModule>> Open(const config::v1::IngestConfig& config,
                                                            const Dependencies& dependencies, absl::Time deadline);
  ~IngestModule();

  // For the server; they live as long as the module.
  std::vector<grpc::Service*> Services() { return {&grpc_ingest_, &grpc_streams_}; }

  // Begins to keep schemas fresh, and says that ingest is ready.
  void Start();
  // After the server has stopped and before the log does: waits for what workers still do.
  void Stop();

 private:
  struct Settings {
    IngestOptions ingest;
    StreamOptions streams;
    uint64_t events_per_second = 0;
    size_t max_inflight_bytes = 0;
  };
  IngestModule(const Settings& settings, const Dependencies& dependencies, std::string visibility_key);
  static absl::StatusOr<Settings> Read(const config::v1::IngestConfig& config, uint32_t log_partitions);
  void KeepFresh();

  telemetry::Health& health_;
  const Clock& clock_;
  IngestMetrics metrics_;
  catalog::StreamStore store_;
  CatalogStreams streams_;
  SchemaCache schemas_;
  EventQuotas quotas_;
  ByteBudget budget_;
  visibility::VisibilityTokens tokens_;
  WorkerPool workers_;
  IngestService service_;
  StreamService stream_service_;
  GrpcIngest grpc_ingest_;
  GrpcStreams grpc_streams_;

  StopSignal stop_;
  std::thread refresher_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_INGEST_MODULE_H_
