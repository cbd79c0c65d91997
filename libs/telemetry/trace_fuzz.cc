// Any text as a traceparent header: what is taken is written again as a header that means the same.
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "telemetry/trace.h"

using rivermeet::telemetry::TraceContext;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto context = TraceContext::Parse({reinterpret_cast<const char*>(data), size});
  if (!context) return 0;
  const auto again = TraceContext::Parse(context->ToTraceparent());
  RM_CHECK(again && again->trace_id == context->trace_id && again->span_id == context->span_id &&
           again->sampled == context->sampled);
  return 0;
}
