// A caller's change of mind.
#ifndef RIVERMEET_QUERY_CANCELLATION_H_
#define RIVERMEET_QUERY_CANCELLATION_H_

#include <functional>
#include <map>
#include <utility>

#include "base/mutex.h"

namespace rivermeet::query {

// Thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Runs what was registered, once.
  void Cancel() {
    MutexLock lock(mutex_);
    if (std::exchange(cancelled_, true)) return;
    for (const auto& [id, action] : actions_) action();
  }

  bool cancelled() const {
    MutexLock lock(mutex_);
    return cancelled_;
  }

  // Runs `action` at Cancel(), or here and now when that has been, until the registration is destroyed; never after.
  // `action` must be quick and not come back to this object. A null `of` is allowed and never cancels.
  class Registration {
   public:
    Registration(Cancellation* of, std::function<void()> action) : of_(of) {
      if (of_ == nullptr) return;
      MutexLock lock(of_->mutex_);
      if (of_->cancelled_) {
        action();
        of_ = nullptr;
        return;
      }
      id_ = of_->next_id_++;
      of_->actions_.emplace(id_, std::move(action));
    }
    ~Registration() {
      if (of_ == nullptr) return;
      MutexLock lock(of_->mutex_);
      of_->actions_.erase(id_);
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    Cancellation* of_;
    uint64_t id_ = 0;
  };

 private:
  mutable Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::function<void()>> actions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_CANCELLATION_H_
