// Threads for work that blocks or takes long.
#ifndef RIVERMEET_INGEST_WORKER_POOL_H_
#define RIVERMEET_INGEST_WORKER_POOL_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "base/mutex.h"

namespace rivermeet::ingest {

// Thread-safe.
class WorkerPool {
 public:
  using Work = absl::AnyInvocable<void()>;

  // At most `queue` pieces of work wait.
  WorkerPool(size_t threads, size_t queue);
  ~WorkerPool();

  // Runs `work` on a thread of the pool.
  //
  // Errors (`work` will not run):
  //   RESOURCE_EXHAUSTED  The queue is full. Retry after a pause.
  //   UNAVAILABLE         The pool is stopped.
  absl::Status Submit(Work work);

  // Runs what waits and returns when nothing runs any more.
  void Stop();

 private:
  void Run();

  const size_t queue_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Work> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_WORKER_POOL_H_
