#include "telemetry/trace.h"

#include <catch2/catch.hpp>

namespace rivermeet::telemetry {
namespace {

TEST_CASE("a traceparent survives parsing and writing", "[telemetry]") {
  const std::string text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto parsed = TraceContext::Parse(text);
  REQUIRE(parsed.has_value());
  CHECK(parsed->sampled);
  CHECK(parsed->ToTraceparent() == text);
  CHECK(parsed->Child().trace_id == parsed->trace_id);
  CHECK(parsed->Child().span_id != parsed->span_id);
}

TEST_CASE("malformed traceparents are refused", "[telemetry]") {
  for (const char* bad : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                          "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01"}) {
    CHECK_FALSE(TraceContext::Parse(bad).has_value());
  }
  CHECK(TraceContext::Parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later").has_value());
}

TEST_CASE("new roots are distinct", "[telemetry]") {
  CHECK(TraceContext::NewRoot().trace_id != TraceContext::NewRoot().trace_id);
  CHECK(TraceContext::Parse(TraceContext::NewRoot().ToTraceparent()).has_value());
}

}  // namespace
}  // namespace rivermeet::telemetry
