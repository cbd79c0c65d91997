#include "rpc/call.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "telemetry/trace.h"

namespace rivermeet::rpc {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr char kClientAddress[] = "x-rivermeet-client-address";
// As long as an IPv6 address with its zone may be.
constexpr size_t kMaxAddressBytes = 64;

std::string_view Metadata(const grpc::ServerContextBase& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  // The same header twice is as good as none: nobody honest sends it.
  if (found == metadata.end() || metadata.count(key) > 1) return {};
  return {found->second.data(), found->second.size()};
}

}  // namespace

CallInfo ReadCall(const grpc::ServerContextBase& context) {
  CallInfo info;
  const std::string_view authorization = Metadata(context, "authorization");
  if (authorization.starts_with(kBearer)) info.bearer = authorization.substr(kBearer.size());
  const auto parent = telemetry::TraceContext::Parse(Metadata(context, "traceparent"));
  info.traceparent = (parent ? parent->Child() : telemetry::TraceContext::NewRoot()).ToTraceparent();
  info.client_address = Metadata(context, kClientAddress).substr(0, kMaxAddressBytes);
  const auto deadline = context.deadline();
  if (deadline != std::chrono::system_clock::time_point::max()) info.deadline = absl::FromChrono(deadline);
  return info;
}

std::chrono::system_clock::time_point ToDeadline(absl::Time time) {
  if (time == absl::InfiniteFuture()) return std::chrono::system_clock::time_point::max();
  return absl::ToChronoTime(time);
}

void PrepareCall(grpc::ClientContext& context, const CallInfo& info, absl::Duration timeout) {
  if (!info.bearer.empty()) context.AddMetadata("authorization", std::string(kBearer) + info.bearer);
  if (!info.traceparent.empty()) context.AddMetadata("traceparent", info.traceparent);
  if (!info.client_address.empty()) context.AddMetadata(kClientAddress, info.client_address);
  const absl::Time deadline = std::min(info.deadline, absl::Now() + timeout);
  context.set_deadline(ToDeadline(deadline));
}

}  // namespace rivermeet::rpc
