// Cuts connections whose server does not answer by a deadline: libpq's calls have no timeout of their own.
#ifndef RIVERMEET_CATALOG_INTERNAL_STALL_GUARD_H_
#define RIVERMEET_CATALOG_INTERNAL_STALL_GUARD_H_

#include <map>
#include <thread>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace rivermeet::catalog {

// Shuts a watched socket down once its deadline has passed, which makes the call blocked on it fail. Thread-safe.
class StallGuard {
 public:
  StallGuard();
  ~StallGuard();

  // Watches `socket` while it lives. The socket stays open until then.
  class Watch {
   public:
    Watch(StallGuard& guard, int socket, absl::Time deadline);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    StallGuard& guard_;
    std::multimap<absl::Time, int>::iterator entry_;
  };

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  std::multimap<absl::Time, int> watched_ ABSL_GUARDED_BY(mutex_);
  // When the thread looks again by itself: only an earlier deadline has to wake it.
  absl::Time wakes_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_INTERNAL_STALL_GUARD_H_
