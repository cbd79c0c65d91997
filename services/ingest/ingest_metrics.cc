#include "ingest/ingest_metrics.h"

#include <string>

#include "base/strings.h"

namespace rivermeet::ingest {
namespace {

constexpr std::array<const char*, kFormCount> kForms = {"columns", "rows", "json", "ndjson", "csv"};

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Histogram& Histogram(prometheus::Registry& registry, const char* name, const char* help,
                                 const std::vector<double>& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

}  // namespace

IngestMetrics::IngestMetrics(prometheus::Registry& registry)
    : requests_(prometheus::BuildCounter()
                    .Name("rivermeet_ingest_requests_total")
                    .Help("Requests that have ended, by form and canonical status code.")
                    .Register(registry)),
      record_events(Histogram(registry, "rivermeet_ingest_record_events", "Events of an appended record.",
                              {0, 1, 10, 100, 1000, 2000, 4000, 8000, 16384})),
      append_seconds(Histogram(registry, "rivermeet_ingest_append_seconds",
                               "Time from the start of an append to its durability.", telemetry::LatencyBuckets())),
      untouched_records(Counter(registry, "rivermeet_ingest_untouched_records_total",
                                "Records that hold the sender's bytes as they came.")),
      append_retries(Counter(registry, "rivermeet_ingest_append_retries_total",
                             "Appends begun again because the first one's outcome was unclear.")),
      inflight_bytes(Gauge(registry, "rivermeet_ingest_inflight_bytes", "Bytes of requests being worked on.")),
      streams_created(Counter(registry, "rivermeet_ingest_streams_created_total", "Streams made by a first send.")),
      catalog_away(Gauge(registry, "rivermeet_ingest_catalog_away", "1 while schemas can't be refreshed.")) {
  auto& accepted = prometheus::BuildCounter()
                       .Name("rivermeet_ingest_accepted_events_total")
                       .Help("Events made durable, by form.")
                       .Register(registry);
  auto& bytes = prometheus::BuildCounter()
                    .Name("rivermeet_ingest_received_bytes_total")
                    .Help("Bytes of batches, rows and bodies as they came, by form.")
                    .Register(registry);
  auto& seconds = prometheus::BuildHistogram()
                      .Name("rivermeet_ingest_request_seconds")
                      .Help("Time from a request's arrival to its answer, by form.")
                      .Register(registry);
  for (size_t f = 0; f < kFormCount; ++f) {
    accepted_[f] = &accepted.Add({{"form", kForms[f]}});
    bytes_[f] = &bytes.Add({{"form", kForms[f]}});
    seconds_[f] = &seconds.Add({{"form", kForms[f]}}, telemetry::LatencyBuckets());
    served_[f] = &requests_.Add({{"form", kForms[f]}, {"code", "OK"}});
  }
  auto& rejected = prometheus::BuildCounter()
                       .Name("rivermeet_ingest_rejected_events_total")
                       .Help("Events given back to their sender, by reason.")
                       .Register(registry);
  for (size_t r = 0; r < events::kReasonCount; ++r) {
    rejected_[r] = &rejected.Add({{"reason", std::string(events::ReasonName(static_cast<events::Reason>(r)))}});
  }
}

void IngestMetrics::Finished(Form form, size_t bytes, const absl::Status& status, absl::Duration taken) {
  const auto f = static_cast<size_t>(form);
  bytes_[f]->Increment(static_cast<double>(bytes));
  seconds_[f]->Observe(absl::ToDoubleSeconds(taken));
  if (status.ok()) return served_[f]->Increment();
  requests_.Add({{"form", kForms[f]}, {"code", std::string(absl::StatusCodeToString(status.code()))}}).Increment();
}

void IngestMetrics::Rejected(const events::ErrorList& errors) {
  if (errors.total() == 0) return;
  for (size_t r = 0; r < events::kReasonCount; ++r) {
    const uint64_t count = errors.count(static_cast<events::Reason>(r));
    if (count > 0) rejected_[r]->Increment(static_cast<double>(count));
  }
}

}  // namespace rivermeet::ingest
