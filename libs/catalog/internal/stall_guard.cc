#include "catalog/internal/stall_guard.h"

#include <sys/socket.h>

#include "absl/time/clock.h"

namespace rivermeet::catalog {

StallGuard::StallGuard() : thread_([this] { Loop(); }) {}

StallGuard::~StallGuard() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

StallGuard::Watch::Watch(StallGuard& guard, int socket, absl::Time deadline) : guard_(guard) {
  bool earlier;
  {
    MutexLock lock(guard_.mutex_);
    entry_ = guard_.watched_.emplace(deadline, socket);
    earlier = deadline < guard_.wakes_;
  }
  if (earlier) guard_.changed_.NotifyAll();
}

StallGuard::Watch::~Watch() {
  MutexLock lock(guard_.mutex_);
  guard_.watched_.erase(entry_);
}

void StallGuard::Loop() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    const absl::Time now = absl::Now();
    auto entry = watched_.begin();
    // Once is enough, but twice does no harm: the entry stays until its call has returned.
    for (; entry != watched_.end() && entry->first <= now; ++entry) shutdown(entry->second, SHUT_RDWR);
    wakes_ = entry == watched_.end() ? absl::InfiniteFuture() : entry->first;
    if (wakes_ == absl::InfiniteFuture()) {
      changed_.Wait(mutex_);
    } else {
      changed_.WaitFor(mutex_, wakes_ - now);
    }
  }
}

}  // namespace rivermeet::catalog
