#include "telemetry/trace.h"

#include "base/ids.h"
#include "base/strings.h"

namespace rivermeet::telemetry {
namespace {

bool IsLowerHex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool IsId(std::string_view text) { return IsLowerHex(text) && text.find_first_not_of('0') != std::string_view::npos; }

std::string RandomHex(size_t bytes) {
  std::string hex;
  for (const unsigned char byte : RandomBytes(bytes)) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace

TraceContext TraceContext::NewRoot() { return {.trace_id = RandomHex(16), .span_id = RandomHex(8)}; }

std::optional<TraceContext> TraceContext::Parse(std::string_view traceparent) {
  const std::vector<std::string_view> parts = Split(traceparent, '-');
  if (parts.size() < 4 || parts[0].size() != 2 || !IsLowerHex(parts[0]) || parts[0] == "ff") return std::nullopt;
  if (parts[0] == "00" && parts.size() != 4) return std::nullopt;
  if (parts[1].size() != 32 || !IsId(parts[1]) || parts[2].size() != 16 || !IsId(parts[2])) return std::nullopt;
  if (parts[3].size() != 2 || !IsLowerHex(parts[3])) return std::nullopt;
  const bool sampled = ((parts[3][1] >= 'a' ? parts[3][1] - 'a' + 10 : parts[3][1] - '0') & 1) != 0;
  return TraceContext{std::string(parts[1]), std::string(parts[2]), sampled};
}

TraceContext TraceContext::Child() const { return {trace_id, RandomHex(8), sampled}; }

std::string TraceContext::ToTraceparent() const {
  return fmt::format("00-{}-{}-{}", trace_id, span_id, sampled ? "01" : "00");
}

}  // namespace rivermeet::telemetry
