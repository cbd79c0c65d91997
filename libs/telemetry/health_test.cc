#include "telemetry/health.h"

#include <catch2/catch.hpp>

namespace rivermeet::telemetry {
namespace {

TEST_CASE("a process is ready when every component is", "[telemetry]") {
  Health health;
  health.Add("catalog");
  health.Add("ingest");
  CHECK_FALSE(health.Ready());
  health.Set("catalog", true);
  health.Set("ingest", false, "log away");
  CHECK_FALSE(health.Ready());
  CHECK(health.ToJson() == R"({"ready":false,"components":{"catalog":"ok","ingest":"log away"}})");
  health.Set("ingest", true);
  CHECK(health.Ready());
}

}  // namespace
}  // namespace rivermeet::telemetry
