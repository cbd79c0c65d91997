// Admission: so many pieces of work at a time, so many waiting, so long.
#ifndef RIVERMEET_QUERY_WORKER_POOL_H_
#define RIVERMEET_QUERY_WORKER_POOL_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "query/timer_queue.h"

namespace rivermeet::query {

struct WorkerPoolOptions {
  // What is limited, for messages: "queries".
  std::string what = "queries";
  // Pieces of work at a time. Threads are started when they are first needed.
  size_t concurrency = 16;
  // Pieces that may wait.
  size_t queue = 256;
  // How long one may wait.
  absl::Duration queue_wait = absl::Seconds(2);
};

// Thread-safe.
class WorkerPool {
 public:
  // `timers` outlives the pool.
  WorkerPool(WorkerPoolOptions options, TimerQueue& timers);
  ~WorkerPool();

  // Calls `work` once: with OK on a thread of the pool; or, without having waited longer than the options say, on any
  // thread with
  //   RESOURCE_EXHAUSTED  The queue is full or the wait was too long; the message names the limit.
  //   UNAVAILABLE         The pool is stopped.
  void Submit(std::function<void(const absl::Status& admitted)> work);

  // Refuses what waits and returns when nothing runs any more.
  void Stop();

  size_t running() const;
  size_t waiting() const;

 private:
  struct Waiting {
    uint64_t id;
    std::function<void(const absl::Status&)> work;
  };
  // Shared with timers that may fire when the pool is gone.
  struct State {
    mutable Mutex mutex;
    CondVar changed;
    std::list<Waiting> waiting ABSL_GUARDED_BY(mutex);
    uint64_t next_id ABSL_GUARDED_BY(mutex) = 0;
    size_t running ABSL_GUARDED_BY(mutex) = 0;
    bool stopped ABSL_GUARDED_BY(mutex) = false;
  };
  static void Run(const std::shared_ptr<State>& state);

  const WorkerPoolOptions options_;
  TimerQueue& timers_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  Mutex threads_mutex_;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(threads_mutex_);
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_WORKER_POOL_H_
