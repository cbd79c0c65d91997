#include "aggregation/recovery.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/status.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "segments/segment_reader.h"
#include "telemetry/logging.h"
#include "windows/state_image.h"

namespace rivermeet::aggregation {
namespace {

constexpr size_t kListed = 1'000;

absl::StatusOr<std::unique_ptr<windows::PartitionState>> Load(const catalog::Snapshot& snapshot,
                                                              objects::ObjectStore& objects,
                                                              const windows::FoldOptions& options,
                                                              StepDeadline deadline) {
  auto blob = objects.Get(snapshot.object, deadline());
  if (blob.status().code() == absl::StatusCode::kNotFound) {
    return absl::DataLossError(fmt::format("snapshot {} is missing", snapshot.object));
  }
  if (!blob.ok()) return blob.status();
  auto state = windows::DecodeState(*blob, options);
  if (!state.ok()) return Annotate(state.status(), snapshot.object);
  if ((*state)->through_offset() + 1 != snapshot.offset) {
    return absl::DataLossError(fmt::format("snapshot {} is of offset {}, not {}", snapshot.object,
                                           (*state)->through_offset() + 1, snapshot.offset));
  }
  return state;
}

// Out of the way, so that what was passed over once is never trusted again: later commits remove what it named.
void Quarantine(const std::string& object, objects::ObjectStore& objects, StepDeadline deadline) {
  const auto blob = objects.Get(object, deadline());
  if (!blob.ok() || !objects.Put("damaged/" + object, *blob, deadline()).ok()) return;
  objects.Remove(object, deadline()).IgnoreError();
}

// The segments that a replay can make anew: those of after the earliest state that the log still reaches.
std::vector<catalog::Segment> Replayable(const std::vector<catalog::Segment>& segments,
                                         const std::vector<catalog::Snapshot>& snapshots,
                                         const eventlog::OffsetRange& range) {
  int64_t earliest = range.first == 0 ? 0 : INT64_MAX;
  for (const catalog::Snapshot& snapshot : snapshots) {
    if (snapshot.offset >= range.first) earliest = std::min(earliest, snapshot.offset);
  }
  std::vector<catalog::Segment> found;
  std::copy_if(segments.begin(), segments.end(), std::back_inserter(found),
               [&](const catalog::Segment& segment) { return segment.end_offset > earliest; });
  return found;
}

absl::StatusOr<std::vector<catalog::Segment>> FindDamaged(const std::vector<catalog::Segment>& segments,
                                                          const RecoverySources& sources, PartitionMetrics& metrics,
                                                          StepDeadline deadline) {
  std::vector<catalog::Segment> damaged;
  for (const catalog::Segment& segment : segments) {
    const absl::Status status = segments::CheckSegmentObject(sources.objects, segment.object, deadline());
    if (status.ok()) continue;
    if (!absl::IsDataLoss(status)) return status;
    metrics.damaged_segments.Increment();
    telemetry::Log(telemetry::Level::kError, "a segment is damaged",
                   {{"partition", segment.partition}, {"segment", segment.object}, {"status", status}});
    damaged.push_back(segment);
  }
  return damaged;
}

// The newest whole state; when the log reaches one of before `below`, the newest of those. An empty one when there is
// none, or when only the whole log gives one of before `below`. `last` is what was wrong with the last one passed over.
absl::StatusOr<std::unique_ptr<windows::PartitionState>> ChooseState(uint32_t partition, const RecoverySources& sources,
                                                                     const std::vector<catalog::Snapshot>& snapshots,
                                                                     int64_t below, int64_t log_first,
                                                                     const windows::FoldOptions& options,
                                                                     PartitionMetrics& metrics, absl::Status& last,
                                                                     StepDeadline deadline) {
  std::unique_ptr<windows::PartitionState> chosen;
  for (const catalog::Snapshot& snapshot : snapshots) {
    if (chosen != nullptr && (snapshot.offset >= below || snapshot.offset < log_first)) continue;
    auto state = Load(snapshot, sources.objects, options, deadline);
    if (state.ok()) {
      chosen = std::move(state).value();
      if (snapshot.offset < below) return chosen;
      continue;
    }
    last = state.status();
    if (last.code() != absl::StatusCode::kDataLoss) return last;
    metrics.damaged_snapshots.Increment();
    telemetry::Log(telemetry::Level::kError, "a snapshot is damaged: an older one and a longer replay take its place",
                   {{"partition", partition}, {"snapshot", snapshot.object}, {"status", last}});
    Quarantine(snapshot.object, sources.objects, deadline);
  }
  if (chosen == nullptr || log_first == 0) return std::make_unique<windows::PartitionState>(options);
  return chosen;
}

// Of the owner that wrote the object; of another name than ours none.
std::optional<int64_t> EpochOf(std::string_view object) {
  const size_t at = object.find("-e", object.rfind('/') + 1);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = object.substr(at + 2);
  int64_t epoch = 0;
  if (!ParseNumber(rest.substr(0, rest.find('.')), epoch)) return std::nullopt;
  return epoch;
}

absl::Status RemoveUnnamed(objects::ObjectStore& objects, const std::string& prefix, const std::set<std::string>& named,
                           int64_t epoch, uint64_t& removed, StepDeadline deadline) {
  std::string after;
  while (true) {
    RM_ASSIGN_OR_RETURN(const auto page, objects.List(prefix, after, kListed, deadline()));
    for (const objects::ObjectInfo& object : page) {
      if (named.contains(object.key) || EpochOf(object.key).value_or(epoch) >= epoch) continue;
      RM_RETURN_IF_ERROR(objects.Remove(object.key, deadline()));
      ++removed;
    }
    if (page.size() < kListed) return absl::OkStatus();
    after = page.back().key;
  }
}

}  // namespace

std::string SnapshotFolder(uint32_t partition) { return fmt::format("snapshots/events/p{}/", partition); }

std::string SnapshotObject(uint32_t partition, int64_t offset, uint64_t epoch) {
  return fmt::format("{}{:020}-e{}.rms", SnapshotFolder(partition), offset, epoch);
}

std::string SegmentObject(const catalog::Segment& segment, uint64_t epoch) {
  return fmt::format("segments/p{}/{}/{}s/{:020}-{:020}-e{}", segment.partition, segment.stream_id,
                     absl::ToInt64Seconds(segment.resolution), segment.first_offset, segment.end_offset, epoch);
}

absl::StatusOr<Recovered> Recover(uint32_t partition, const RecoverySources& sources,
                                  const windows::FoldOptions& options, PartitionMetrics& metrics,
                                  StepDeadline deadline) {
  Recovered recovered;
  RM_ASSIGN_OR_RETURN(recovered.snapshots, sources.snapshots.List(static_cast<int32_t>(partition), deadline()));
  RM_ASSIGN_OR_RETURN(const eventlog::OffsetRange range, sources.log.Range(partition, deadline()));
  if (!recovered.snapshots.empty()) recovered.committed_offset = recovered.snapshots.front().offset;
  if (range.end < recovered.committed_offset) {
    return absl::DataLossError(
        fmt::format("the log of partition {} ends at offset {}, but records up to offset {} were folded from it: it is "
                    "another log, or it was cut; restore it from a copy, or begin with a new data folder and catalog",
                    partition, range.end, recovered.committed_offset));
  }
  RM_ASSIGN_OR_RETURN(std::vector<catalog::Segment> segments,
                      sources.manifest.List({.partition = static_cast<int32_t>(partition)}, deadline()));
  RM_ASSIGN_OR_RETURN(const std::vector<catalog::Segment> damaged,
                      FindDamaged(Replayable(segments, recovered.snapshots, range), sources, metrics, deadline));
  // A state of before the first damaged segment still holds what went into it.
  int64_t below = INT64_MAX;
  for (const catalog::Segment& segment : damaged) below = std::min(below, segment.end_offset);
  absl::Status last;
  RM_ASSIGN_OR_RETURN(recovered.state, ChooseState(partition, sources, recovered.snapshots, below, range.first, options,
                                                   metrics, last, deadline));
  const int64_t next = recovered.state->through_offset() + 1;
  if (range.first > next && !(recovered.snapshots.empty() && next == 0)) {
    return absl::DataLossError(fmt::format(
        "partition {} can be restored up to offset {} only, but its log begins at {}: restore a snapshot or the log "
        "from a copy ({})",
        partition, next, range.first, last.ok() ? "the snapshot is older than the log" : MessageOf(last)));
  }
  for (const catalog::Segment& segment : damaged) {
    // Of one that stays every read says that it is damaged.
    if (segment.end_offset > next) Quarantine(segment.object, sources.objects, deadline);
  }
  if (next < recovered.committed_offset) recovered.replayed_from = next;
  for (catalog::Segment& segment : segments) {
    (segment.end_offset > next ? recovered.superseded : recovered.manifest).push_back(std::move(segment));
  }
  metrics.replayed_records.Set(static_cast<double>(std::max<int64_t>(0, range.end - next)));
  telemetry::Log(telemetry::Level::kInfo, "partition restored",
                 {{"partition", partition},
                  {"next_offset", next},
                  {"log_end", range.end},
                  {"replay", std::max<int64_t>(0, range.end - next)},
                  {"segments", recovered.manifest.size()},
                  {"superseded", recovered.superseded.size()}});
  return recovered;
}

absl::Status RemoveOrphans(uint32_t partition, int64_t epoch, const RecoverySources& sources,
                           const Recovered& recovered, StepDeadline deadline) {
  std::set<std::string> named;
  for (const catalog::Snapshot& snapshot : recovered.snapshots) named.insert(snapshot.object);
  for (const auto* segments : {&recovered.manifest, &recovered.superseded}) {
    for (const catalog::Segment& segment : *segments) named.insert(segment.object);
  }
  // Readers may still be at those that were removed a moment ago; they have their own time.
  RM_ASSIGN_OR_RETURN(const auto leaving, sources.manifest.Removed(absl::ZeroDuration(), 1'000'000, deadline()));
  for (const catalog::Segment& segment : leaving) named.insert(segment.object);
  uint64_t removed = 0;
  RM_RETURN_IF_ERROR(RemoveUnnamed(sources.objects, SnapshotFolder(partition), named, epoch, removed, deadline));
  RM_RETURN_IF_ERROR(
      RemoveUnnamed(sources.objects, fmt::format("segments/p{}/", partition), named, epoch, removed, deadline));
  if (removed > 0) {
    telemetry::Log(telemetry::Level::kInfo, "objects left over from a crash removed",
                   {{"partition", partition}, {"objects", removed}});
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::aggregation
