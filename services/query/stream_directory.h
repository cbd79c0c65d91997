// The streams that there are, as query sees them.
#ifndef RIVERMEET_QUERY_STREAM_DIRECTORY_H_
#define RIVERMEET_QUERY_STREAM_DIRECTORY_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rivermeet/events/v1/stream.pb.h"

namespace rivermeet::query {

// Thread-safe.
class StreamDirectory {
 public:
  virtual ~StreamDirectory() = default;

  // The stream as it was at most about a second ago. Shared, because it is cached.
  //
  // Errors:
  //   NOT_FOUND    The tenant has no such stream; the message names it.
  //   UNAVAILABLE  It is not cached and the catalog is away. Retry.
  virtual absl::StatusOr<std::shared_ptr<const events::v1::Stream>> Find(std::string_view tenant, std::string_view name,
                                                                         absl::Time deadline) = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_STREAM_DIRECTORY_H_
