#include "aggregation/reader_pool.h"

namespace rivermeet::aggregation {

ReaderPool::ReaderPool(int threads, size_t queue) : limit_(queue) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

ReaderPool::~ReaderPool() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status ReaderPool::Run(absl::AnyInvocable<void()> work) {
  MutexLock lock(mutex_);
  if (stopping_) return absl::UnavailableError("the aggregation service is stopping");
  if (queue_.size() >= limit_) return absl::ResourceExhaustedError("too many reads wait: retry after a pause");
  queue_.push_back(std::move(work));
  changed_.NotifyOne();
  return absl::OkStatus();
}

void ReaderPool::Loop() {
  while (true) {
    absl::AnyInvocable<void()> work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace rivermeet::aggregation
