#include "aggregation/watch_hub.h"

#include <algorithm>
#include <utility>

#include "aggregation/partials_builder.h"
#include "base/proto_time.h"
#include "base/status.h"
#include "fmt/format.h"
#include "windows/rollup.h"

namespace rivermeet::aggregation {
namespace {

constexpr absl::Duration kDefaultInterval = absl::Milliseconds(20);
constexpr absl::Duration kShortestInterval = absl::Milliseconds(5);
constexpr absl::Duration kLongestInterval = absl::Seconds(60);
// Publishing takes at most one part in so many of the thread's time, so that the fold always has a core.
constexpr int kWorkShare = 4;

using Response = std::shared_ptr<v1::WatchPartialsResponse>;

// Splits the rows of one update over as many responses as they need.
class ResponseBuilder {
 public:
  ResponseBuilder(const v1::PartialsQuery& query, bool snapshot, size_t limit)
      : query_(query), snapshot_(snapshot), limit_(limit) {
    Next();
  }

  v1::WatchPartialsResponse& first() { return *responses_.front(); }

  void Begin(uint32_t partition, const windows::Grouping& grouping, const std::vector<windows::Measure>& measures) {
    partition_ = partition;
    grouping_ = &grouping;
    measures_ = &measures;
    builder_->Begin(partition, grouping, measures);
  }
  void Add(const windows::RollupRow& row) {
    if (full()) return;
    if (builder_->bytes() >= kResponseBytes) {
      // Changes stand for themselves; only a snapshot has to be known as one.
      responses_.back()->set_continued(snapshot_);
      Next();
      builder_->Begin(partition_, *grouping_, *measures_);
    }
    builder_->Add(row);
    ++rows_;
  }
  size_t rows() const { return rows_; }
  // Over the limit: further rows are not taken.
  bool full() const { return bytes_ + builder_->bytes() > limit_; }
  absl::Status status() const { return full() ? TooManyRows(limit_) : absl::OkStatus(); }
  const std::vector<Response>& Finish() {
    for (size_t i = 1; i < responses_.size(); ++i) {
      *responses_[i]->mutable_data_version() = first().data_version();
      responses_[i]->set_newest_append_time_us(first().newest_append_time_us());
      responses_[i]->set_watermark_us(first().watermark_us());
    }
    return responses_;
  }

 private:
  void Next() {
    if (builder_ != nullptr) bytes_ += builder_->bytes();
    responses_.push_back(std::make_shared<v1::WatchPartialsResponse>());
    responses_.back()->set_snapshot(snapshot_);
    builder_ = std::make_unique<PartialsBuilder>(query_, *responses_.back()->mutable_partials());
  }

  const v1::PartialsQuery& query_;
  const bool snapshot_;
  const size_t limit_;
  std::vector<Response> responses_;
  std::unique_ptr<PartialsBuilder> builder_;
  uint32_t partition_ = 0;
  const windows::Grouping* grouping_ = nullptr;
  const std::vector<windows::Measure>* measures_ = nullptr;
  size_t rows_ = 0;
  size_t bytes_ = 0;  // of all but the last
};

void Describe(const std::vector<OwnedView>& views, bool segments, v1::WatchPartialsResponse& response) {
  int64_t newest = windows::kNoTime;
  int64_t watermark = INT64_MAX;
  for (const OwnedView& view : views) {
    auto& version = *response.mutable_data_version()->add_partitions();
    version.set_partition(view.partition);
    version.set_epoch(view.epoch);
    version.set_through_offset(view.through_offset);
    newest = std::max(newest, view.append_time_us);
    // A partition without events of the stream holds nobody back.
    if (view.has_stream && view.stream.watermark_us != windows::kNoTime) {
      watermark = std::min(watermark, view.stream.watermark_us);
    }
    if (!segments) continue;
    for (const catalog::Segment& segment : view.segments) *response.add_segments() = ToReference(segment);
  }
  if (newest != windows::kNoTime) response.set_newest_append_time_us(newest);
  if (watermark != INT64_MAX) response.set_watermark_us(watermark);
}

}  // namespace

struct WatchHub::Part {
  std::shared_ptr<PartitionOwner> owner;
  windows::RollupWatch watch;
  uint64_t stored_count = 0;
  int64_t stored_until_us = windows::kNoTime;
};

struct WatchHub::SharedWatch {
  std::string tenant;
  v1::PartialsQuery query;
  windows::RollupQuery rollup;
  absl::Duration interval;
  absl::Duration due;  // by the monotonic clock
  std::vector<Part> parts;
  struct Subscriber {
    std::shared_ptr<WatchSubscriber> subscriber;
    bool needs_snapshot = true;
    bool ready = false;  // in the publishing under way
  };
  std::vector<Subscriber> subscribers;
};

WatchHub::WatchHub(AggregationMetrics& metrics, size_t update_bytes, const Clock& clock)
    : metrics_(metrics), update_bytes_(update_bytes), clock_(clock) {
  thread_ = std::thread([this] { Loop(); });
}

WatchHub::~WatchHub() {
  {
    MutexLock lock(sleep_mutex_);
    stopping_ = true;
    woken_.NotifyAll();
  }
  thread_.join();
  for (auto& [key, watch] : watches_) {
    for (auto& entry : watch->subscribers) {
      entry.subscriber->OnClosed(absl::UnavailableError("the aggregation service is stopping"));
    }
  }
}

absl::Status WatchHub::Subscribe(std::string_view tenant, const v1::WatchPartialsRequest& request,
                                 const std::vector<std::shared_ptr<PartitionOwner>>& owners,
                                 std::shared_ptr<WatchSubscriber> subscriber) {
  RM_ASSIGN_OR_RETURN(windows::RollupQuery rollup, ToRollupQuery(request.query()));
  absl::Duration interval = kDefaultInterval;
  if (request.has_interval()) {
    interval = std::clamp(FromProto(request.interval()), kShortestInterval, kLongestInterval);
  }
  const std::string key =
      fmt::format("{}\n{}\n{}", tenant, absl::ToInt64Microseconds(interval), request.query().SerializeAsString());
  {
    MutexLock lock(mutex_);
    // One that stopped before is refused, one that stops later is closed by ClosePartition().
    for (const auto& owner : owners) RM_RETURN_IF_ERROR(owner->CheckServing());
    Add(key, tenant, request.query(), std::move(rollup), interval, owners, std::move(subscriber));
  }
  WakeAtOnce();
  return absl::OkStatus();
}

void WatchHub::Add(const std::string& key, std::string_view tenant, const v1::PartialsQuery& query,
                   windows::RollupQuery rollup, absl::Duration interval,
                   const std::vector<std::shared_ptr<PartitionOwner>>& owners,
                   std::shared_ptr<WatchSubscriber> subscriber) {
  std::unique_ptr<SharedWatch>& watch = watches_[key];
  if (watch == nullptr) {
    watch = std::make_unique<SharedWatch>();
    watch->tenant = tenant;
    watch->query = query;
    watch->rollup = std::move(rollup);
    watch->interval = interval;
    for (const auto& owner : owners) watch->parts.push_back({owner, windows::RollupWatch(watch->rollup)});
  }
  watch->subscribers.push_back({std::move(subscriber)});
  watch->due = absl::ZeroDuration();
  metrics_.watches.Increment();
  has_watches_.store(true, std::memory_order_release);
}

void WatchHub::Unsubscribe(const WatchSubscriber* subscriber) {
  MutexLock lock(mutex_);
  for (auto entry = watches_.begin(); entry != watches_.end();) {
    auto& subscribers = entry->second->subscribers;
    metrics_.watches.Decrement(static_cast<double>(
        std::erase_if(subscribers, [&](const auto& one) { return one.subscriber.get() == subscriber; })));
    entry = subscribers.empty() ? watches_.erase(entry) : std::next(entry);
  }
  has_watches_.store(!watches_.empty(), std::memory_order_release);
}

void WatchHub::ClosePartition(uint32_t partition) {
  MutexLock lock(mutex_);
  for (auto watch = watches_.begin(); watch != watches_.end();) {
    const bool watches_it = std::any_of(watch->second->parts.begin(), watch->second->parts.end(),
                                        [&](const Part& part) { return part.owner->partition() == partition; });
    watch = watches_it ? Close(watch, absl::FailedPreconditionError(
                                          fmt::format("partition {} is not owned here any more", partition)))
                       : std::next(watch);
  }
}

WatchHub::Watches::iterator WatchHub::Close(Watches::iterator watch, const absl::Status& status) {
  for (auto& one : watch->second->subscribers) one.subscriber->OnClosed(status);
  metrics_.watches.Decrement(static_cast<double>(watch->second->subscribers.size()));
  const auto next = watches_.erase(watch);
  has_watches_.store(!watches_.empty(), std::memory_order_release);
  return next;
}

void WatchHub::Wake() {
  if (!has_watches_.load(std::memory_order_acquire) || changed_.exchange(true, std::memory_order_acq_rel)) return;
  MutexLock lock(sleep_mutex_);
  woken_.NotifyAll();
}

void WatchHub::WakeAtOnce() {
  MutexLock lock(sleep_mutex_);
  urgent_ = true;
  changed_.store(true, std::memory_order_release);
  woken_.NotifyAll();
}

bool WatchHub::SleepUntilChanged() {
  MutexLock lock(sleep_mutex_);
  while (!stopping_ && !changed_.load(std::memory_order_acquire)) woken_.Wait(sleep_mutex_);
  changed_.store(false, std::memory_order_release);
  urgent_ = false;
  return !stopping_;
}

void WatchHub::PauseUntil(absl::Duration monotonic) {
  MutexLock lock(sleep_mutex_);
  // Set before the pause, so that the fold has no reason to wake anybody during it.
  changed_.store(true, std::memory_order_release);
  while (!stopping_ && !urgent_) {
    const absl::Duration left = monotonic - clock_.MonotonicNow();
    if (left <= absl::ZeroDuration()) return;
    woken_.WaitFor(sleep_mutex_, left);
  }
}

void WatchHub::Loop() {
  while (SleepUntilChanged()) {
    absl::Duration next;
    {
      MutexLock lock(mutex_);
      next = Publish(clock_.MonotonicNow());
    }
    if (next != absl::InfiniteDuration()) PauseUntil(next);
  }
}

absl::Duration WatchHub::Publish(absl::Duration now) {
  absl::Duration next = absl::InfiniteDuration();
  for (auto entry = watches_.begin(); entry != watches_.end();) {
    SharedWatch& watch = *entry->second;
    if (watch.due > now) {
      next = std::min(next, watch.due);
      ++entry;
      continue;
    }
    const absl::Duration began = clock_.MonotonicNow();
    const auto published = PublishWatch(watch);
    if (!published.ok()) {
      entry = Close(entry, published.status());
      continue;
    }
    ++entry;
    if (!*published) continue;
    const absl::Duration took = clock_.MonotonicNow() - began;
    metrics_.publish_seconds.Observe(absl::ToDoubleSeconds(took));
    watch.due = began + std::max(watch.interval, kWorkShare * took);
  }
  return next;
}

absl::StatusOr<bool> WatchHub::PublishWatch(SharedWatch& watch) {
  for (const Part& part : watch.parts) RM_RETURN_IF_ERROR(part.owner->CheckServing());
  const auto [fresh, follow] = AskSubscribers(watch);
  if (!fresh && (!follow || !HasChanged(watch))) return false;
  bool restart = false;
  const std::vector<OwnedView> views = TakeViews(watch, restart);
  // Changes first: whoever gets the snapshot below must not get them too.
  RM_RETURN_IF_ERROR(TellChanges(watch, views, follow && !restart));
  if (fresh || restart) RM_RETURN_IF_ERROR(TellEverything(watch, views, restart));
  return true;
}

std::pair<bool, bool> WatchHub::AskSubscribers(SharedWatch& watch) {
  bool fresh = false;
  bool follow = false;
  for (auto& one : watch.subscribers) {
    one.ready = one.subscriber->Ready();
    if (!one.ready) {
      one.needs_snapshot = true;
      continue;
    }
    (one.needs_snapshot ? fresh : follow) = true;
  }
  return {fresh, follow};
}

bool WatchHub::HasChanged(const SharedWatch& watch) {
  return std::any_of(watch.parts.begin(), watch.parts.end(), [&](const Part& part) {
    return !part.watch.started() || part.owner->Generation(watch.query.stream_id()) != part.watch.generation() ||
           part.owner->stored_count() != part.stored_count;
  });
}

std::vector<OwnedView> WatchHub::TakeViews(SharedWatch& watch, bool& restart) {
  std::vector<OwnedView> views;
  for (Part& part : watch.parts) {
    part.stored_count = part.owner->stored_count();
    views.push_back(part.owner->View(watch.tenant, watch.query.stream_id(), part.watch.ViewFrom(), watch.rollup.end_us,
                                     watch.rollup.start_us, watch.query.resolution_us()));
    const windows::StreamView& stream = views.back().stream;
    if (part.watch.started() && !views.back().has_stream) {
      // The stream was deleted: what was told of it holds no more.
      part.watch.Reset();
      restart = true;
    }
    const int64_t stored_until_us = std::exchange(part.stored_until_us, stream.stored_until_us);
    if (!part.watch.started() || stream.stored_until_us == stored_until_us) continue;
    // A row may be half in memory now, or have left before its last change was told.
    restart = restart || watch.query.step_us() > watch.query.resolution_us() ||
              windows::IsNewer(stream.stored_generation, part.watch.generation());
  }
  return views;
}

// Works changes out in any case, and tells them when they are to be `told`.
absl::Status WatchHub::TellChanges(SharedWatch& watch, const std::vector<OwnedView>& views, bool told) {
  ResponseBuilder changes(watch.query, false, update_bytes_);
  for (size_t p = 0; p < views.size(); ++p) {
    if (!views[p].has_stream) continue;
    Part& part = watch.parts[p];
    changes.Begin(views[p].partition, part.watch.grouping(), views[p].stream.measures);
    part.watch.Update(views[p].stream, [&](const windows::RollupRow& row) {
      if (told) changes.Add(row);
    });
  }
  RM_RETURN_IF_ERROR(changes.status());
  if (changes.rows() == 0) return absl::OkStatus();
  Describe(views, false, changes.first());
  const std::vector<Response>& responses = changes.Finish();
  for (auto& one : watch.subscribers) {
    if (one.needs_snapshot || !one.ready) continue;
    metrics_.watch_rows.Increment(static_cast<double>(changes.rows()));
    for (const Response& response : responses) one.subscriber->OnResponse(response);
  }
  return absl::OkStatus();
}

absl::Status WatchHub::TellEverything(SharedWatch& watch, const std::vector<OwnedView>& views, bool restart) {
  ResponseBuilder everything(watch.query, true, update_bytes_);
  for (size_t p = 0; p < views.size(); ++p) {
    if (!views[p].has_stream) continue;
    const windows::Grouping& grouping = watch.parts[p].watch.grouping();
    everything.Begin(views[p].partition, grouping, views[p].stream.measures);
    windows::Rollup(
        views[p].stream, watch.rollup, grouping, [&](const windows::RollupRow& row) { everything.Add(row); },
        [&] { return everything.full(); });
  }
  RM_RETURN_IF_ERROR(everything.status());
  Describe(views, true, everything.first());
  const std::vector<Response>& responses = everything.Finish();
  for (auto& one : watch.subscribers) {
    if (!one.ready || !(one.needs_snapshot || restart)) continue;
    metrics_.watch_rows.Increment(static_cast<double>(everything.rows()));
    for (const Response& response : responses) one.subscriber->OnResponse(response);
    one.needs_snapshot = false;
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::aggregation
