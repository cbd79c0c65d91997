// Threads for reads, apart from those that fold.
#ifndef RIVERMEET_AGGREGATION_READER_POOL_H_
#define RIVERMEET_AGGREGATION_READER_POOL_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "base/mutex.h"

namespace rivermeet::aggregation {

// Thread-safe.
class ReaderPool {
 public:
  // At most `queue` pieces of work wait.
  ReaderPool(int threads, size_t queue);
  // Runs what waits, then ends.
  ~ReaderPool();

  // Errors:
  //   RESOURCE_EXHAUSTED  The queue is full. Retry after a pause.
  absl::Status Run(absl::AnyInvocable<void()> work);

 private:
  void Loop();

  const size_t limit_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<absl::AnyInvocable<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_READER_POOL_H_
