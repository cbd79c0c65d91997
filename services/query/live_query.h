// Subscriptions that run: watches at the owners, rows of segments, and a message to the reader when something changed.
#ifndef RIVERMEET_QUERY_LIVE_QUERY_H_
#define RIVERMEET_QUERY_LIVE_QUERY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "query/owners.h"
#include "query/plan.h"
#include "query/query_metrics.h"
#include "query/segment_reader.h"
#include "query/subscription.h"
#include "query/timer_queue.h"
#include "query/worker_pool.h"

namespace rivermeet::query {

// Where a live query's messages go. Its calls come one at a time and must not block.
class LiveSink {
 public:
  virtual ~LiveSink() = default;
  // Begins to send a message; LiveQuery::OnWritten() says when the next one may come.
  virtual void Write(v1::SubscribeResponse response) = 0;
  // The last call.
  virtual void Finish(const absl::Status& status) = 0;
};

struct LiveQueryOptions {
  // The shortest time between two messages of a subscription.
  absl::Duration interval = absl::Milliseconds(20);
  SubscriptionLimits limits;
  // Subscriptions at a time.
  size_t max_subscriptions = 4'096;
  // How long the first answer may wait for owners that are away.
  absl::Duration first_patience = absl::Seconds(12);
  // Pauses between tries to reach an owner that is away: from, doubling, to.
  absl::Duration min_backoff = absl::Milliseconds(50);
  absl::Duration max_backoff = absl::Seconds(2);
};

class LiveQuery;

// Makes live queries and outlives them. Thread-safe.
class LiveQueries {
 public:
  // All outlive this. `background` runs what blocks: finding owners, reading segments.
  LiveQueries(LiveQueryOptions options, Owners& owners, SegmentReader& segments, WorkerPool& background,
              TimerQueue& timers, QueryMetrics& metrics, const Clock& clock);
  ~LiveQueries();

  // Begins one; `sink` gets a snapshot first and Finish() last, and lives until then.
  //
  // Errors (`sink` is not called):
  //   RESOURCE_EXHAUSTED  There are too many; the message names the limit.
  //   UNAVAILABLE         Stopping.
  absl::StatusOr<std::shared_ptr<LiveQuery>> Begin(Plan plan, const Call& call, LiveSink& sink);

  // Ends all with UNAVAILABLE and returns when nothing of them is left, watches included. The owners' channels and
  // the timers still run.
  void Stop();

 private:
  friend class LiveQuery;

  const LiveQueryOptions options_;
  Owners& owners_;
  SegmentReader& segments_;
  WorkerPool& background_;
  TimerQueue& timers_;
  QueryMetrics& metrics_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar gone_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<LiveQuery*, std::weak_ptr<LiveQuery>> all_ ABSL_GUARDED_BY(mutex_);
};

// One subscription. Thread-safe. Lives as long as somebody holds it or a watch of it is open.
class LiveQuery : public std::enable_shared_from_this<LiveQuery> {
 public:
  LiveQuery(LiveQueries& all, Plan plan, Call call, LiveSink& sink);
  ~LiveQuery();

  // The sink can take another message; `ok` false: the reader is gone.
  void OnWritten(bool ok);
  // Ends it; LiveSink::Finish() gets `status`.
  void Stop(const absl::Status& status);

 private:
  friend class LiveQueries;
  class Observer;
  struct Leg {
    std::vector<uint32_t> partitions;
    std::shared_ptr<Watch> watch;
  };

  void Start();
  void Submit(std::vector<uint32_t> partitions, bool refresh);
  void Connect(const std::vector<uint32_t>& partitions, bool refresh);
  void Retry(const std::vector<uint32_t>& partitions, const absl::Status& why);
  void OnUpdate(uint64_t leg, const aggregation::v1::WatchPartialsResponse& update);
  void OnClosed(uint64_t leg, const absl::Status& status);
  void ReadStored(uint64_t leg, const std::vector<uint32_t>& partitions, const Subscription::StoredRead& read);
  void Reopen(uint64_t leg);
  void MaybeFlush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Renew(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  LiveQueries& all_;
  Call call_;
  Cancellation cancellation_;
  const absl::Time started_;

  Mutex mutex_;
  LiveSink* sink_ ABSL_GUARDED_BY(mutex_);                              // null once finished
  std::unique_ptr<Subscription> subscription_ ABSL_GUARDED_BY(mutex_);  // never null
  std::map<uint64_t, Leg> legs_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_leg_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Duration backoff_ ABSL_GUARDED_BY(mutex_);
  bool write_pending_ ABSL_GUARDED_BY(mutex_) = false;
  bool timer_set_ ABSL_GUARDED_BY(mutex_) = false;
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration last_flush_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  int64_t newest_append_sent_us_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_LIVE_QUERY_H_
