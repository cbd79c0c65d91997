// Which address owns which partition.
#ifndef RIVERMEET_QUERY_OWNER_DIRECTORY_H_
#define RIVERMEET_QUERY_OWNER_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rivermeet::query {

// Thread-safe.
class OwnerDirectory {
 public:
  virtual ~OwnerDirectory() = default;

  // By the log's partition: where its owner answers; empty when nobody owns it. May be some seconds old unless
  // `refresh`.
  //
  // Errors:
  //   UNAVAILABLE  Nothing is cached and the catalog is away. Retry.
  virtual absl::StatusOr<std::vector<std::string>> Addresses(bool refresh, absl::Time deadline) = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_OWNER_DIRECTORY_H_
