#include "telemetry/metrics.h"

#include <catch2/catch.hpp>

namespace rivermeet::telemetry {
namespace {

TEST_CASE("the exposition holds our metrics and the process's own", "[telemetry]") {
  prometheus::Registry registry;
  prometheus::BuildCounter().Name("rivermeet_test_events_total").Register(registry).Add({{"kind", "a"}}).Increment(3);
  const std::string text = RenderMetrics({&registry});
  CHECK(text.find("rivermeet_test_events_total{kind=\"a\"} 3") != std::string::npos);
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                           "process_threads", "process_start_time_seconds"}) {
    CHECK(text.find(std::string("\n") + name + " ") != std::string::npos);
  }
  CHECK(text.find("process_resident_memory_bytes 0\n") == std::string::npos);
}

}  // namespace
}  // namespace rivermeet::telemetry
