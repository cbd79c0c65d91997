// Where streams and their schemas are kept.
#ifndef RIVERMEET_INGEST_STREAM_REPOSITORY_H_
#define RIVERMEET_INGEST_STREAM_REPOSITORY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rivermeet/events/v1/stream.pb.h"

namespace rivermeet::ingest {

struct TenantStream {
  std::string tenant;
  events::v1::Stream stream;
};

// Thread-safe. Every call blocks until its deadline at most. Errors besides the named ones:
//   UNAVAILABLE, DEADLINE_EXCEEDED  The catalog is away. Retry.
class StreamRepository {
 public:
  virtual ~StreamRepository() = default;

  // Errors:
  //   NOT_FOUND  The tenant has no such stream.
  virtual absl::StatusOr<events::v1::Stream> Get(std::string_view tenant, std::string_view name,
                                                 absl::Time deadline) = 0;

  // The tenant's streams by name; those of all tenants when `tenant` is empty.
  virtual absl::StatusOr<std::vector<TenantStream>> List(std::string_view tenant, absl::Time deadline) = 0;

  // Makes the stream, or changes it if its version is still `stream.version` (0: it doesn't exist).
  //
  // Errors:
  //   ABORTED  Somebody else made or changed it first. Get it, look again, retry.
  virtual absl::StatusOr<events::v1::Stream> Declare(std::string_view tenant, const events::v1::Stream& stream,
                                                     absl::Time deadline) = 0;

  // Errors:
  //   NOT_FOUND  No such stream.
  virtual absl::Status Delete(std::string_view tenant, std::string_view name, absl::Time deadline) = 0;

  // A number that changes with every change of any stream.
  virtual absl::StatusOr<int64_t> Version(absl::Time deadline) = 0;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_STREAM_REPOSITORY_H_
