#include "query/worker_pool.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "fmt/format.h"

namespace rivermeet::query {

WorkerPool::WorkerPool(WorkerPoolOptions options, TimerQueue& timers) : options_(std::move(options)), timers_(timers) {}

WorkerPool::~WorkerPool() { Stop(); }

void WorkerPool::Submit(std::function<void(const absl::Status&)> work) {
  absl::Status refused;
  uint64_t id = 0;
  bool must_wait = false;
  {
    MutexLock lock(state_->mutex);
    must_wait = state_->running + state_->waiting.size() >= options_.concurrency;
    if (state_->stopped) {
      refused = absl::UnavailableError("the service is stopping");
    } else if (must_wait && state_->running + state_->waiting.size() >= options_.concurrency + options_.queue) {
      refused =
          absl::ResourceExhaustedError(ToAbsl(fmt::format("{} {} run and {} wait: that is the limit; try again later",
                                                          options_.concurrency, options_.what, options_.queue)));
    } else {
      id = state_->next_id++;
      state_->waiting.push_back({id, std::move(work)});
      state_->changed.NotifyOne();
    }
  }
  if (!refused.ok()) return work(refused);
  if (must_wait) {
    const std::weak_ptr<State> state = state_;
    auto message = fmt::format("waited {} for a turn: {} {} at a time is the limit; try again later",
                               ToStd(absl::FormatDuration(options_.queue_wait)), options_.concurrency, options_.what);
    timers_.After(options_.queue_wait, [state, id, message = std::move(message)] {
      const std::shared_ptr<State> alive = state.lock();
      if (alive == nullptr) return;
      std::function<void(const absl::Status&)> expired;
      {
        MutexLock lock(alive->mutex);
        const auto found = std::ranges::find(alive->waiting, id, &Waiting::id);
        if (found == alive->waiting.end()) return;
        expired = std::move(found->work);
        alive->waiting.erase(found);
      }
      expired(absl::ResourceExhaustedError(ToAbsl(message)));
    });
    return;
  }
  MutexLock lock(threads_mutex_);
  bool needed = false;
  {
    MutexLock state_lock(state_->mutex);
    needed = !state_->stopped && threads_.size() < options_.concurrency &&
             state_->running + state_->waiting.size() > threads_.size();
  }
  if (needed) threads_.emplace_back([state = state_] { Run(state); });
}

void WorkerPool::Run(const std::shared_ptr<State>& state) {
  state->mutex.Lock();
  while (true) {
    if (state->waiting.empty()) {
      if (state->stopped) break;
      state->changed.Wait(state->mutex);
      continue;
    }
    const std::function<void(const absl::Status&)> work = std::move(state->waiting.front().work);
    state->waiting.pop_front();
    const bool stopped = state->stopped;
    ++state->running;
    state->mutex.Unlock();
    work(stopped ? absl::UnavailableError("the service is stopping") : absl::OkStatus());
    state->mutex.Lock();
    --state->running;
  }
  state->mutex.Unlock();
}

void WorkerPool::Stop() {
  std::list<Waiting> refused;
  {
    MutexLock lock(state_->mutex);
    state_->stopped = true;
    refused.swap(state_->waiting);
    state_->changed.NotifyAll();
  }
  for (const Waiting& waiting : refused) waiting.work(absl::UnavailableError("the service is stopping"));
  MutexLock lock(threads_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

size_t WorkerPool::running() const {
  MutexLock lock(state_->mutex);
  return state_->running;
}

size_t WorkerPool::waiting() const {
  MutexLock lock(state_->mutex);
  return state_->waiting.size();
}

}  // namespace rivermeet::query
