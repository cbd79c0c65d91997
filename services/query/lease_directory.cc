#include "query/lease_directory.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/status.h"

namespace rivermeet::query {
namespace {

constexpr absl::Duration kFresh = absl::Seconds(1);
constexpr absl::Duration kFreshAnyway = absl::Milliseconds(20);
constexpr absl::Duration kPatience = absl::Milliseconds(250);
constexpr absl::Duration kGoodWhileAway = absl::Minutes(5);

}  // namespace

absl::StatusOr<std::vector<std::string>> LeaseDirectory::Addresses(bool refresh, absl::Time deadline) {
  const absl::Duration now = clock_.MonotonicNow();
  {
    MutexLock lock(mutex_);
    if (now - read_ < (refresh ? kFreshAnyway : kFresh)) return addresses_;
    if (now - read_ < kGoodWhileAway) {
      // One asks, the others go on with what there is.
      if (now < away_until_ || (!refresh && now - asked_ < kFresh)) return addresses_;
      deadline = std::min(deadline, absl::Now() + kPatience);
    }
    asked_ = now;
  }
  const auto leases = store_.List(deadline);
  MutexLock lock(mutex_);
  if (!leases.ok()) {
    away_until_ = clock_.MonotonicNow() + kFresh;
    if (now - read_ < kGoodWhileAway) return addresses_;
    return Annotate(leases.status(), "the catalog");
  }
  std::vector<std::string> addresses;
  for (const catalog::Lease& lease : *leases) {
    const auto partition = static_cast<size_t>(lease.partition);
    if (addresses.size() <= partition) addresses.resize(partition + 1);
    if (!lease.owner.empty() && lease.remaining > absl::ZeroDuration()) addresses[partition] = lease.address;
  }
  addresses_ = std::move(addresses);
  read_ = now;
  return addresses_;
}

}  // namespace rivermeet::query
