// For tests: one life of a partition's owner, driven by hand from its lease to its last snapshot.
#ifndef RIVERMEET_AGGREGATION_OWNER_LIFE_H_
#define RIVERMEET_AGGREGATION_OWNER_LIFE_H_

#include <memory>
#include <string>
#include <utility>

#include "aggregation/recovery.h"
#include "aggregation/snapshotter.h"
#include "aggregation/test_world.h"
#include "catalog/lease_store.h"

namespace rivermeet::aggregation {

class OwnerLife {
 public:
  OwnerLife(eventlog::EventLog& log, objects::ObjectStore& objects, catalog::Database& database, std::string scratch)
      : log_(log),
        leases_(database),
        snapshots_(database),
        manifest_(database),
        metrics_(registry_),
        partition_metrics_(metrics_.Of(0)),
        sources_{log, objects, snapshots_, manifest_},
        scratch_(std::move(scratch)) {}

  // Takes the lease of partition 0 and restores.
  absl::Status Begin() {
    RM_RETURN_IF_ERROR(leases_.EnsurePartitions(1, Soon()));
    RM_ASSIGN_OR_RETURN(const auto lease, leases_.Acquire(0, "child", "nowhere", Soon()));
    RM_ASSIGN_OR_RETURN(auto recovered, Recover(0, sources_, windows::FoldOptions(), partition_metrics_, Soon));
    RM_RETURN_IF_ERROR(RemoveOrphans(0, lease.epoch, sources_, recovered, Soon));
    restored_ = recovered.state->through_offset();
    PartitionOwnerOptions options;
    options.epoch = static_cast<uint64_t>(lease.epoch);
    options.log = &log_;
    owner_ = std::make_shared<PartitionOwner>(options, std::move(recovered.state), std::move(recovered.manifest),
                                              partition_metrics_, [] {});
    SnapshotterOptions snapshots;
    snapshots.hot_age = absl::ZeroDuration();
    snapshots.scratch_folder = scratch_;
    snapshotter_ = std::make_unique<Snapshotter>(
        snapshots, *owner_, sources_, std::move(recovered), [](uint64_t) { return absl::InfiniteDuration(); },
        partition_metrics_, [] {});
    return absl::OkStatus();
  }

  int64_t restored() const { return restored_; }
  const std::shared_ptr<PartitionOwner>& owner() const { return owner_; }
  Snapshotter& snapshotter() { return *snapshotter_; }
  AggregationMetrics& metrics() { return metrics_; }
  PartitionMetrics& partition_metrics() { return partition_metrics_; }

 private:
  eventlog::EventLog& log_;
  catalog::LeaseStore leases_;
  catalog::SnapshotStore snapshots_;
  catalog::ManifestStore manifest_;
  prometheus::Registry registry_;
  AggregationMetrics metrics_;
  PartitionMetrics partition_metrics_;
  const RecoverySources sources_;
  const std::string scratch_;
  int64_t restored_ = -2;
  std::shared_ptr<PartitionOwner> owner_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_OWNER_LIFE_H_
