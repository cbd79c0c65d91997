// W3C Trace Context (Recommendation of 23 November 2021), level 1: carried through HTTP, gRPC and log records.
#ifndef RIVERMEET_TELEMETRY_TRACE_H_
#define RIVERMEET_TELEMETRY_TRACE_H_

#include <optional>
#include <string>
#include <string_view>

namespace rivermeet::telemetry {

// Which request a piece of work belongs to.
struct TraceContext {
  std::string trace_id;  // 32 lower-case hexadecimal digits, not all zero
  std::string span_id;   // 16 lower-case hexadecimal digits, not all zero
  bool sampled = false;

  // A new trace, not sampled.
  static TraceContext NewRoot();

  // From a `traceparent` header; nothing when it is malformed: the caller then starts a new trace.
  static std::optional<TraceContext> Parse(std::string_view traceparent);

  // The same trace with a span of its own.
  TraceContext Child() const;

  // As a `traceparent` header of version 00.
  std::string ToTraceparent() const;
};

}  // namespace rivermeet::telemetry

#endif  // RIVERMEET_TELEMETRY_TRACE_H_
