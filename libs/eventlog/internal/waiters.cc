#include "eventlog/internal/waiters.h"

#include <algorithm>
#include <utility>

namespace rivermeet::eventlog::internal {

std::optional<uint64_t> Waiters::Push(int64_t bytes, int64_t max_bytes, absl::Time deadline, EventLog::Done& done) {
  MutexLock lock(mutex_);
  if (bytes_ > 0 && bytes_ + bytes > max_bytes) return std::nullopt;
  const uint64_t number = next_++;
  waiters_[number] = {deadline, bytes, std::move(done)};
  bytes_ += bytes;
  Counters::Add(counters_.queued_bytes, bytes);
  if (deadline < next_expiry_) WatchDeadline(deadline);
  return number;
}

std::optional<Waiters::Waiter> Waiters::Take(uint64_t number) {
  MutexLock lock(mutex_);
  const auto found = waiters_.find(number);
  if (found == waiters_.end()) return std::nullopt;
  Waiter waiter = std::move(found->second);
  waiters_.erase(found);
  bytes_ -= waiter.bytes;
  Counters::Add(counters_.queued_bytes, -waiter.bytes);
  return waiter;
}

std::vector<Waiters::Waiter> Waiters::TakeAll() {
  MutexLock lock(mutex_);
  std::vector<Waiter> all;
  for (auto& [number, waiter] : waiters_) all.push_back(std::move(waiter));
  waiters_.clear();
  Counters::Add(counters_.queued_bytes, -bytes_);
  bytes_ = 0;
  return all;
}

size_t Waiters::size() const {
  MutexLock lock(mutex_);
  return waiters_.size();
}

void Waiters::WatchDeadline(absl::Time deadline) {
  next_expiry_ = deadline;
  timer_.RunAt(deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Expire();
  });
}

void Waiters::Expire() {
  std::vector<EventLog::Done> expired;
  {
    MutexLock lock(mutex_);
    const absl::Time now = absl::Now();
    absl::Time next = absl::InfiniteFuture();
    for (auto& [number, waiter] : waiters_) {
      if (!waiter.done) continue;
      if (waiter.deadline <= now) {
        expired.push_back(std::exchange(waiter.done, nullptr));
      } else {
        next = std::min(next, waiter.deadline);
      }
    }
    next_expiry_ = absl::InfiniteFuture();
    if (next < absl::InfiniteFuture()) WatchDeadline(next);
  }
  Counters::Add(counters_.failed_appends, static_cast<int64_t>(expired.size()));
  for (EventLog::Done& done : expired) {
    done(absl::DeadlineExceededError("not acknowledged in time; the record may be in the log or still get there"));
  }
}

}  // namespace rivermeet::eventlog::internal
