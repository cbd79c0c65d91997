// Argon2id with a bound on the memory and cores that it takes.
#ifndef RIVERMEET_AUTH_PASSWORD_HASHER_H_
#define RIVERMEET_AUTH_PASSWORD_HASHER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace rivermeet::auth {

// Thread-safe. At most two computations (of 19 MiB and about 20 ms each) at a time and 64 waiting.
//
// Errors of every call:
//   RESOURCE_EXHAUSTED  Too many wait. Retry after a pause.
//   DEADLINE_EXCEEDED   The turn did not come in time.
class PasswordHasher {
 public:
  PasswordHasher();

  absl::StatusOr<std::string> Hash(std::string_view password, absl::Time deadline);

  // An empty `stored` takes as long as any other and is false: nobody learns by the time which users there are.
  absl::StatusOr<bool> Verify(std::string_view password, const std::string& stored, absl::Time deadline);

 private:
  absl::Status Enter(absl::Time deadline);
  void Leave();

  const std::string nobody_;
  Mutex mutex_;
  CondVar freed_;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_PASSWORD_HASHER_H_
