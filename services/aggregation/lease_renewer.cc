#include "aggregation/lease_renewer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "telemetry/logging.h"

namespace rivermeet::aggregation {

LeaseRenewer::LeaseRenewer(LeaseRenewerOptions options, catalog::LeaseStore& leases,
                           std::function<void(const catalog::Lease&)> on_lost)
    : options_(std::move(options)), leases_(leases), on_lost_(std::move(on_lost)) {}

LeaseRenewer::~LeaseRenewer() { Stop(); }

void LeaseRenewer::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void LeaseRenewer::Stop() {
  stop_.Stop();
  if (thread_.joinable()) thread_.join();
}

void LeaseRenewer::Add(const catalog::Lease& lease, absl::Duration asked) {
  MutexLock lock(mutex_);
  held_[static_cast<uint32_t>(lease.partition)] = {lease, asked, nullptr};
}

void LeaseRenewer::Serve(std::shared_ptr<PartitionOwner> owner) {
  MutexLock lock(mutex_);
  const auto found = held_.find(owner->partition());
  const bool mine = found != held_.end() && static_cast<uint64_t>(found->second.lease.epoch) == owner->epoch();
  owner->set_serves_until(mine ? found->second.asked + options_.serving_time : absl::ZeroDuration());
  if (mine) found->second.owner = std::move(owner);
}

void LeaseRenewer::Remove(const catalog::Lease& lease) {
  MutexLock lock(mutex_);
  const auto found = held_.find(static_cast<uint32_t>(lease.partition));
  if (found != held_.end() && found->second.lease.epoch == lease.epoch) held_.erase(found);
}

void LeaseRenewer::Loop() {
  while (stop_.SleepUntil(options_.clock->MonotonicNow() + options_.renewal, *options_.clock)) Renew();
}

void LeaseRenewer::Renew() {
  std::vector<catalog::Lease> asked_for;
  {
    MutexLock lock(mutex_);
    for (const auto& [partition, held] : held_) asked_for.push_back(held.lease);
  }
  if (asked_for.empty()) return;
  const absl::Duration asked = options_.clock->MonotonicNow();
  const auto renewed = leases_.Renew(options_.owner, asked_for, absl::Now() + options_.renewal);
  if (!renewed.ok()) {
    telemetry::Log(telemetry::Level::kWarn, "leases not renewed", {{"status", renewed.status()}});
    return;
  }
  std::vector<catalog::Lease> lost;
  {
    MutexLock lock(mutex_);
    for (const catalog::Lease& lease : asked_for) {
      const auto found = held_.find(static_cast<uint32_t>(lease.partition));
      // It may have been given back, or taken anew, while the catalog was asked.
      if (found == held_.end() || found->second.lease.epoch != lease.epoch) continue;
      Held& held = found->second;
      const bool kept = std::any_of(renewed->begin(), renewed->end(), [&](const catalog::Lease& one) {
        return one.partition == lease.partition && one.epoch == lease.epoch;
      });
      if (kept) held.asked = asked;
      if (held.owner != nullptr) {
        held.owner->set_serves_until(kept ? asked + options_.serving_time : absl::ZeroDuration());
      }
      if (kept) continue;
      lost.push_back(lease);
      held_.erase(found);
    }
  }
  for (const catalog::Lease& lease : lost) on_lost_(lease);
}

}  // namespace rivermeet::aggregation
