#include "ingest.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "base/status.h"

namespace rivermeet::load {

void Result::Add(const Result& other) {
  sent.Add(other.sent);
  measured_events += other.measured_events;
  measured = std::max(measured, other.measured);
  ack.Add(other.ack);
  positions.insert(positions.end(), other.positions.begin(), other.positions.end());
  if (!other.visibility_token.empty()) visibility_token = other.visibility_token;
}

absl::Time Pacer::Wait(uint64_t count) {
  if (per_second_ <= 0) return absl::Now();
  const absl::Time due = start_ + absl::Seconds(static_cast<double>(sent_) / per_second_);
  sent_ += count;
  if (const absl::Duration left = due - absl::Now(); left > absl::ZeroDuration()) absl::SleepFor(left);
  return due;
}

absl::StatusOr<Result> RunConnections(uint32_t connections,
                                      const std::function<absl::StatusOr<Result>(uint32_t)>& connection) {
  std::vector<std::optional<absl::StatusOr<Result>>> results(connections);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < connections; ++i) {
    threads.emplace_back([&, i] { results[i] = connection(i); });
  }
  for (std::thread& thread : threads) thread.join();
  Result total;
  for (const auto& result : results) {
    RM_RETURN_IF_ERROR(result->status());
    total.Add(**result);
  }
  return total;
}

}  // namespace rivermeet::load
