#include "ingest/worker_pool.h"

#include <utility>

#include "ingest/admission.h"

namespace rivermeet::ingest {

WorkerPool::WorkerPool(size_t threads, size_t queue) : queue_(queue) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() { Stop(); }

absl::Status WorkerPool::Submit(Work work) {
  {
    MutexLock lock(mutex_);
    if (stopped_) return absl::UnavailableError("ingest is stopping: retry");
    if (waiting_.size() >= queue_)
      return Exhausted("too many bodies wait: retry after a pause", absl::Milliseconds(200));
    waiting_.push_back(std::move(work));
  }
  changed_.NotifyOne();
  return absl::OkStatus();
}

void WorkerPool::Run() {
  while (true) {
    Work work;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopped_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

void WorkerPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace rivermeet::ingest
