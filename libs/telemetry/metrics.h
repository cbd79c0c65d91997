// Prometheus metrics of a process. Each component has one class with all its metrics, made from the registry.
#ifndef RIVERMEET_TELEMETRY_METRICS_H_
#define RIVERMEET_TELEMETRY_METRICS_H_

#include <memory>
#include <string>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace rivermeet::telemetry {

// The text exposition format of what `sources` collect, followed by the process's own metrics (resident memory, CPU
// seconds, open descriptors, threads, start time) under Prometheus' standard names.
std::string RenderMetrics(const std::vector<const prometheus::Collectable*>& sources);

// Bucket bounds in seconds for latencies from 50 us to 10 s, five a decade.
const std::vector<double>& LatencyBuckets();

}  // namespace rivermeet::telemetry

#endif  // RIVERMEET_TELEMETRY_METRICS_H_
