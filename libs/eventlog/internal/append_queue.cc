#include "eventlog/internal/append_queue.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace rivermeet::eventlog::internal {
namespace {

absl::Status Expired() {
  return absl::DeadlineExceededError("not durable in time; the record may be in the log or still get there");
}

}  // namespace

void AppendQueue::Push(EncodedRecord record, absl::Time deadline, EventLog::Done done) {
  const auto bytes = static_cast<int64_t>(record.FramedBytes());
  MutexLock lock(mutex_);
  if (closed_) {
    Counters::Add(counters_.failed_appends, 1);
    Refuse(std::move(done), absl::UnavailableError("the log is stopped"));
    return;
  }
  if (queued_bytes_ > 0 && queued_bytes_ + bytes > options_.max_bytes) {
    Counters::Add(counters_.refused_appends, 1);
    Refuse(std::move(done), absl::ResourceExhaustedError(fmt::format("the log's queue is full ({} of {} bytes wait)",
                                                                     queued_bytes_, options_.max_bytes)));
    return;
  }
  queued_bytes_ += bytes;
  Counters::Add(counters_.queued_bytes, bytes);
  queue_.push_back(std::move(record));
  waiters_.push_back({deadline, std::move(done)});
  if (deadline < next_expiry_) WatchDeadline(deadline);
  if (taker_waits_) changed_.NotifyAll();
}

void AppendQueue::WatchDeadline(absl::Time deadline) {
  next_expiry_ = deadline;
  timer_.RunAt(deadline, [this] { Expire(); });
}

void AppendQueue::Expire() {
  std::vector<EventLog::Done> expired;
  {
    MutexLock lock(mutex_);
    const absl::Time now = absl::Now();
    absl::Time next = absl::InfiniteFuture();
    for (Waiter& waiter : waiters_) {
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
  for (EventLog::Done& done : expired) done(Expired());
}

void AppendQueue::WaitForGroup() {
  taker_waits_ = true;
  while (queue_.empty() && !closed_) changed_.Wait(mutex_);
  // Busy: the last group began a moment ago. Let this one grow, but never past the promised wait.
  while (!closed_ && queued_bytes_ < options_.full_group_bytes) {
    const absl::Duration left = last_group_ + options_.max_wait - Clock::System().MonotonicNow();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mutex_, std::min(left, options_.max_wait));
  }
  taker_waits_ = false;
}

std::vector<EncodedRecord> AppendQueue::Take() {
  MutexLock lock(mutex_);
  std::vector<EncodedRecord> group;
  while (group.empty()) {
    WaitForGroup();
    if (queue_.empty()) return group;
    last_group_ = Clock::System().MonotonicNow();
    size_t next = 0;
    while (!queue_.empty() && in_flight_bytes_ < options_.max_group_bytes) {
      const auto bytes = static_cast<int64_t>(queue_.front().FramedBytes());
      if (waiters_[next].done) {
        in_flight_bytes_ += bytes;
        group.push_back(std::move(queue_.front()));
        ++next;
      } else {
        // Its caller was told already that it wasn't in time: why write it.
        queued_bytes_ -= bytes;
        Counters::Add(counters_.queued_bytes, -bytes);
        waiters_.erase(waiters_.begin() + static_cast<std::ptrdiff_t>(next));
      }
      queue_.pop_front();
    }
    in_flight_ = next;
  }
  return group;
}

void AppendQueue::Finish(absl::StatusOr<Offset> first) {
  std::vector<EventLog::Done> finished;
  {
    MutexLock lock(mutex_);
    finished.reserve(in_flight_);
    for (; in_flight_ > 0; --in_flight_) {
      finished.push_back(std::move(waiters_.front().done));
      waiters_.pop_front();
    }
    queued_bytes_ -= in_flight_bytes_;
    Counters::Add(counters_.queued_bytes, -in_flight_bytes_);
    in_flight_bytes_ = 0;
  }
  for (size_t i = 0; i < finished.size(); ++i) {
    if (!finished[i]) continue;
    if (first.ok()) {
      finished[i](*first + static_cast<Offset>(i));
    } else {
      Counters::Add(counters_.failed_appends, 1);
      finished[i](first.status());
    }
  }
}

void AppendQueue::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

void AppendQueue::RefuseQueued() {
  std::vector<EventLog::Done> refused;
  MutexLock lock(mutex_);
  while (waiters_.size() > in_flight_) {
    if (waiters_.back().done) refused.push_back(std::move(waiters_.back().done));
    waiters_.pop_back();
  }
  for (const EncodedRecord& record : queue_) {
    queued_bytes_ -= static_cast<int64_t>(record.FramedBytes());
    Counters::Add(counters_.queued_bytes, -static_cast<int64_t>(record.FramedBytes()));
  }
  queue_.clear();
  for (EventLog::Done& done : refused) Refuse(std::move(done), absl::UnavailableError("the log is stopped"));
}

}  // namespace rivermeet::eventlog::internal
