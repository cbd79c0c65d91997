// Pushes what changes to those who watch.
#ifndef RIVERMEET_AGGREGATION_WATCH_HUB_H_
#define RIVERMEET_AGGREGATION_WATCH_HUB_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "aggregation/aggregation_metrics.h"
#include "aggregation/partition_owner.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"
#include "windows/rollup.h"

namespace rivermeet::aggregation {

// Whoever watches. Called on the hub's thread, never after Unsubscribe() has returned or OnClosed() was called; must
// not block and must not call the hub, but for WatchHub::Wake().
class WatchSubscriber {
 public:
  virtual ~WatchSubscriber() = default;
  // Whether it can take a response now. While it can't it misses changes and gets a fresh snapshot afterwards: it has
  // to call WatchHub::Wake() when it can again.
  virtual bool Ready() = 0;
  virtual void OnResponse(std::shared_ptr<const v1::WatchPartialsResponse> response) = 0;
  virtual void OnClosed(const absl::Status& status) = 0;
};

// Equal watches share one computation. One thread, which sleeps while nothing changes. Thread-safe.
class WatchHub {
 public:
  // At most `update_bytes` of rows are told at once.
  WatchHub(AggregationMetrics& metrics, size_t update_bytes, const Clock& clock = Clock::System());
  ~WatchHub();

  // Begins with a snapshot. `owners` are of the query's partitions, in its order. A watch that can't go on is closed:
  // its partition has another owner, or what there is to tell is over the limit.
  //
  // Errors:
  //   INVALID_ARGUMENT     The query can't be; the message says why.
  //   FAILED_PRECONDITION  A partition is not owned here any more.
  absl::Status Subscribe(std::string_view tenant, const v1::WatchPartialsRequest& request,
                         const std::vector<std::shared_ptr<PartitionOwner>>& owners,
                         std::shared_ptr<WatchSubscriber> subscriber);
  void Unsubscribe(const WatchSubscriber* subscriber);
  // Ends every watch of the partition with FAILED_PRECONDITION: its owner is somebody else.
  void ClosePartition(uint32_t partition);

  // Something may have changed. Cheap; any thread.
  void Wake();

 private:
  struct Part;
  struct SharedWatch;

  void Loop();
  // False when the hub stops.
  bool SleepUntilChanged();
  void PauseUntil(absl::Duration monotonic);
  void WakeAtOnce();
  void Add(const std::string& key, std::string_view tenant, const v1::PartialsQuery& query, windows::RollupQuery rollup,
           absl::Duration interval, const std::vector<std::shared_ptr<PartitionOwner>>& owners,
           std::shared_ptr<WatchSubscriber> subscriber) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Until when the loop may sleep.
  absl::Duration Publish(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False when there is nothing to work out.
  absl::StatusOr<bool> PublishWatch(SharedWatch& watch);
  // Those that could be told something: whether some need everything, and whether some go on with changes.
  static std::pair<bool, bool> AskSubscribers(SharedWatch& watch);
  static bool HasChanged(const SharedWatch& watch);
  // `restart`: what was told so far may not hold any more.
  static std::vector<OwnedView> TakeViews(SharedWatch& watch, bool& restart);
  absl::Status TellChanges(SharedWatch& watch, const std::vector<OwnedView>& views, bool told);
  absl::Status TellEverything(SharedWatch& watch, const std::vector<OwnedView>& views, bool restart);
  using Watches = std::map<std::string, std::unique_ptr<SharedWatch>>;
  // The one after it.
  Watches::iterator Close(Watches::iterator watch, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  AggregationMetrics& metrics_;
  const size_t update_bytes_;
  const Clock& clock_;
  std::atomic<bool> has_watches_{false};
  std::atomic<bool> changed_{false};
  // Held while publishing, so never by Wake(), which the fold calls.
  Mutex mutex_;
  Watches watches_ ABSL_GUARDED_BY(mutex_);
  Mutex sleep_mutex_;
  CondVar woken_;
  bool stopping_ ABSL_GUARDED_BY(sleep_mutex_) = false;
  bool urgent_ ABSL_GUARDED_BY(sleep_mutex_) = false;
  std::thread thread_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_WATCH_HUB_H_
