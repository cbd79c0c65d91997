#include "suite/readiness.h"

#include <utility>

#include "absl/time/clock.h"
#include "base/strings.h"
#include "telemetry/logging.h"

namespace rivermeet::suite {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(2);
constexpr absl::Duration kPatience = absl::Seconds(1);

}  // namespace

Readiness::Readiness(std::vector<Dependency> dependencies, telemetry::Health& health, std::function<void(bool)> ready,
                     const Clock& clock)
    : dependencies_(std::move(dependencies)),
      health_(health),
      ready_(std::move(ready)),
      clock_(clock),
      away_since_(dependencies_.size()) {
  // It started with all of them.
  for (const Dependency& dependency : dependencies_) health_.Set(dependency.name, true);
}

Readiness::~Readiness() {
  stop_.Stop();
  if (thread_.joinable()) thread_.join();
}

void Readiness::Start() {
  thread_ = std::thread([this] {
    do {
      Look();
    } while (stop_.SleepFor(kEvery));
  });
}

void Readiness::Look() {
  for (size_t i = 0; i < dependencies_.size(); ++i) {
    const Dependency& dependency = dependencies_[i];
    std::optional<absl::Duration>& since = away_since_[i];
    const absl::Status status = dependency.check(absl::Now() + kPatience);
    const absl::Duration now = clock_.MonotonicNow();
    if (status.ok()) {
      if (std::exchange(since, std::nullopt)) {
        telemetry::Log(telemetry::Level::kInfo, "a dependency is back", {{"dependency", dependency.name}});
      }
      health_.Set(dependency.name, true);
      continue;
    }
    if (!since) {
      since = now;
      telemetry::Log(telemetry::Level::kWarn, "a dependency is away",
                     {{"dependency", dependency.name}, {"error", status}});
    }
    health_.Set(dependency.name, now - *since < dependency.grace,
                fmt::format("away for {} s", absl::ToInt64Seconds(now - *since)));
  }
  ready_(health_.Ready());
}

}  // namespace rivermeet::suite
