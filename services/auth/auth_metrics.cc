#include "auth/auth_metrics.h"

#include <string>

namespace rivermeet::auth {

AuthMetrics::AuthMetrics(prometheus::Registry& registry)
    : calls_(prometheus::BuildCounter()
                 .Name("rivermeet_auth_calls_total")
                 .Help("Calls answered, by method and status code.")
                 .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name("rivermeet_auth_seconds")
                   .Help("Time a call took, by method.")
                   .Register(registry)),
      keys_read(prometheus::BuildGauge()
                    .Name("rivermeet_auth_keys_read_timestamp_seconds")
                    .Help("When the signing keys were last read from the catalog.")
                    .Register(registry)
                    .Add({})),
      keys_failures(prometheus::BuildCounter()
                        .Name("rivermeet_auth_keys_failures_total")
                        .Help("Times the signing keys could not be read from the catalog.")
                        .Register(registry)
                        .Add({})) {}

void AuthMetrics::Finished(std::string_view method, const absl::Status& status, absl::Duration taken) {
  const std::string name(method);
  calls_.Add({{"method", name}, {"code", absl::StatusCodeToString(status.code())}}).Increment();
  seconds_.Add({{"method", name}}, telemetry::LatencyBuckets()).Observe(absl::ToDoubleSeconds(taken));
}

}  // namespace rivermeet::auth
