#include "query/live_query.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "query/query_service.h"
#include "telemetry/logging.h"

namespace rivermeet::query {
namespace {

// How long finding owners and reading segments may take at a time.
constexpr absl::Duration kStepTimeout = absl::Seconds(30);

// Whether a new watch can mend it.
bool CanReconnect(const absl::Status& status) {
  return IsOwnerTrouble(status) || absl::IsCancelled(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsAborted(status) || absl::IsResourceExhausted(status);
}

}  // namespace

// Keeps the query alive until its watch is closed.
class LiveQuery::Observer : public WatchObserver {
 public:
  Observer(std::shared_ptr<LiveQuery> query, uint64_t leg) : query_(std::move(query)), leg_(leg) {}
  void OnUpdate(const aggregation::v1::WatchPartialsResponse& update) override { query_->OnUpdate(leg_, update); }
  void OnClosed(const absl::Status& status) override { query_->OnClosed(leg_, status); }

 private:
  const std::shared_ptr<LiveQuery> query_;
  const uint64_t leg_;
};

LiveQueries::LiveQueries(LiveQueryOptions options, Owners& owners, SegmentReader& segments, WorkerPool& background,
                         TimerQueue& timers, QueryMetrics& metrics, const Clock& clock)
    : options_(options),
      owners_(owners),
      segments_(segments),
      background_(background),
      timers_(timers),
      metrics_(metrics),
      clock_(clock) {}

LiveQueries::~LiveQueries() { Stop(); }

absl::StatusOr<std::shared_ptr<LiveQuery>> LiveQueries::Begin(Plan plan, const Call& call, LiveSink& sink) {
  std::shared_ptr<LiveQuery> query;
  {
    MutexLock lock(mutex_);
    if (stopped_) return absl::UnavailableError("the service is stopping");
    if (all_.size() >= options_.max_subscriptions) {
      return absl::ResourceExhaustedError(ToAbsl(
          fmt::format("{} subscriptions run, that is the limit (query.subscriptions)", options_.max_subscriptions)));
    }
    query = std::make_shared<LiveQuery>(*this, std::move(plan), call, sink);
    all_.emplace(query.get(), query);
  }
  metrics_.subscriptions.Increment();
  query->Start();
  return query;
}

void LiveQueries::Stop() {
  std::vector<std::shared_ptr<LiveQuery>> running;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    for (const auto& [raw, weak] : all_) {
      if (auto query = weak.lock()) running.push_back(std::move(query));
    }
  }
  for (const auto& query : running) query->Stop(absl::UnavailableError("the service is stopping"));
  running.clear();
  MutexLock lock(mutex_);
  while (!all_.empty()) gone_.Wait(mutex_);
}

LiveQuery::LiveQuery(LiveQueries& all, Plan plan, Call call, LiveSink& sink)
    : all_(all),
      call_(std::move(call)),
      started_(all.clock_.Now()),
      sink_(&sink),
      subscription_(std::make_unique<Subscription>(std::move(plan), all.options_.limits)),
      backoff_(all.options_.min_backoff) {
  call_.cancellation = &cancellation_;
}

LiveQuery::~LiveQuery() {
  all_.metrics_.subscriptions.Decrement();
  MutexLock lock(all_.mutex_);
  all_.all_.erase(this);
  all_.gone_.NotifyAll();
}

void LiveQuery::Start() {
  std::vector<uint32_t> partitions;
  {
    MutexLock lock(mutex_);
    partitions = subscription_->plan().partitions;
  }
  Submit(std::move(partitions), /*refresh=*/false);
}

void LiveQuery::Submit(std::vector<uint32_t> partitions, bool refresh) {
  all_.background_.Submit(
      [self = shared_from_this(), partitions = std::move(partitions), refresh](const absl::Status& admitted) {
        admitted.ok() ? self->Connect(partitions, refresh)
                      : self->Retry(partitions, absl::UnavailableError(admitted.message()));
      });
}

void LiveQuery::Connect(const std::vector<uint32_t>& partitions, bool refresh) {
  Call call = call_;
  call.deadline = all_.clock_.Now() + kStepTimeout;
  const auto owners = all_.owners_.Find(partitions, refresh, call);
  if (!owners.ok()) return Retry(partitions, owners.status());
  for (const OwnedPartitions& owner : *owners) {
    aggregation::v1::WatchPartialsRequest request;
    uint64_t id = 0;
    {
      MutexLock lock(mutex_);
      if (sink_ == nullptr) return;
      id = next_leg_++;
      legs_[id].partitions = owner.partitions;
      subscription_->AddLeg(id, owner.partitions);
      *request.mutable_query() = subscription_->QueryFor(owner.partitions);
    }
    request.mutable_interval()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(all_.options_.interval)));
    auto watch =
        all_.owners_.WatchPartials(owner.address, request, call_, std::make_shared<Observer>(shared_from_this(), id));
    bool wanted = true;
    {
      MutexLock lock(mutex_);
      const auto leg = legs_.find(id);
      wanted = sink_ != nullptr && subscription_->has_leg(id);  // it may have been renewed meanwhile
      if (wanted && leg != legs_.end()) leg->second.watch = watch;
    }
    if (!wanted) watch->Cancel();
  }
}

void LiveQuery::Retry(const std::vector<uint32_t>& partitions, const absl::Status& why) {
  absl::Duration pause;
  {
    MutexLock lock(mutex_);
    if (sink_ == nullptr) return;
    const bool patient = answered_ || all_.clock_.Now() - started_ < all_.options_.first_patience;
    if (!CanReconnect(why) || !patient) return Finish(why);
    pause = backoff_;
    backoff_ = std::min(2 * backoff_, all_.options_.max_backoff);
  }
  all_.metrics_.reconnects.Increment();
  all_.timers_.After(pause, [weak = weak_from_this(), partitions] {
    if (const auto self = weak.lock()) self->Submit(partitions, /*refresh=*/true);
  });
}

void LiveQuery::OnUpdate(uint64_t id, const aggregation::v1::WatchPartialsResponse& update) {
  std::vector<uint32_t> partitions;
  Subscription::StoredRead read;
  {
    MutexLock lock(mutex_);
    const auto leg = legs_.find(id);
    if (sink_ == nullptr || leg == legs_.end()) return;
    auto applied = subscription_->Apply(id, update);
    if (!applied.ok()) return Finish(applied.status());
    if (update.snapshot()) backoff_ = all_.options_.min_backoff;
    if (!*applied) return MaybeFlush();
    read = **std::move(applied);
    partitions = leg->second.partitions;
  }
  all_.background_.Submit([self = shared_from_this(), id, partitions = std::move(partitions),
                           read = std::move(read)](const absl::Status& admitted) {
    admitted.ok() ? self->ReadStored(id, partitions, read) : self->Reopen(id);
  });
}

void LiveQuery::ReadStored(uint64_t id, const std::vector<uint32_t>& partitions, const Subscription::StoredRead& read) {
  Call call = call_;
  call.deadline = all_.clock_.Now() + kStepTimeout;
  aggregation::v1::PartialsQuery query;
  {
    MutexLock lock(mutex_);
    query = subscription_->QueryFor(partitions);
  }
  absl::Status status = all_.segments_.Read(query, read.segments, call, [&](const aggregation::v1::Partials& partials) {
    MutexLock lock(mutex_);
    return subscription_->AddStored(id, read.generation, partials);
  });
  if (absl::IsNotFound(status) || absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return Reopen(id);
  MutexLock lock(mutex_);
  if (sink_ == nullptr) return;
  if (status.ok()) status = subscription_->FinishStored(id, read.generation);
  if (!status.ok()) return Finish(status);
  MaybeFlush();
}

// Ends a watch so that a fresh one follows.
void LiveQuery::Reopen(uint64_t id) {
  std::shared_ptr<Watch> watch;
  {
    MutexLock lock(mutex_);
    const auto leg = legs_.find(id);
    if (leg != legs_.end()) watch = leg->second.watch;
  }
  if (watch != nullptr) watch->Cancel();
}

void LiveQuery::OnClosed(uint64_t id, const absl::Status& status) {
  std::vector<uint32_t> partitions;
  {
    MutexLock lock(mutex_);
    const auto leg = legs_.find(id);
    if (leg == legs_.end()) return;
    partitions = std::move(leg->second.partitions);
    legs_.erase(leg);
    subscription_->RemoveLeg(id);
    if (sink_ == nullptr) return;
  }
  telemetry::Log(telemetry::Level::kInfo, "watch ended", {{"status", status}, {"traceparent", call_.traceparent}});
  Retry(partitions, status);
}

void LiveQuery::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  write_pending_ = false;
  if (sink_ == nullptr) return;
  ok ? MaybeFlush() : Finish(absl::CancelledError("the reader went away"));
}

void LiveQuery::MaybeFlush() {
  if (sink_ == nullptr || write_pending_ || timer_set_ || !subscription_->has_changes()) return;
  const absl::Duration wait = last_flush_ + all_.options_.interval - all_.clock_.MonotonicNow();
  if (wait <= absl::ZeroDuration()) return Flush();
  timer_set_ = true;
  all_.timers_.After(wait, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    MutexLock lock(self->mutex_);
    self->timer_set_ = false;
    if (self->sink_ != nullptr && !self->write_pending_) self->Flush();
  });
}

void LiveQuery::Flush() {
  const absl::Time now = all_.clock_.Now();
  auto changes = subscription_->TakeChanges(now);
  if (!changes.ok()) return Finish(changes.status());
  if (!*changes) return;
  last_flush_ = all_.clock_.MonotonicNow();
  v1::SubscribeResponse response = **std::move(changes);
  response.set_sent_time_us(absl::ToUnixMicros(now));
  all_.metrics_.updates.Increment();
  all_.metrics_.update_rows.Increment(static_cast<double>(response.frame().row_count()));
  if (answered_ && response.newest_append_time_us() > newest_append_sent_us_) {
    all_.metrics_.update_delay.Observe(
        std::max(0.0, static_cast<double>(response.sent_time_us() - response.newest_append_time_us()) / 1e6));
  }
  newest_append_sent_us_ = response.newest_append_time_us();
  answered_ = true;
  write_pending_ = true;
  sink_->Write(std::move(response));
  if (subscription_->worn_out()) Renew(now);
}

// Begins again with fresh watches; the reader gets a snapshot when they have answered.
void LiveQuery::Renew(absl::Time now) {
  const Plan& plan = subscription_->plan();
  subscription_ = std::make_unique<Subscription>(plan, all_.options_.limits, subscription_->sequence(),
                                                 plan.FirstWindow(absl::ToUnixMicros(now)));
  for (const auto& [id, leg] : legs_) {
    if (leg.watch != nullptr) leg.watch->Cancel();
  }
}

void LiveQuery::Stop(const absl::Status& status) {
  MutexLock lock(mutex_);
  Finish(status);
}

void LiveQuery::Finish(const absl::Status& status) {
  if (sink_ == nullptr) return;
  std::exchange(sink_, nullptr)->Finish(status);
  cancellation_.Cancel();
  // Each watch still says that it is closed, and lets go of this object then.
  for (const auto& [id, leg] : legs_) {
    if (leg.watch != nullptr) leg.watch->Cancel();
  }
}

}  // namespace rivermeet::query
