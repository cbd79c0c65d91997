// Keeps a process's leases while its other threads do what takes time.
#ifndef RIVERMEET_AGGREGATION_LEASE_RENEWER_H_
#define RIVERMEET_AGGREGATION_LEASE_RENEWER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "aggregation/partition_owner.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/stop_signal.h"
#include "catalog/lease_store.h"

namespace rivermeet::aggregation {

struct LeaseRenewerOptions {
  std::string owner;
  absl::Duration renewal = catalog::kLeaseRenewal;
  // How long after it asked for its lease an owner may answer.
  absl::Duration serving_time = catalog::kLeaseTime;
  const Clock* clock = &Clock::System();
};

// Thread-safe.
class LeaseRenewer {
 public:
  // `leases` outlives this. `on_lost` is called on this object's thread, once for each lease that is somebody else's.
  LeaseRenewer(LeaseRenewerOptions options, catalog::LeaseStore& leases,
               std::function<void(const catalog::Lease&)> on_lost);
  ~LeaseRenewer();

  void Start();
  void Stop();

  // Renews it from now on. `asked`: the monotonic time before it was asked for.
  void Add(const catalog::Lease& lease, absl::Duration asked);
  // Lets the partition's owner answer for as long as the lease lasts. An owner whose lease is lost already never does.
  void Serve(std::shared_ptr<PartitionOwner> owner);
  void Remove(const catalog::Lease& lease);

 private:
  struct Held {
    catalog::Lease lease;
    absl::Duration asked;
    std::shared_ptr<PartitionOwner> owner;  // null while it is restored
  };

  void Loop();
  void Renew();

  const LeaseRenewerOptions options_;
  catalog::LeaseStore& leases_;
  const std::function<void(const catalog::Lease&)> on_lost_;
  StopSignal stop_;
  Mutex mutex_;
  std::map<uint32_t, Held> held_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_LEASE_RENEWER_H_
