// How often somebody may try: counts failures by account and by address.
#ifndef RIVERMEET_AUTH_LOGIN_LIMITER_H_
#define RIVERMEET_AUTH_LOGIN_LIMITER_H_

#include <deque>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"

namespace rivermeet::auth {

struct LoginLimits {
  int failures_per_account = 10;
  absl::Duration account_window = absl::Minutes(5);
  int failures_per_address = 30;
  absl::Duration address_window = absl::Minutes(1);
  // Accounts and addresses remembered, each; the first that came are forgotten first.
  size_t max_entries = 20'000;
};

// In memory, for this process: a restart forgets. Thread-safe; never blocks.
class LoginLimiter {
 public:
  // `clock` outlives this.
  LoginLimiter(LoginLimits limits, const Clock& clock);

  // Counts a try as failed, before it is known to be, so that many at the same time don't pass together. False when
  // the account or the address has had too many: then it is not counted.
  bool Begin(std::string_view account, std::string_view address);

  // The try begun was good: it no longer counts, and the account starts anew.
  void Succeeded(std::string_view account, std::string_view address);

  // It never came to the answer: the try no longer counts.
  void Undo(std::string_view account, std::string_view address);

 private:
  // A token bucket: `used` drains by `limit` a `window`.
  struct Bucket {
    double used = 0;
    absl::Duration seen;
  };
  class Table {
   public:
    Table(int limit, absl::Duration window, size_t max_entries);
    bool HasRoom(std::string_view key, absl::Duration now);
    void Add(std::string_view key, absl::Duration now);
    void TakeBack(std::string_view key);
    void Forget(std::string_view key);

   private:
    Bucket* Drained(std::string_view key, absl::Duration now);
    const double limit_;
    const absl::Duration window_;
    const size_t max_entries_;
    StringMap<Bucket> buckets_;
    // Keys in the order they came; the oldest go when there are too many.
    std::deque<std::string> order_;
  };

  const Clock& clock_;
  Mutex mutex_;
  Table accounts_ ABSL_GUARDED_BY(mutex_);
  Table addresses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_LOGIN_LIMITER_H_
