// Owners from the catalog's leases.
#ifndef RIVERMEET_QUERY_LEASE_DIRECTORY_H_
#define RIVERMEET_QUERY_LEASE_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/lease_store.h"
#include "query/owner_directory.h"

namespace rivermeet::query {

// Thread-safe. What is cached is good for a second, for 20 ms with `refresh`, and for five minutes while the catalog is
// away: owners then go on without it. For what it has, a caller never waits longer than a moment.
class LeaseDirectory : public OwnerDirectory {
 public:
  // Both outlive this.
  LeaseDirectory(catalog::LeaseStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  absl::StatusOr<std::vector<std::string>> Addresses(bool refresh, absl::Time deadline) override;

 private:
  catalog::LeaseStore& store_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mutex_);
  absl::Duration read_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration asked_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  // Until then the catalog isn't asked again, not even to refresh.
  absl::Duration away_until_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_LEASE_DIRECTORY_H_
