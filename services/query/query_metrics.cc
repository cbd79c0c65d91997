#include "query/query_metrics.h"

#include <string>

#include "base/strings.h"

namespace rivermeet::query {
namespace {

prometheus::Counter& AddCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

QueryMetrics::QueryMetrics(prometheus::Registry& registry)
    : calls_(prometheus::BuildCounter()
                 .Name("rivermeet_query_calls_total")
                 .Help("Calls answered, by method and status code.")
                 .Register(registry)),
      seconds_(prometheus::BuildHistogram()
                   .Name("rivermeet_query_seconds")
                   .Help("Time a call took, by method.")
                   .Register(registry)),
      hot_rows(AddCounter(registry, "rivermeet_query_hot_rows_total", "Rollup rows read from owners' memory.")),
      stored_rows(AddCounter(registry, "rivermeet_query_stored_rows_total", "Rollup rows read from segments.")),
      segments(AddCounter(registry, "rivermeet_query_segments_total", "Segment files opened.")),
      retries(AddCounter(registry, "rivermeet_query_retries_total",
                         "Attempts repeated because an owner was away or had changed.")),
      subscriptions(prometheus::BuildGauge()
                        .Name("rivermeet_query_subscriptions")
                        .Help("Subscriptions that run now.")
                        .Register(registry)
                        .Add({})),
      updates(AddCounter(registry, "rivermeet_query_updates_total", "Messages sent to subscribers.")),
      update_rows(AddCounter(registry, "rivermeet_query_update_rows_total", "Rows in messages sent to subscribers.")),
      reconnects(AddCounter(registry, "rivermeet_query_reconnects_total", "Watches that ended and were made anew.")),
      update_delay(prometheus::BuildHistogram()
                       .Name("rivermeet_query_update_delay_seconds")
                       .Help("From the durable append of the newest event to the message that shows it.")
                       .Register(registry)
                       .Add({}, telemetry::LatencyBuckets())) {}

void QueryMetrics::Finished(std::string_view method, const absl::Status& status, absl::Duration taken) {
  const std::string name(method);
  calls_.Add({{"method", name}, {"code", absl::StatusCodeToString(status.code())}}).Increment();
  seconds_.Add({{"method", name}}, telemetry::LatencyBuckets()).Observe(absl::ToDoubleSeconds(taken));
}

}  // namespace rivermeet::query
