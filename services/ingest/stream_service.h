// The rules of declaring, changing and deleting streams; knows no gRPC.
#ifndef RIVERMEET_INGEST_STREAM_SERVICE_H_
#define RIVERMEET_INGEST_STREAM_SERVICE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ingest/schema_cache.h"
#include "ingest/stream_repository.h"

namespace rivermeet::ingest {

struct StreamOptions {
  size_t max_fields = 512;
  // Of a stream whose declaration doesn't say.
  uint32_t default_partitions = 1;
  // The event log's.
  uint32_t max_partitions = 1;
};

// Thread-safe. Calls block until their deadline at most. Errors besides the named ones: UNAVAILABLE when the catalog is
// away.
class StreamService {
 public:
  // Both outlive the service.
  StreamService(StreamOptions options, StreamRepository& streams, SchemaCache& schemas)
      : options_(options), streams_(streams), schemas_(schemas) {}

  // By name.
  absl::StatusOr<std::vector<events::v1::Stream>> List(std::string_view tenant, absl::Time deadline);

  // Errors:
  //   NOT_FOUND  The tenant has no such stream.
  absl::StatusOr<events::v1::Stream> Get(std::string_view tenant, std::string_view name, absl::Time deadline);

  // Makes or changes a stream as events::CheckDeclaration and events::ChangeStream say.
  //
  // Errors:
  //   INVALID_ARGUMENT  The declaration makes no sense, or changes what can't be changed.
  //   ABORTED           It is based on another version than the current one. Get it and look again.
  absl::StatusOr<events::v1::Stream> Put(std::string_view tenant, const events::v1::Stream& declared,
                                         absl::Time deadline);

  // Errors:
  //   NOT_FOUND  The tenant has no such stream.
  absl::Status Delete(std::string_view tenant, std::string_view name, absl::Time deadline);

 private:
  const StreamOptions options_;
  StreamRepository& streams_;
  SchemaCache& schemas_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_STREAM_SERVICE_H_
