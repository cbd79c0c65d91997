#include "aggregation/snapshotter.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/status.h"
#include "fmt/format.h"
#include "segments/segment_reader.h"
#include "segments/segment_writer.h"
#include "telemetry/logging.h"
#include "windows/state_image.h"

namespace rivermeet::aggregation {
namespace {

constexpr int64_t kResolutionsUs[] = {1'000'000, 10'000'000, 60'000'000};
// The catalog keeps so many snapshots; the log is never cut beyond the oldest of them.
constexpr size_t kKeptSnapshots = 3;
constexpr absl::Duration kRetryPause = absl::Seconds(1);

// Up to where the stream's panes can be stored; kNoTime when it isn't worth while yet.
int64_t StorableUntil(const windows::StreamView& view, int64_t hot_age_us) {
  if (view.panes.empty() || view.closed_until_us == windows::kNoTime) return windows::kNoTime;
  const int64_t aged = view.closed_until_us - hot_age_us;
  const int64_t rest = aged % windows::kLongestRollupUs;
  const int64_t until = aged - (rest < 0 ? rest + windows::kLongestRollupUs : rest);
  // Not minute by minute: files of at least the time that windows stay in memory.
  const int64_t least = std::max(hot_age_us, windows::kLongestRollupUs);
  const int64_t first = view.panes.front()->start_us();
  return until - first / windows::kLongestRollupUs * windows::kLongestRollupUs >= least ? until : windows::kNoTime;
}

}  // namespace

// What one snapshot does besides writing the state.
struct Snapshotter::Work {
  std::vector<StoredPart> stored;
  std::vector<catalog::Segment> added;
  std::vector<catalog::Segment> removed;
  // What was put, or may have been.
  std::vector<std::string> objects;
  // Once a commit's outcome wasn't known: the catalog may name the objects.
  bool unclear = false;
};

Snapshotter::Snapshotter(SnapshotterOptions options, PartitionOwner& owner, RecoverySources sources,
                         Recovered recovered, RetentionOf retention_of, PartitionMetrics metrics,
                         std::function<void()> on_fenced)
    : options_(std::move(options)),
      owner_(owner),
      sources_(sources),
      retention_of_(std::move(retention_of)),
      metrics_(metrics),
      on_fenced_(std::move(on_fenced)),
      superseded_(std::move(recovered.superseded)),
      replayed_from_(recovered.replayed_from),
      committed_offset_(recovered.committed_offset) {
  for (auto snapshot = recovered.snapshots.rbegin(); snapshot != recovered.snapshots.rend(); ++snapshot) {
    history_.emplace_back(snapshot->offset, snapshot->committed);
  }
}

Snapshotter::~Snapshotter() { Join(); }

void Snapshotter::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Snapshotter::Join() {
  if (thread_.joinable()) thread_.join();
}

void Snapshotter::Loop() {
  absl::Duration wait = options_.interval;
  while (owner_.WaitForSnapshotTime(wait)) {
    const absl::Status status = Take(absl::Now() + options_.timeout);
    wait = status.ok() ? options_.interval : std::min(options_.interval, kRetryPause);
    if (status.ok()) continue;
    metrics_.failed_snapshots.Increment();
    telemetry::Log(telemetry::Level::kWarn, "a snapshot failed",
                   {{"partition", owner_.partition()}, {"status", status}});
    if (status.code() == absl::StatusCode::kFailedPrecondition) {
      on_fenced_();
      return;
    }
    owner_.RetrySnapshot();
  }
}

absl::Status Snapshotter::Take(absl::Time deadline) {
  if (unclear_) return absl::UnavailableError("whether the last snapshot was committed is known at the next start");
  const absl::Time began = absl::Now();
  bool pressed = false;
  windows::StateImage image = owner_.Capture(pressed);
  const int64_t offset = image.through_offset + 1;
  // While an older snapshot's replay has not caught up there is nothing to be gained.
  if (offset == 0 || offset < committed_offset_ || image.through_offset == committed_through_) return absl::OkStatus();

  Work work;
  work.removed = superseded_;
  const absl::Status written = Write(image, pressed, work, deadline);
  if (!written.ok()) {
    unclear_ = work.unclear;
    if (!unclear_) Discard(work);
    return written;
  }
  metrics_.snapshots.Increment();
  const absl::Time now = absl::Now();
  metrics_.snapshot_seconds.Set(absl::ToDoubleSeconds(now - began));
  metrics_.snapshot_time.Set(absl::ToDoubleSeconds(now - absl::UnixEpoch()));
  return absl::OkStatus();
}

absl::Status Snapshotter::Write(windows::StateImage& image, bool pressed, Work& work, absl::Time deadline) {
  const int64_t offset = image.through_offset + 1;
  RM_RETURN_IF_ERROR(WriteSegments(image, pressed, work, deadline));
  Expire(image, owner_.Manifest(), work);

  const std::string blob = windows::EncodeState(image);
  catalog::SnapshotCommit commit;
  commit.snapshot.partition = static_cast<int32_t>(owner_.partition());
  commit.snapshot.epoch = static_cast<int64_t>(owner_.epoch());
  commit.snapshot.offset = offset;
  commit.snapshot.object = SnapshotObject(owner_.partition(), offset, owner_.epoch());
  commit.snapshot.bytes = static_cast<int64_t>(blob.size());
  commit.added = work.added;
  commit.removed = work.removed;
  commit.replayed_from = replayed_from_;
  CrashPoint("snapshot.before_put");
  work.objects.push_back(commit.snapshot.object);
  RM_RETURN_IF_ERROR(sources_.objects.Put(commit.snapshot.object, blob, deadline));
  CrashPoint("snapshot.after_put");
  CrashPoint("snapshot.before_commit");
  RM_ASSIGN_OR_RETURN(const catalog::Committed committed, Commit(commit, work, deadline));
  CrashPoint("snapshot.after_commit");

  // Segments of a deleted stream are not taken in.
  std::erase_if(work.added, [&](const catalog::Segment& segment) {
    return std::find(committed.obsolete_objects.begin(), committed.obsolete_objects.end(), segment.object) !=
           committed.obsolete_objects.end();
  });
  owner_.Install(work.stored, work.added, work.removed);
  superseded_.clear();
  std::erase_if(history_, [&](const auto& snapshot) { return snapshot.first > replayed_from_; });
  replayed_from_ = INT64_MAX;
  committed_offset_ = offset;
  committed_through_ = image.through_offset;
  image = windows::StateImage();
  CleanUp(committed, commit.snapshot, deadline);
  metrics_.snapshot_bytes.Set(static_cast<double>(blob.size()));
  return absl::OkStatus();
}

absl::Status Snapshotter::WriteSegments(windows::StateImage& image, bool press, Work& work, absl::Time deadline) {
  const int64_t hot_age_us = press ? 0 : absl::ToInt64Microseconds(options_.hot_age);
  for (windows::StreamImage& stream : image.streams) {
    const int64_t until = StorableUntil(stream.view, hot_age_us);
    if (until == windows::kNoTime) continue;
    RM_RETURN_IF_ERROR(WriteStream(stream, until, image.through_offset + 1, work, deadline));
  }
  return absl::OkStatus();
}

absl::Status Snapshotter::WriteStream(windows::StreamImage& stream, int64_t until_us, int64_t end_offset, Work& work,
                                      absl::Time deadline) {
  windows::StreamView& view = stream.view;
  int64_t first_offset = 0;
  for (const catalog::Segment& segment : owner_.Manifest()) {
    if (segment.stream_id == view.stream_id) first_offset = std::max(first_offset, segment.end_offset);
  }
  if (first_offset >= end_offset) return absl::OkStatus();
  std::error_code ignored;
  std::filesystem::create_directories(options_.scratch_folder, ignored);
  StoredPart part{view.stream_id, until_us, nullptr};
  for (const int64_t resolution_us : kResolutionsUs) {
    catalog::Segment segment;
    segment.stream_id = view.stream_id;
    segment.tenant = view.tenant;
    segment.partition = static_cast<int32_t>(owner_.partition());
    segment.resolution = absl::Microseconds(resolution_us);
    segment.first_offset = first_offset;
    segment.end_offset = end_offset;
    const std::string path =
        fmt::format("{}/p{}-{}-{}.parquet", options_.scratch_folder, owner_.partition(), view.stream_id, resolution_us);
    CrashPoint("segment.before_write");
    RM_ASSIGN_OR_RETURN(const segments::WrittenSegment written,
                        segments::WriteSegment(path, view, resolution_us, until_us));
    if (written.rows == 0) return absl::OkStatus();
    part.carry = written.carry;
    segment.first_window_us = written.first_window_us;
    segment.last_window_us = written.last_window_us;
    segment.rows = written.rows;
    segment.bytes = written.bytes;
    segment.object = SegmentObject(segment, owner_.epoch()) + segments::SegmentObjectSuffix(written.crc32c);
    work.objects.push_back(segment.object);
    RM_RETURN_IF_ERROR(sources_.objects.PutFile(segment.object, path, deadline));
    std::filesystem::remove(path, ignored);
    CrashPoint("segment.after_write");
    metrics_.segments.Increment();
    metrics_.segment_rows.Increment(static_cast<double>(written.rows));
    work.added.push_back(std::move(segment));
  }
  std::erase_if(view.panes, [&](const auto& pane) { return pane->start_us() < until_us; });
  view.carry = part.carry;
  view.stored_until_us = std::max(view.stored_until_us, until_us);
  work.stored.push_back(std::move(part));
  return absl::OkStatus();
}

// Retention counts back from the watermark: what the stream calls now.
void Snapshotter::Expire(const windows::StateImage& image, const std::vector<catalog::Segment>& manifest, Work& work) {
  for (const windows::StreamImage& stream : image.streams) {
    const absl::Duration retention = retention_of_(stream.view.stream_id);
    if (retention == absl::InfiniteDuration() || stream.view.watermark_us == windows::kNoTime) continue;
    const int64_t before_us = stream.view.watermark_us - absl::ToInt64Microseconds(retention);
    for (const catalog::Segment& segment : manifest) {
      if (segment.stream_id == stream.view.stream_id &&
          segment.last_window_us + absl::ToInt64Microseconds(segment.resolution) <= before_us) {
        work.removed.push_back(segment);
      }
    }
  }
}

void Snapshotter::Discard(const Work& work) {
  const absl::Time deadline = absl::Now() + options_.timeout;
  // What stays all the same is an object that nobody names: the next start removes it.
  for (const std::string& object : work.objects) sources_.objects.Remove(object, deadline).IgnoreError();
}

absl::StatusOr<catalog::Committed> Snapshotter::Commit(const catalog::SnapshotCommit& commit, Work& work,
                                                       absl::Time deadline) {
  while (true) {
    auto committed = sources_.snapshots.Commit(commit, deadline);
    deadline = absl::Now() + options_.timeout;
    const absl::StatusCode code = committed.status().code();
    work.unclear =
        work.unclear || code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kDeadlineExceeded;
    // Once it isn't known, only these two say what has become of it; whatever else the catalog answers may pass.
    if (committed.ok() || code == absl::StatusCode::kFailedPrecondition || !work.unclear) return committed;
    telemetry::Log(telemetry::Level::kWarn, "the snapshot's commit is tried again: its outcome isn't known",
                   {{"partition", owner_.partition()}, {"status", committed.status()}});
    if (!owner_.Pause(kRetryPause)) return committed;
  }
}

void Snapshotter::CleanUp(const catalog::Committed& committed, const catalog::Snapshot& snapshot, absl::Time deadline) {
  for (const std::string& object : committed.obsolete_objects) {
    // A failure leaves an object that nobody names: the next start removes it.
    sources_.objects.Remove(object, deadline).IgnoreError();
  }
  CrashPoint("snapshot.after_cleanup");
  history_.emplace_back(snapshot.offset, absl::Now());
  // The newest snapshot that is older than the log has to be kept for, if two newer ones would still find their log.
  int64_t delete_before = -1;
  while (history_.size() > kKeptSnapshots && absl::Now() - history_.front().second >= options_.log_retention) {
    delete_before = history_.front().first;
    history_.pop_front();
  }
  if (delete_before <= 0) return;
  const absl::Status deleted = sources_.log.DeleteBefore(owner_.partition(), delete_before);
  if (!deleted.ok()) {
    telemetry::Log(telemetry::Level::kWarn, "old log not removed yet",
                   {{"partition", owner_.partition()}, {"status", deleted}});
  }
}

}  // namespace rivermeet::aggregation
