#include "aggregation/partition_owner.h"

#include <algorithm>

#include "base/status.h"
#include "fmt/format.h"
#include "telemetry/logging.h"

namespace rivermeet::aggregation {
namespace {

constexpr absl::Duration kRetryPause = absl::Milliseconds(200);
constexpr absl::Duration kDamagedPause = absl::Seconds(5);
constexpr absl::Duration kMeasureEvery = absl::Seconds(1);
// The longest that the fold waits for memory before it goes on regardless: what can't be stored has to be kept.
constexpr absl::Duration kHoldBack = absl::Seconds(5);

}  // namespace

PartitionOwner::PartitionOwner(PartitionOwnerOptions options, std::unique_ptr<windows::PartitionState> state,
                               std::vector<catalog::Segment> manifest, PartitionMetrics metrics,
                               std::function<void()> on_change)
    : options_(options),
      metrics_(metrics),
      on_change_(std::move(on_change)),
      state_(std::move(state)),
      manifest_(std::move(manifest)),
      through_offset_(state_->through_offset()) {}

PartitionOwner::~PartitionOwner() { Stop(); }

void PartitionOwner::Start() {
  thread_ = std::thread([this] { FoldLoop(); });
}

void PartitionOwner::FoldThrough(int64_t offset) {
  auto reader = options_.log->OpenReader(partition(), through_offset() + 1);
  RM_CHECK_OK(reader.status());
  while (through_offset() < offset) {
    auto records = (*reader)->Read(options_.read_bytes, absl::InfiniteFuture());
    RM_CHECK_OK(records.status());
    std::erase_if(*records, [&](const eventlog::LogRecord& record) { return record.offset > offset; });
    if (!records->empty()) FoldRecords(*records);
  }
}

void PartitionOwner::Stop() {
  std::vector<Waiting> waiters;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (reader_ != nullptr) reader_->Cancel();
    waiters.swap(waiters_);
    changed_.NotifyAll();
  }
  for (Waiting& waiter : waiters) waiter.done(absl::UnavailableError("the partition is changing its owner: retry"));
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<eventlog::Offset> PartitionOwner::LogEnd(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const eventlog::OffsetRange range, options_.log->Range(partition(), deadline));
  return range.end;
}

void PartitionOwner::MeasureLag(absl::Time deadline) {
  const auto range = options_.log->Range(partition(), deadline);
  if (!range.ok()) return;
  metrics_.lag_records.Set(static_cast<double>(std::max<int64_t>(0, range->end - through_offset() - 1)));
}

void PartitionOwner::set_serves_until(absl::Duration monotonic) {
  serves_until_ns_.store(absl::ToInt64Nanoseconds(monotonic), std::memory_order_release);
}

absl::Status PartitionOwner::CheckServing() const {
  if (absl::ToInt64Nanoseconds(options_.clock->MonotonicNow()) > serves_until_ns_.load(std::memory_order_acquire)) {
    return absl::FailedPreconditionError(fmt::format("the lease of partition {} has run out", partition()));
  }
  MutexLock lock(mutex_);
  if (stopping_) {
    return absl::FailedPreconditionError(fmt::format("partition {} is not owned here any more", partition()));
  }
  return failure_;
}

void PartitionOwner::LockForReader() {
  readers_waiting_.fetch_add(1, std::memory_order_relaxed);
  state_mutex_.Lock();
  readers_waiting_.fetch_sub(1, std::memory_order_relaxed);
}

OwnedView PartitionOwner::View(std::string_view tenant, uint64_t stream_id, int64_t from_us, int64_t to_us,
                               int64_t segments_from_us, int64_t resolution_us) {
  OwnedView view;
  view.partition = partition();
  view.epoch = epoch();
  LockForReader();
  view.through_offset = state_->through_offset();
  view.append_time_us = state_->append_time_us();
  const windows::StreamState* const stream = state_->Find(stream_id);
  if (stream != nullptr && stream->tenant() == tenant) {
    view.has_stream = true;
    view.stream = stream->View(from_us, to_us);
    for (const catalog::Segment& segment : manifest_) {
      if (segment.stream_id == stream_id && absl::ToInt64Microseconds(segment.resolution) == resolution_us &&
          segment.first_window_us < to_us && segment.last_window_us >= segments_from_us) {
        view.segments.push_back(segment);
      }
    }
  }
  state_mutex_.Unlock();
  return view;
}

uint32_t PartitionOwner::Generation(uint64_t stream_id) {
  LockForReader();
  const windows::StreamState* const stream = state_->Find(stream_id);
  const uint32_t generation = stream == nullptr ? 0 : stream->generation();
  state_mutex_.Unlock();
  return generation;
}

bool PartitionOwner::ReadLedger(std::string_view tenant, uint64_t stream_id, windows::Ledger& ledger) {
  LockForReader();
  const windows::StreamState* const stream = state_->Find(stream_id);
  const bool found = stream != nullptr && stream->tenant() == tenant;
  if (found) ledger = stream->ledger();
  state_mutex_.Unlock();
  return found;
}

std::vector<uint64_t> PartitionOwner::StreamIds() {
  std::vector<uint64_t> ids;
  LockForReader();
  for (const auto& [id, stream] : state_->streams()) ids.push_back(id);
  state_mutex_.Unlock();
  return ids;
}

void PartitionOwner::Forget(const std::vector<uint64_t>& stream_ids) {
  LockForReader();
  for (const uint64_t id : stream_ids) {
    state_->Forget(id);
    forgotten_.insert(id);
    std::erase_if(manifest_, [id](const catalog::Segment& segment) { return segment.stream_id == id; });
  }
  const size_t hot_bytes = state_->bytes();
  state_mutex_.Unlock();
  metrics_.hot_bytes.Set(static_cast<double>(hot_bytes));
  // Whoever watches one of them sees that it is empty.
  stored_count_.fetch_add(1, std::memory_order_acq_rel);
  on_change_();
}

uint64_t PartitionOwner::WaitFor(int64_t offset, Waiter done) {
  absl::Status status;
  {
    MutexLock lock(mutex_);
    if (stopping_) {
      status = absl::UnavailableError("the partition is changing its owner: retry");
    } else if (through_offset() < offset) {
      waiters_.push_back({next_waiter_, offset, std::move(done)});
      return next_waiter_++;
    }
  }
  done(status);
  return 0;
}

void PartitionOwner::CancelWait(uint64_t id) {
  MutexLock lock(mutex_);
  std::erase_if(waiters_, [&](const Waiting& waiter) { return waiter.id == id; });
}

size_t PartitionOwner::waiters() const {
  MutexLock lock(mutex_);
  return waiters_.size();
}

void PartitionOwner::FireWaiters() {
  std::vector<Waiting> ready;
  {
    MutexLock lock(mutex_);
    if (waiters_.empty()) return;
    const int64_t through = through_offset();
    for (Waiting& waiter : waiters_) {
      if (waiter.offset <= through) ready.push_back(std::move(waiter));
    }
    std::erase_if(waiters_, [&](const Waiting& waiter) { return waiter.offset <= through; });
  }
  for (Waiting& waiter : ready) waiter.done(absl::OkStatus());
}

windows::StateImage PartitionOwner::Capture(bool& pressed) {
  {
    MutexLock lock(mutex_);
    bytes_since_snapshot_ = 0;
    pressed = over_memory_;
    over_memory_ = false;
  }
  LockForReader();
  // What the snapshot doesn't hold is not kept in memory either.
  state_->Purge();
  windows::StateImage image = windows::StateImage::Capture(*state_);
  state_mutex_.Unlock();
  return image;
}

void PartitionOwner::RetrySnapshot() {
  MutexLock lock(mutex_);
  bytes_since_snapshot_ += 1;
  changed_.NotifyAll();
}

bool PartitionOwner::Pause(absl::Duration time) {
  const absl::Duration until = options_.clock->MonotonicNow() + time;
  MutexLock lock(mutex_);
  while (!stopping_) {
    const absl::Duration left = until - options_.clock->MonotonicNow();
    if (left <= absl::ZeroDuration()) return true;
    changed_.WaitFor(mutex_, left);
  }
  return false;
}

void PartitionOwner::Install(const std::vector<StoredPart>& stored, const std::vector<catalog::Segment>& added,
                             const std::vector<catalog::Segment>& removed) {
  LockForReader();
  for (const StoredPart& part : stored) {
    windows::StreamState* const stream = state_->Find(part.stream_id);
    if (stream != nullptr) stream->DropStored(part.until_us, part.carry);
  }
  std::erase_if(manifest_, [&](const catalog::Segment& segment) {
    return std::any_of(removed.begin(), removed.end(),
                       [&](const catalog::Segment& gone) { return gone.object == segment.object; });
  });
  manifest_.insert(manifest_.end(), added.begin(), added.end());
  state_mutex_.Unlock();
  if (!stored.empty()) stored_count_.fetch_add(1, std::memory_order_acq_rel);
  {
    MutexLock lock(mutex_);
    far_over_memory_ = false;
    ++installs_;
    changed_.NotifyAll();
  }
  on_change_();
}

std::vector<catalog::Segment> PartitionOwner::Manifest() {
  LockForReader();
  std::vector<catalog::Segment> manifest = manifest_;
  state_mutex_.Unlock();
  return manifest;
}

bool PartitionOwner::WaitForSnapshotTime(absl::Duration interval) {
  const absl::Duration due = options_.clock->MonotonicNow() + interval;
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (over_memory_ || bytes_since_snapshot_ >= options_.snapshot_bytes) return true;
    if (bytes_since_snapshot_ == 0) {
      // Nothing to do until something is folded: no timer runs while the log is quiet.
      changed_.Wait(mutex_);
      continue;
    }
    const absl::Duration left = due - options_.clock->MonotonicNow();
    if (left <= absl::ZeroDuration()) return true;
    changed_.WaitFor(mutex_, left);
  }
  return false;
}

void PartitionOwner::FoldLoop() {
  while (true) {
    auto opened = options_.log->OpenReader(partition(), through_offset() + 1);
    absl::Status status = opened.status();
    if (opened.ok()) {
      std::shared_ptr<eventlog::LogReader> reader = std::move(opened).value();
      {
        MutexLock lock(mutex_);
        if (stopping_) return;
        reader_ = reader;
      }
      status = Tail(*reader);
    }
    {
      MutexLock lock(mutex_);
      reader_ = nullptr;
      if (stopping_) return;
    }
    if (status.code() == absl::StatusCode::kOutOfRange && PassOverRemoved()) continue;
    MutexLock lock(mutex_);
    if (stopping_) return;
    const bool damaged = status.code() == absl::StatusCode::kDataLoss;
    if (damaged) {
      // Callers learn no path of this machine; the log has it.
      failure_ = absl::DataLossError(fmt::format(
          "partition {} can't be folded beyond offset {}: its log is damaged there; the server's log names the file",
          partition(), through_offset()));
    }
    telemetry::Log(damaged ? telemetry::Level::kError : telemetry::Level::kWarn, "the log can't be read",
                   {{"partition", partition()}, {"status", status}});
    changed_.WaitFor(mutex_, damaged ? kDamagedPause : kRetryPause);
    if (stopping_) return;
  }
}

bool PartitionOwner::PassOverRemoved() {
  const auto range = options_.log->Range(partition(), options_.clock->Now() + absl::Seconds(5));
  const int64_t next = through_offset() + 1;
  if (!range.ok() || range->first <= next) return false;
  telemetry::Log(telemetry::Level::kError, "records left the log before they were folded",
                 {{"partition", partition()}, {"from", next}, {"to", range->first}});
  metrics_.lost_records.Increment(static_cast<double>(range->first - next));
  {
    MutexLock lock(state_mutex_);
    state_->Skip(range->first - 1, windows::kNoTime);
  }
  through_offset_.store(range->first - 1, std::memory_order_release);
  {
    // A snapshot at once: a restart from an older one would find that the log begins after it.
    MutexLock lock(mutex_);
    bytes_since_snapshot_ = std::max(bytes_since_snapshot_, options_.snapshot_bytes);
    changed_.NotifyAll();
  }
  FireWaiters();
  on_change_();
  return true;
}

absl::Status PartitionOwner::Tail(eventlog::LogReader& reader) {
  while (true) {
    RM_ASSIGN_OR_RETURN(const std::vector<eventlog::LogRecord> records,
                        reader.Read(options_.read_bytes, absl::InfiniteFuture()));
    if (records.empty()) continue;
    {
      MutexLock lock(mutex_);
      failure_ = absl::OkStatus();
    }
    FoldRecords(records);
    HoldBack();
    MutexLock lock(mutex_);
    if (stopping_) return absl::CancelledError("stopping");
  }
}

void PartitionOwner::FoldRecords(const std::vector<eventlog::LogRecord>& records) {
  size_t bytes = 0;
  for (const eventlog::LogRecord& record : records) {
    bytes += record.header.size() + record.payload.size();
    windows::Ledger before;
    windows::Ledger after;
    const windows::FoldOutcome outcome = FoldRecord(record, before, after);
    through_offset_.store(record.offset, std::memory_order_release);
    while (readers_waiting_.load(std::memory_order_relaxed) > 0) std::this_thread::yield();
    metrics_.folded_events.Increment(static_cast<double>(after.folded - before.folded));
    metrics_.deduplicated_events.Increment(static_cast<double>(after.deduplicated - before.deduplicated));
    metrics_.stale_events.Increment(static_cast<double>(after.stale - before.stale));
    metrics_.too_late_events.Increment(static_cast<double>(after.too_late - before.too_late));
    if (after.over_series_limit > before.over_series_limit) CountOverSeriesLimit(before, after);
    if (outcome == windows::FoldOutcome::kMalformed) {
      metrics_.malformed_records.Increment();
      telemetry::Log(telemetry::Level::kError, "a record can't be folded",
                     {{"partition", partition()}, {"offset", record.offset}});
    }
  }
  AfterFold(bytes, records.back().append_time_us);
}

void PartitionOwner::CountOverSeriesLimit(const windows::Ledger& before, const windows::Ledger& after) {
  metrics_.over_series_limit_events.Increment(static_cast<double>(after.over_series_limit - before.over_series_limit));
  if (before.over_series_limit > 0) return;
  telemetry::Log(telemetry::Level::kWarn,
                 "a stream has all the series it may have: events of further ones are not folded",
                 {{"partition", partition()}, {"tenant", header_.tenant()}, {"stream", header_.stream()}});
}

windows::FoldOutcome PartitionOwner::FoldRecord(const eventlog::LogRecord& record, windows::Ledger& before,
                                                windows::Ledger& after) {
  const bool has_header = header_.ParseFromString(record.header);
  const bool has_batch = has_header && header_.event_count() > 0 && batch_.ParseFromString(record.payload);
  MutexLock lock(state_mutex_);
  const bool forgotten = has_header && !forgotten_.empty() && forgotten_.contains(header_.stream_id());
  if (!has_header || forgotten) {
    state_->Skip(record.offset, record.append_time_us);
    return forgotten ? windows::FoldOutcome::kFolded : windows::FoldOutcome::kMalformed;
  }
  if (const auto* stream = state_->Find(header_.stream_id())) before = stream->ledger();
  const windows::FoldOutcome outcome =
      state_->Fold(header_, has_batch ? &batch_ : nullptr, record.offset, record.append_time_us);
  after = state_->Find(header_.stream_id())->ledger();
  return outcome;
}

void PartitionOwner::AfterFold(size_t bytes, int64_t append_time_us) {
  FireWaiters();
  on_change_();
  const absl::Time now = options_.clock->Now();
  const bool measure = now - last_measured_ >= kMeasureEvery;
  size_t hot_bytes = 0;
  size_t pane_bytes = 0;
  size_t storable_bytes = 0;
  if (measure) {
    last_measured_ = now;
    MutexLock lock(state_mutex_);
    hot_bytes = state_->bytes();
    pane_bytes = state_->pane_bytes();
    storable_bytes = state_->storable_bytes();
  }
  {
    MutexLock lock(mutex_);
    const bool first = bytes_since_snapshot_ == 0;
    bytes_since_snapshot_ += bytes;
    if (measure) {
      // Only what a snapshot would take out of memory is worth one, and worth waiting for it.
      over_memory_ = over_memory_ || (pane_bytes > options_.hot_bytes && storable_bytes > 0);
      far_over_memory_ = pane_bytes > 2 * options_.hot_bytes && storable_bytes > options_.hot_bytes;
    }
    if (first || over_memory_ || bytes_since_snapshot_ >= options_.snapshot_bytes) changed_.NotifyAll();
  }
  if (!measure) return;
  metrics_.hot_bytes.Set(static_cast<double>(hot_bytes));
  metrics_.through_offset.Set(static_cast<double>(through_offset()));
  metrics_.lag_seconds.Set(std::max(0.0, absl::ToDoubleSeconds(now - absl::FromUnixMicros(append_time_us))));
}

// Memory is bounded by letting the log grow instead.
void PartitionOwner::HoldBack() {
  MutexLock lock(mutex_);
  if (!far_over_memory_) return;
  telemetry::Log(telemetry::Level::kWarn, "too much memory in windows: waiting for a snapshot to store some",
                 {{"partition", partition()}});
  const uint64_t seen = installs_;
  const absl::Duration until = options_.clock->MonotonicNow() + kHoldBack;
  while (!stopping_ && installs_ == seen) {
    const absl::Duration left = until - options_.clock->MonotonicNow();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mutex_, left);
  }
  far_over_memory_ = false;
}

}  // namespace rivermeet::aggregation
