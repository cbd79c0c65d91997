#include "aggregation/aggregation_module.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "aggregation/aggregation_metrics.h"
#include "aggregation/aggregation_service.h"
#include "aggregation/grpc_aggregation.h"
#include "aggregation/lease_renewer.h"
#include "aggregation/recovery.h"
#include "aggregation/snapshotter.h"
#include "base/mutex.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "catalog/lease_store.h"
#include "catalog/stream_store.h"
#include "fmt/format.h"
#include "telemetry/logging.h"

namespace rivermeet::aggregation {
namespace {

constexpr int kReaderThreads = 2;
constexpr size_t kWaitingReads = 256;
// Partitions that are restored side by side.
constexpr int kRestorers = 4;
constexpr size_t kWaitingRestores = 4'096;
// Of one read or query of a restore. Who stops waits no longer for those under way.
constexpr absl::Duration kRestoreStep = absl::Seconds(10);
constexpr absl::Duration kChoresEvery = absl::Seconds(30);
// How soon a deleted stream and another retention are noticed.
constexpr absl::Duration kStreamsEvery = absl::Seconds(1);
// Longer than any reader is at a segment that it was told of.
constexpr absl::Duration kSegmentGrace = absl::Minutes(2);
constexpr int kRemovedAtOnce = 1'000;
// How long an owner answers without a catalog, when nobody else can have its log.
constexpr absl::Duration kAloneFor = absl::Minutes(5);

struct Settings {
  absl::Duration lease = absl::Seconds(9);
  absl::Duration renewal = absl::Seconds(3);
  std::string owner;
  uint64_t hot_bytes = uint64_t{1} << 30;
  uint64_t snapshot_bytes = uint64_t{256} << 20;
  windows::FoldOptions fold;
  SnapshotterOptions snapshots;
};

absl::Status CheckRange(std::string_view name, absl::Duration value, absl::Duration least, absl::Duration most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("aggregation.{} is {}: it has to be from {} to {}", name,
                                                absl::FormatDuration(value), absl::FormatDuration(least),
                                                absl::FormatDuration(most)));
}

absl::Status CheckRange(std::string_view name, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("aggregation.{} is {}: it has to be from {} to {}", name, value, least, most));
}

absl::StatusOr<Settings> ReadSettings(const config::v1::AggregationConfig& config) {
  Settings settings;
  absl::Duration watermark_delay = absl::Microseconds(settings.fold.watermark_delay_us);
  absl::Duration lateness = absl::Microseconds(settings.fold.default_lateness_us);
  if (config.has_snapshot_interval()) settings.snapshots.interval = FromProto(config.snapshot_interval());
  if (config.has_hot_age()) settings.snapshots.hot_age = FromProto(config.hot_age());
  if (config.has_watermark_delay()) watermark_delay = FromProto(config.watermark_delay());
  if (config.has_allowed_lateness()) lateness = FromProto(config.allowed_lateness());
  if (config.has_lease()) settings.lease = FromProto(config.lease());
  if (config.has_lease_renewal()) settings.renewal = FromProto(config.lease_renewal());
  if (config.snapshot_bytes() > 0) settings.snapshot_bytes = config.snapshot_bytes();
  if (config.hot_bytes() > 0) settings.hot_bytes = config.hot_bytes();
  if (config.max_series() > 0) settings.fold.max_series = config.max_series();
  settings.owner = config.owner_name();
  const absl::Duration day = absl::Hours(24);
  RM_RETURN_IF_ERROR(CheckRange("snapshot_interval", settings.snapshots.interval, absl::Milliseconds(10), day));
  RM_RETURN_IF_ERROR(CheckRange("hot_age", settings.snapshots.hot_age, absl::ZeroDuration(), 30 * day));
  RM_RETURN_IF_ERROR(CheckRange("watermark_delay", watermark_delay, absl::ZeroDuration(), day));
  RM_RETURN_IF_ERROR(CheckRange("allowed_lateness", lateness, absl::ZeroDuration(), day));
  RM_RETURN_IF_ERROR(CheckRange("lease", settings.lease, absl::Seconds(1), absl::Minutes(10)));
  RM_RETURN_IF_ERROR(CheckRange("lease_renewal", settings.renewal, absl::Milliseconds(100), settings.lease / 2));
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  RM_RETURN_IF_ERROR(CheckRange("snapshot_bytes", settings.snapshot_bytes, kMiB, kMiB << 20));
  RM_RETURN_IF_ERROR(CheckRange("hot_bytes", settings.hot_bytes, kMiB, kMiB << 20));
  RM_RETURN_IF_ERROR(CheckRange("max_series", settings.fold.max_series, 1, 100'000'000));
  if (settings.owner.empty()) return absl::InvalidArgumentError("aggregation.owner_name is empty");
  settings.fold.watermark_delay_us = absl::ToInt64Microseconds(watermark_delay);
  settings.fold.default_lateness_us = absl::ToInt64Microseconds(lateness);
  return settings;
}

}  // namespace

class AggregationModule::Keeper {
 public:
  Keeper(Settings settings, const AggregationDependencies& dependencies)
      : settings_(std::move(settings)),
        needs_(dependencies),
        metrics_(*needs_.registry),
        service_(metrics_),
        leases_(*needs_.database, "events", settings_.lease),
        snapshots_(*needs_.database),
        manifest_(*needs_.database),
        streams_(*needs_.database),
        pool_(kReaderThreads, kWaitingReads),
        grpc_(service_, pool_, *needs_.authorizer),
        sources_{*needs_.log, *needs_.objects, snapshots_, manifest_},
        // Nobody else can have a log that is this process's alone.
        renewer_({settings_.owner, settings_.renewal, needs_.exclusive_log ? kAloneFor : settings_.lease, needs_.clock},
                 leases_, [this](const catalog::Lease& lease) { OnLost(lease); }),
        restorers_(std::in_place, kRestorers, kWaitingRestores) {}
  ~Keeper() { Stop(absl::Now() + absl::Seconds(10)); }

  grpc::Service& service() { return grpc_; }

  absl::Status Start(const std::string& address, absl::Time deadline) {
    address_ = address;
    RM_RETURN_IF_ERROR(leases_.EnsurePartitions(static_cast<int32_t>(needs_.log->partitions()), deadline));
    RefreshStreams(deadline);
    renewer_.Start();
    RM_RETURN_IF_ERROR(TakeFree(true, deadline));
    thread_ = std::thread([this] { Loop(); });
    return AwaitRestored(deadline);
  }

  void Stop(absl::Time deadline) {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      changed_.NotifyAll();
    }
    if (thread_.joinable()) thread_.join();
    // All stop folding before the first takes its time to write.
    for (auto& [partition, owned] : owned_) TakeDown(*owned.owner);
    for (auto& [partition, owned] : owned_) {
      owned.snapshotter->Join();
      const absl::Status taken = owned.snapshotter->Take(deadline);
      const absl::Status released = GiveBack(owned.lease, deadline);
      telemetry::Log(telemetry::Level::kInfo, "partition given back",
                     {{"partition", partition}, {"snapshot", taken}, {"lease", released}});
    }
    owned_.clear();
    restorers_.reset();
    std::map<uint32_t, catalog::Lease> restoring;
    {
      MutexLock lock(mutex_);
      restoring.swap(restoring_);
      restored_.clear();
    }
    for (const auto& [partition, lease] : restoring) GiveBack(lease, deadline).IgnoreError();
    renewer_.Stop();
  }

 private:
  struct Owned {
    catalog::Lease lease;
    std::shared_ptr<PartitionOwner> owner;
    std::unique_ptr<Snapshotter> snapshotter;
  };
  struct Restored {
    catalog::Lease lease;
    absl::StatusOr<Owned> owned;
  };

  // Leases are taken at once and renewed from then on; restoring takes its time, elsewhere.
  absl::Status TakeFree(bool restarted, absl::Time deadline) {
    size_t had = owned_.size();
    {
      MutexLock lock(mutex_);
      had += restoring_.size();
    }
    const int free = static_cast<int>(needs_.log->partitions() - had);
    if (free == 0) return absl::OkStatus();
    const absl::Duration asked = needs_.clock->MonotonicNow();
    RM_ASSIGN_OR_RETURN(const auto leases, leases_.AcquireFree(settings_.owner, address_, free, restarted, deadline));
    for (const catalog::Lease& lease : leases) {
      // Lost and given back before anybody here noticed.
      const auto before = owned_.find(static_cast<uint32_t>(lease.partition));
      if (before != owned_.end()) Drop(catalog::Lease(before->second.lease));
      renewer_.Add(lease, asked);
      MutexLock lock(mutex_);
      restoring_[static_cast<uint32_t>(lease.partition)] = lease;
    }
    for (const catalog::Lease& lease : leases) {
      const absl::Status queued = restorers_->Run([this, lease] {
        auto owned = Restore(lease);
        MutexLock lock(mutex_);
        restored_.push_back({lease, std::move(owned)});
        changed_.NotifyAll();
      });
      // The next round takes it again.
      if (!queued.ok()) Settle({lease, queued});
    }
    return absl::OkStatus();
  }

  // What has become of a partition that was being restored.
  void Settle(Restored restored) {
    const uint32_t partition = static_cast<uint32_t>(restored.lease.partition);
    {
      MutexLock lock(mutex_);
      const auto found = restoring_.find(partition);
      // Lost to somebody else in the meantime.
      if (found == restoring_.end() || found->second.epoch != restored.lease.epoch) return;
      restoring_.erase(found);
      if (first_failure_.ok()) first_failure_ = restored.owned.status();
    }
    if (!restored.owned.ok()) {
      GiveBack(restored.lease, absl::Now() + settings_.renewal).IgnoreError();
      telemetry::Log(telemetry::Level::kError, "a partition can't be taken over",
                     {{"partition", partition}, {"status", restored.owned.status()}});
      return;
    }
    Owned& owned = owned_[partition] = *std::move(restored.owned);
    renewer_.Serve(owned.owner);
    service_.Add(owned.owner);
    owned.owner->Start();
    owned.snapshotter->Start();
  }

  // Until every partition that Start() took is served.
  absl::Status AwaitRestored(absl::Time deadline) {
    MutexLock lock(mutex_);
    while (!settled_ && first_failure_.ok()) {
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) {
        return absl::DeadlineExceededError(fmt::format("{} partitions are still being restored", restoring_.size()));
      }
      changed_.WaitFor(mutex_, left);
    }
    return first_failure_;
  }

  // In this order: who found it before is refused by it or closed by Remove().
  void TakeDown(PartitionOwner& owner) {
    owner.Stop();
    service_.Remove(owner.partition());
  }

  absl::Status GiveBack(const catalog::Lease& lease, absl::Time deadline) {
    renewer_.Remove(lease);
    return leases_.Release(lease, deadline);
  }

  absl::StatusOr<Owned> Restore(const catalog::Lease& lease) {
    const auto deadline = [this] {
      MutexLock lock(mutex_);
      return stopping_ ? absl::InfinitePast() : absl::Now() + kRestoreStep;
    };
    const uint32_t partition = static_cast<uint32_t>(lease.partition);
    PartitionMetrics metrics = metrics_.Of(partition);
    RM_ASSIGN_OR_RETURN(Recovered recovered, Recover(partition, sources_, settings_.fold, metrics, deadline));
    const absl::Status cleaned = RemoveOrphans(partition, lease.epoch, sources_, recovered, deadline);
    if (!cleaned.ok()) {
      telemetry::Log(telemetry::Level::kWarn, "left-over objects stay until the next start",
                     {{"partition", partition}, {"status", cleaned}});
    }
    PartitionOwnerOptions options;
    options.partition = partition;
    options.epoch = static_cast<uint64_t>(lease.epoch);
    options.log = needs_.log;
    options.clock = needs_.clock;
    options.hot_bytes = settings_.hot_bytes / needs_.log->partitions();
    options.snapshot_bytes = settings_.snapshot_bytes;
    Owned owned;
    owned.lease = lease;
    owned.owner = std::make_shared<PartitionOwner>(options, std::move(recovered.state), std::move(recovered.manifest),
                                                   metrics, [this] { service_.OnChange(); });
    SnapshotterOptions snapshots = settings_.snapshots;
    snapshots.log_retention = needs_.log_retention;
    snapshots.scratch_folder = needs_.scratch_folder;
    owned.snapshotter = std::make_unique<Snapshotter>(
        snapshots, *owned.owner, sources_, std::move(recovered), [this](uint64_t id) { return RetentionOf(id); },
        metrics, [this, lease] { OnLost(lease); });
    return owned;
  }

  // On a snapshotter's or the renewer's thread: the keeper's own thread takes the owner down.
  void OnLost(const catalog::Lease& lease) {
    MutexLock lock(mutex_);
    lost_.push_back(lease);
    changed_.NotifyAll();
  }

  void Loop() {
    absl::Duration next_round = needs_.clock->MonotonicNow() + settings_.renewal;
    absl::Duration next_chores = needs_.clock->MonotonicNow() + kChoresEvery;
    std::vector<catalog::Lease> lost;
    std::vector<Restored> restored;
    while (Sleep(std::min(next_round, needs_.clock->MonotonicNow() + kStreamsEvery), lost, restored)) {
      for (const catalog::Lease& lease : lost) Drop(lease);
      for (Restored& one : restored) Settle(std::move(one));
      // Also of streams that were deleted since a snapshot that was restored.
      RefreshStreams(absl::Now() + std::min(settings_.renewal, kStreamsEvery));
      SetSettled();
      const absl::Time measured_by = absl::Now() + kStreamsEvery;
      for (const auto& [partition, owned] : owned_) owned.owner->MeasureLag(measured_by);
      if (lost.empty() && needs_.clock->MonotonicNow() < next_round) continue;
      next_round = needs_.clock->MonotonicNow() + settings_.renewal;
      const absl::Status taken = TakeFree(false, absl::Now() + settings_.lease);
      if (!taken.ok() && taken.code() != absl::StatusCode::kUnavailable) {
        telemetry::Log(telemetry::Level::kError, "free partitions can't be taken", {{"status", taken}});
      }
      if (needs_.clock->MonotonicNow() >= next_chores) {
        next_chores = needs_.clock->MonotonicNow() + kChoresEvery;
        RemoveSegments();
      }
    }
  }

  // Until then, or until a partition is lost or restored; false when it is time to stop.
  bool Sleep(absl::Duration until, std::vector<catalog::Lease>& lost, std::vector<Restored>& restored) {
    lost.clear();
    restored.clear();
    MutexLock lock(mutex_);
    while (!stopping_ && lost_.empty() && restored_.empty() && (settled_ || !restoring_.empty())) {
      const absl::Duration left = until - needs_.clock->MonotonicNow();
      if (left <= absl::ZeroDuration()) break;
      changed_.WaitFor(mutex_, left);
    }
    lost_.swap(lost);
    restored_.swap(restored);
    return !stopping_;
  }

  void SetSettled() {
    MutexLock lock(mutex_);
    if (settled_ || !restoring_.empty()) return;
    settled_ = true;
    changed_.NotifyAll();
  }

  // The partition is somebody else's: nothing of it is written any more.
  void Drop(const catalog::Lease& lease) {
    const uint32_t partition = static_cast<uint32_t>(lease.partition);
    renewer_.Remove(lease);
    {
      MutexLock lock(mutex_);
      const auto found = restoring_.find(partition);
      if (found != restoring_.end() && found->second.epoch == lease.epoch) restoring_.erase(found);
    }
    const auto found = owned_.find(partition);
    if (found == owned_.end() || found->second.lease.epoch != lease.epoch) return;
    telemetry::Log(telemetry::Level::kWarn, "partition lost to another owner",
                   {{"partition", partition}, {"epoch", lease.epoch}});
    TakeDown(*found->second.owner);
    found->second.snapshotter->Join();
    owned_.erase(found);
  }

  absl::Duration RetentionOf(uint64_t stream_id) {
    MutexLock lock(mutex_);
    const auto found = retention_.find(stream_id);
    return found == retention_.end() ? absl::InfiniteDuration() : found->second;
  }

  // What the catalog says of streams. An owner that holds a stream which the catalog hasn't got lets go of it: a stream
  // is in the catalog before the first record of it is in the log, so what is missing there afterwards was deleted.
  void RefreshStreams(absl::Time deadline) {
    const auto version = streams_.Version(deadline);
    if (!version.ok()) return;
    // Before the list is read.
    std::map<uint32_t, std::vector<uint64_t>> held;
    bool changed = *version != streams_version_;
    for (const auto& [partition, owned] : owned_) {
      held[partition] = owned.owner->StreamIds();
      for (const uint64_t id : held[partition]) changed = changed || !known_streams_.contains(id);
    }
    if (!changed) return;
    const auto streams = streams_.List("", deadline);
    if (!streams.ok()) return;
    known_streams_.clear();
    {
      MutexLock lock(mutex_);
      retention_.clear();
      for (const catalog::Stream& stream : *streams) retention_[stream.id] = stream.retention;
    }
    for (const catalog::Stream& stream : *streams) known_streams_.insert(stream.id);
    for (auto& [partition, ids] : held) {
      std::erase_if(ids, [&](uint64_t id) { return known_streams_.contains(id); });
      if (ids.empty()) continue;
      owned_.at(partition).owner->Forget(ids);
      telemetry::Log(telemetry::Level::kInfo, "deleted streams have left memory",
                     {{"partition", partition}, {"streams", ids.size()}});
    }
    streams_version_ = *version;
  }

  void RemoveSegments() {
    const absl::Time deadline = absl::Now() + settings_.renewal;
    const auto removed = manifest_.Removed(kSegmentGrace, kRemovedAtOnce, deadline);
    if (!removed.ok() || removed->empty()) return;
    std::vector<std::string> gone;
    for (const catalog::Segment& segment : *removed) {
      if (needs_.objects->Remove(segment.object, deadline).ok()) gone.push_back(segment.object);
    }
    manifest_.Purge(gone, deadline).IgnoreError();
  }

  const Settings settings_;
  const AggregationDependencies needs_;
  std::string address_;
  AggregationMetrics metrics_;
  AggregationService service_;
  catalog::LeaseStore leases_;
  catalog::SnapshotStore snapshots_;
  catalog::ManifestStore manifest_;
  catalog::StreamStore streams_;
  ReaderPool pool_;
  GrpcAggregation grpc_;
  const RecoverySources sources_;
  LeaseRenewer renewer_;
  // Gone once Stop() has given back what is owned.
  std::optional<ReaderPool> restorers_;
  // Of Start(), then of the thread, then of Stop().
  std::map<uint32_t, Owned> owned_;
  int64_t streams_version_ = -1;
  std::set<uint64_t> known_streams_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<catalog::Lease> lost_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, catalog::Lease> restoring_ ABSL_GUARDED_BY(mutex_);
  std::vector<Restored> restored_ ABSL_GUARDED_BY(mutex_);
  // All that Start() took is served.
  bool settled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status first_failure_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, absl::Duration> retention_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

AggregationModule::AggregationModule(std::unique_ptr<Keeper> keeper) : keeper_(std::move(keeper)) {}
AggregationModule::~AggregationModule() = default;

absl::StatusOr<std::unique_ptr<AggregationModule>> AggregationModule::Open(const config::v1::AggregationConfig& config,
                                                                           const AggregationDependencies& dependencies,
                                                                           absl::Time) {
  RM_ASSIGN_OR_RETURN(Settings settings, ReadSettings(config));
  return std::unique_ptr<AggregationModule>(
      new AggregationModule(std::make_unique<Keeper>(std::move(settings), dependencies)));
}

grpc::Service& AggregationModule::service() { return keeper_->service(); }

absl::Status AggregationModule::Start(const std::string& address, absl::Time deadline) {
  return keeper_->Start(address, deadline);
}

void AggregationModule::Stop(absl::Time deadline) { keeper_->Stop(deadline); }

}  // namespace rivermeet::aggregation
