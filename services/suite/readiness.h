// Looks at what a process stands on, and says whether it can do its work.
#ifndef RIVERMEET_SUITE_READINESS_H_
#define RIVERMEET_SUITE_READINESS_H_

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/stop_signal.h"
#include "telemetry/health.h"

namespace rivermeet::suite {

// Something that can go away while the process runs.
struct Dependency {
  std::string name;
  // Whether it answers; blocks until the deadline at most.
  std::function<absl::Status(absl::Time deadline)> check;
  // How long the process does its work without it.
  absl::Duration grace;
};

// Checks each dependency every two seconds once started; health tells at once that one is away, and that the process
// isn't ready once it has been away for its grace.
class Readiness {
 public:
  // `ready` hears after each look whether the whole process is. `health` and `clock` outlive this.
  Readiness(std::vector<Dependency> dependencies, telemetry::Health& health, std::function<void(bool)> ready,
            const Clock& clock = Clock::System());
  ~Readiness();

  void Start();
  // One look, as the thread has each two seconds.
  void Look();

 private:
  const std::vector<Dependency> dependencies_;
  telemetry::Health& health_;
  const std::function<void(bool)> ready_;
  const Clock& clock_;
  // Since when each is away; of the thread that looks.
  std::vector<std::optional<absl::Duration>> away_since_;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_READINESS_H_
