// One life of a partition's owner, for tests that end it by SIGKILL: takes the lease, restores, folds through an
// offset, takes a snapshot, and says what it came to.
//
//   recovery_child LOG_FOLDER OBJECTS_FOLDER SCRATCH_FOLDER CONNECTION THROUGH_OFFSET
#include <cstdio>
#include <cstdlib>

#include "aggregation/recovery.h"
#include "aggregation/snapshotter.h"
#include "aggregation/test_world.h"
#include "base/crc32c.h"
#include "catalog/lease_store.h"
#include "objects/file_object_store.h"

namespace rivermeet::aggregation {
namespace {

int Run(char** arguments) {
  auto log = OpenLog(arguments[1], 1);
  objects::FileObjectStoreOptions object_options;
  object_options.folder = arguments[2];
  auto objects = objects::FileObjectStore::Open(object_options);
  RM_CHECK_OK(objects.status());
  catalog::DatabaseOptions database_options;
  database_options.connection = arguments[4];
  catalog::Database database(database_options);
  const int64_t through = std::atoll(arguments[5]);

  catalog::LeaseStore leases(database);
  catalog::SnapshotStore snapshots(database);
  catalog::ManifestStore manifest(database);
  RM_CHECK_OK(leases.EnsurePartitions(1, Soon()));
  const auto lease = leases.Acquire(0, "child", "nowhere", Soon());
  RM_CHECK_OK(lease.status());
  prometheus::Registry registry;
  AggregationMetrics metrics(registry);
  PartitionMetrics partition_metrics = metrics.Of(0);
  const RecoverySources sources{*log, **objects, snapshots, manifest};
  auto recovered = Recover(0, sources, windows::FoldOptions(), partition_metrics, Soon());
  RM_CHECK_OK(recovered.status());
  RM_CHECK_OK(RemoveOrphans(0, sources, *recovered, Soon()));
  const int64_t restored = recovered->state->through_offset();

  PartitionOwnerOptions options;
  options.epoch = static_cast<uint64_t>(lease->epoch);
  options.log = log.get();
  PartitionOwner owner(options, std::move(recovered->state), std::move(recovered->manifest), partition_metrics, [] {});
  SnapshotterOptions snapshot_options;
  snapshot_options.hot_age = absl::ZeroDuration();
  snapshot_options.scratch_folder = arguments[3];
  Snapshotter snapshotter(
      snapshot_options, owner, sources, std::move(*recovered), [](uint64_t) { return absl::InfiniteDuration(); },
      partition_metrics, [] {});
  // The log holds more than this life is to see: folded by hand up to there.
  owner.FoldThrough(through);
  RM_CHECK_OK(snapshotter.Take(Soon()));

  bool pressed = false;
  const std::string state = windows::EncodeState(owner.Capture(pressed));
  int64_t rows = 0;
  const auto segments = owner.Manifest();
  for (const auto& segment : segments) rows += segment.rows;
  std::printf("restored %lld state %08x bytes %zu segment-rows %lld\n", static_cast<long long>(restored), Crc32c(state),
              state.size(), static_cast<long long>(rows));
  return 0;
}

}  // namespace
}  // namespace rivermeet::aggregation

int main(int count, char** arguments) { return count == 6 ? rivermeet::aggregation::Run(arguments) : 2; }
