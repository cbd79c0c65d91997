#include "eventlog/internal/partition_log.h"

#include <algorithm>
#include <utility>

#include "base/crash_point.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::eventlog::internal {
namespace {

// A kill leaves at most so much of the last segment to be scanned.
constexpr int64_t kIndexSaveBytes = 32 << 20;

absl::Status NothingAppended(const absl::Status& why) {
  const absl::Status annotated = Annotate(why, "nothing was appended");
  return absl::IsResourceExhausted(why) ? annotated : absl::UnavailableError(annotated.message());
}

}  // namespace

absl::StatusOr<std::unique_ptr<PartitionLog>> PartitionLog::Open(const LocalEventLogOptions& options,
                                                                 PartitionId partition, Counters& counters,
                                                                 TimerThread& timer,
                                                                 std::vector<absl::Status>& damage) {
  RecoveryOptions recovery;
  recovery.fs = options.fs;
  recovery.clock = options.clock;
  recovery.folder = fmt::format("{}/{}/{:04}", options.folder, options.name, partition);
  recovery.partition = partition;
  recovery.cut_suspect_tail = options.cut_suspect_tail;
  RM_ASSIGN_OR_RETURN(RecoveredPartition recovered, RecoverPartition(recovery));
  Counters::Add(counters.cut_tail_bytes, recovered.cut_bytes);
  Counters::Add(counters.damaged_segments, static_cast<int64_t>(recovered.damage.size()));
  damage.insert(damage.end(), recovered.damage.begin(), recovered.damage.end());
  return std::unique_ptr<PartitionLog>(
      new PartitionLog(options, std::move(recovery), std::move(recovered), counters, timer));
}

PartitionLog::PartitionLog(const LocalEventLogOptions& options, RecoveryOptions recovery, RecoveredPartition recovered,
                           Counters& counters, TimerThread& timer)
    : options_(options),
      recovery_(std::move(recovery)),
      counters_(counters),
      timer_(timer),
      queue_({.max_bytes = options.max_queue_bytes, .max_wait = options.max_group_wait}, counters, timer),
      file_(std::move(recovered.active.file)),
      header_(recovered.active.header),
      index_(std::move(recovered.active.index)),
      index_saved_at_(index_.data_end),
      last_time_us_(index_.last_time_us),
      sealed_(std::move(recovered.sealed)),
      active_(index_) {
  if (last_time_us_ == 0 && !sealed_.empty()) last_time_us_ = sealed_.back().last_time_us;
  thread_ = std::thread([this] { Run(); });
}

PartitionLog::~PartitionLog() {
  Close();
  Join(absl::InfinitePast());
}

void PartitionLog::Append(Record record, absl::Time deadline, EventLog::Done done) {
  queue_.Push(EncodeRecord(std::move(record), options_.compress), deadline, std::move(done));
}

void PartitionLog::Run() {
  while (true) {
    const std::vector<EncodedRecord> group = queue_.Take();
    if (group.empty()) break;
    queue_.Finish(Commit(group));
  }
  if (!file_failed_ && file_ != nullptr) SaveIndex(index_, /*durably=*/true);
  MutexLock lock(mutex_);
  thread_ended_ = true;
  ended_.NotifyAll();
}

absl::StatusOr<Offset> PartitionLog::Commit(const std::vector<EncodedRecord>& group) {
  int64_t bytes = 0;
  for (const EncodedRecord& record : group) bytes += static_cast<int64_t>(record.FramedBytes());
  if (absl::Status prepared = Prepare(bytes); !prepared.ok()) {
    if (absl::IsResourceExhausted(prepared)) Counters::Add(counters_.disk_full, 1);
    return NothingAppended(prepared);
  }
  SegmentIndex index = std::move(index_);  // the present one is in active_ too
  const Offset first = index.end;
  int64_t given_bytes = 0;
  const std::string frames = EncodeFrames(group, index, given_bytes);
  absl::Status done = WriteGroup(group, frames);
  if (done.ok()) done = SyncFile();
  if (!done.ok()) {
    MutexLock lock(mutex_);
    index_ = active_;
    return done;
  }
  Counters::Add(counters_.appended_records, static_cast<int64_t>(group.size()));
  Counters::Add(counters_.appended_bytes, given_bytes);
  Counters::Add(counters_.stored_bytes, bytes);
  Publish(std::move(index));
  return first;
}

// A file that takes the group: a new one when the present one is full or failed.
absl::Status PartitionLog::Prepare(int64_t group_bytes) {
  const bool full = index_.end > index_.base && index_.data_end + group_bytes > options_.segment_bytes;
  if (!full && !file_failed_) return absl::OkStatus();
  return Roll();
}

absl::Status PartitionLog::Roll() {
  absl::StatusOr<OpenSegment> created = CreateSegment(recovery_, index_.end);
  // An error may have left the new file under its name, and recovery would take it for the end of this one.
  file_failed_ = true;
  RM_ASSIGN_OR_RETURN(OpenSegment next, std::move(created));
  SegmentIndex closed = std::move(index_);
  closed.complete = true;
  file_ = std::move(next.file);
  header_ = next.header;
  index_ = std::move(next.index);
  index_saved_at_ = index_.data_end;
  file_failed_ = false;
  {
    MutexLock lock(mutex_);
    // A file that failed before anything was durable in it has been replaced.
    if (closed.end > closed.base) {
      sealed_.push_back({closed.base, closed.end, closed.data_end, closed.last_time_us});
    }
    active_ = index_;
  }
  if (closed.end == closed.base) return absl::OkStatus();
  CrashPoint("log.roll.before_index");
  SaveIndex(closed, /*durably=*/false);
  CrashPoint("log.roll.after_index");
  return absl::OkStatus();
}

std::string PartitionLog::EncodeFrames(const std::vector<EncodedRecord>& group, SegmentIndex& index,
                                       int64_t& given_bytes) {
  std::string frames(group.size() * kFrameBytes, '\0');
  // Wall clocks jump back; append times don't.
  last_time_us_ = std::max(last_time_us_, absl::ToUnixMicros(options_.clock->Now()));
  for (size_t i = 0; i < group.size(); ++i) {
    const EncodedRecord& record = group[i];
    Frame frame;
    frame.body_crc = record.body_crc;
    frame.offset = index.end;
    frame.append_time_us = last_time_us_;
    frame.stored_bytes = static_cast<uint32_t>(record.stored.size());
    frame.payload_bytes = record.payload_bytes;
    frame.group_index = static_cast<uint32_t>(i);
    frame.header_bytes = static_cast<uint16_t>(record.header.size());
    frame.lz4 = record.lz4;
    EncodeFrame(frame, header_.salt, frames.data() + i * kFrameBytes);
    index.Add(index.end, index.data_end);
    index.end += 1;
    index.data_end += static_cast<int64_t>(record.FramedBytes());
    given_bytes += static_cast<int64_t>(record.header.size()) + record.payload_bytes;
  }
  index.last_time_us = last_time_us_;
  return frames;
}

absl::Status PartitionLog::WriteGroup(const std::vector<EncodedRecord>& group, const std::string& frames) {
  std::vector<std::string_view> pieces;
  pieces.reserve(group.size() * 3);
  for (size_t i = 0; i < group.size(); ++i) {
    pieces.push_back(std::string_view(frames).substr(i * kFrameBytes, kFrameBytes));
    if (!group[i].header.empty()) pieces.push_back(group[i].header);
    if (!group[i].stored.empty()) pieces.push_back(group[i].stored);
  }
  CrashPoint("log.append.before_write");
  const int64_t size = file_->Size();
  const absl::Status written = file_->Append(pieces);
  CrashPoint("log.append.after_write");
  if (written.ok()) return absl::OkStatus();
  if (absl::IsResourceExhausted(written)) Counters::Add(counters_.disk_full, 1);
  // The part that was written must not come back after a crash: it was never acknowledged, and the next group takes
  // its place.
  absl::Status cut = file_->Truncate(size);
  if (cut.ok()) cut = file_->Sync();
  if (cut.ok()) return NothingAppended(written);
  return GiveUpFile(written);
}

absl::Status PartitionLog::SyncFile() {
  CrashPoint("log.append.before_sync");
  const absl::Duration started = Clock::System().MonotonicNow();
  const absl::Status synced = options_.unsafe_skip_sync ? absl::OkStatus() : file_->Sync();
  if (!synced.ok()) {
    Counters::Add(counters_.failed_syncs, 1);
    return GiveUpFile(synced);
  }
  counters_.AddSync(Clock::System().MonotonicNow() - started);
  CrashPoint("log.append.after_sync");
  return absl::OkStatus();
}

// The file may hold any part of the failed group, and no sync can be believed any more. A successor that begins at
// the last durable record makes recovery ignore whatever comes after it in this file.
absl::Status PartitionLog::GiveUpFile(const absl::Status& why) {
  file_failed_ = true;
  {
    MutexLock lock(mutex_);
    index_ = active_;
  }
  if (Roll().ok()) return NothingAppended(why);
  return absl::DeadlineExceededError(fmt::format("outcome unknown: {}", MessageOf(why)));
}

void PartitionLog::Publish(SegmentIndex index) {
  index_ = index;
  {
    MutexLock lock(mutex_);
    active_ = std::move(index);
    readable_.NotifyAll();
  }
  if (index_.data_end - index_saved_at_ >= kIndexSaveBytes) SaveIndex(index_, /*durably=*/false);
}

// Without it nothing is lost but time at the next start, so an error is only that.
void PartitionLog::SaveIndex(const SegmentIndex& index, bool durably) {
  const std::string path = IndexPath(recovery_.folder, index.base);
  const std::string bytes = EncodeSegmentIndex(index);
  index_saved_at_ = index_.data_end;
  if (durably) {
    files::WriteWholeFile(*recovery_.fs, path, bytes).IgnoreError();
    return;
  }
  const std::string temporary = path + ".tmp";
  const auto file = recovery_.fs->OpenForAppend(temporary, files::OpenMode::kOpenOrCreate);
  if (!file.ok() || !(*file)->Truncate(0).ok() || !(*file)->Append(bytes).ok()) return;
  recovery_.fs->Rename(temporary, path).IgnoreError();
}

OffsetRange PartitionLog::Range() const {
  MutexLock lock(mutex_);
  return {sealed_.empty() ? active_.base : sealed_.front().base, active_.end};
}

absl::Status PartitionLog::RemoveSegments(size_t count) {
  for (; count > 0; --count) {
    SealedSegment segment;
    {
      MutexLock lock(mutex_);
      // Gone for readers before its file is.
      segment = std::move(sealed_.front());
      sealed_.erase(sealed_.begin());
    }
    CrashPoint("log.retention.before_remove");
    const std::string path = SegmentPath(recovery_.folder, segment.base);
    const absl::Status removed = recovery_.fs->Remove(path);
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      Counters::Add(counters_.failed_removals, 1);
      // Or the next start would find it before a gap, and take that for damage.
      MutexLock lock(mutex_);
      sealed_.insert(sealed_.begin(), std::move(segment));
      return Annotate(removed, fmt::format("{} could not be removed", path));
    }
    recovery_.fs->Remove(IndexPath(recovery_.folder, segment.base)).IgnoreError();
    CrashPoint("log.retention.after_remove");
  }
  return recovery_.fs->SyncDirectory(recovery_.folder);
}

absl::Status PartitionLog::DeleteBefore(Offset offset) {
  MutexLock removal(removal_mutex_);
  size_t count = 0;
  {
    MutexLock lock(mutex_);
    while (count < sealed_.size() && sealed_[count].end <= offset) ++count;
  }
  return count == 0 ? absl::OkStatus() : RemoveSegments(count);
}

absl::Status PartitionLog::ApplyRetention() {
  MutexLock removal(removal_mutex_);
  size_t count = 0;
  {
    MutexLock lock(mutex_);
    int64_t bytes = active_.data_end;
    for (const SealedSegment& segment : sealed_) bytes += segment.data_end;
    const int64_t oldest_us = absl::ToUnixMicros(options_.clock->Now() - options_.retention_age);
    for (; count < sealed_.size(); ++count) {
      const bool too_much = options_.retention_bytes > 0 && bytes > options_.retention_bytes;
      const bool too_old = options_.retention_age > absl::ZeroDuration() && sealed_[count].last_time_us < oldest_us;
      if (!too_much && !too_old) break;
      bytes -= sealed_[count].data_end;
    }
  }
  return count == 0 ? absl::OkStatus() : RemoveSegments(count);
}

void PartitionLog::CountDisk(LogStats& stats) const {
  MutexLock lock(mutex_);
  stats.segments += static_cast<int64_t>(sealed_.size()) + 1;
  stats.disk_bytes += active_.data_end;
  for (const SealedSegment& segment : sealed_) stats.disk_bytes += segment.data_end;
}

void PartitionLog::Close() { queue_.Close(); }

void PartitionLog::Join(absl::Time deadline) {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    while (!thread_ended_ && absl::Now() < deadline) ended_.WaitFor(mutex_, deadline - absl::Now());
  }
  queue_.RefuseQueued();
  thread_.join();
}

bool PartitionLog::WaitFor(Offset offset, absl::Time deadline, const std::atomic<bool>& cancelled) {
  MutexLock lock(mutex_);
  while (active_.end <= offset) {
    if (cancelled) return false;
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    readable_.WaitFor(mutex_, left);
  }
  return !cancelled;
}

void PartitionLog::WakeReaders() {
  MutexLock lock(mutex_);
  readable_.NotifyAll();
}

absl::StatusOr<Place> PartitionLog::Locate(Offset offset) const {
  Offset base;
  {
    MutexLock lock(mutex_);
    const Offset first = sealed_.empty() ? active_.base : sealed_.front().base;
    if (offset < first) {
      return absl::OutOfRangeError(fmt::format("retention removed offset {} of partition {}; the first one left is {}",
                                               offset, recovery_.partition, first));
    }
    if (offset >= active_.base) return Place{active_.base, active_.Find(offset)};
    const auto after =
        std::upper_bound(sealed_.begin(), sealed_.end(), offset,
                         [](Offset wanted, const SealedSegment& segment) { return wanted < segment.base; });
    const SealedSegment& segment = *std::prev(after);
    if (offset >= segment.end) {
      return absl::DataLossError(fmt::format("{} ends with record {}: record {} is damaged or missing",
                                             PathOf(segment.base), segment.end - 1, offset));
    }
    base = segment.base;
  }
  return Place{base, LoadIndex(recovery_, base).Find(offset)};
}

SegmentExtent PartitionLog::ExtentOf(Offset segment) const {
  MutexLock lock(mutex_);
  if (segment == active_.base) return {active_.end, active_.data_end, false, false};
  const auto found = std::lower_bound(sealed_.begin(), sealed_.end(), segment,
                                      [](const SealedSegment& at, Offset wanted) { return at.base < wanted; });
  if (found == sealed_.end() || found->base != segment) return {0, 0, true, true};
  return {found->end, found->data_end, true, false};
}

}  // namespace rivermeet::eventlog::internal
