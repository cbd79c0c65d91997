#include "ingest/grpc_streams.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "rpc/status.h"

namespace rivermeet::ingest {
namespace {

constexpr std::string_view kService = "rivermeet.ingest.v1.StreamService.";
// For a caller that names no deadline.
constexpr absl::Duration kTimeout = absl::Seconds(10);

}  // namespace

template <typename Rule>
grpc::ServerUnaryReactor* GrpcStreams::Serve(grpc::CallbackServerContext* context, std::string_view method, Rule rule) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  authorizer_.Authorize(
      *context, fmt::format("{}{}", kService, method), [=, this](const absl::StatusOr<rpc::Caller>& caller) {
        if (!caller.ok()) return reactor->Finish(rpc::ToGrpc(caller.status()));
        const absl::Time deadline = std::min(caller->call.deadline, clock_.Now() + kTimeout);
        const absl::Status submitted = workers_.Submit([reactor, rule, tenant = caller->principal.tenant, deadline] {
          reactor->Finish(rpc::ToGrpc(rule(tenant, deadline)));
        });
        if (!submitted.ok()) reactor->Finish(rpc::ToGrpc(submitted));
      });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcStreams::ListStreams(grpc::CallbackServerContext* context, const v1::ListStreamsRequest*,
                                                   v1::ListStreamsResponse* response) {
  return Serve(context, "ListStreams",
               [this, response](const std::string& tenant, absl::Time deadline) -> absl::Status {
                 RM_ASSIGN_OR_RETURN(std::vector<events::v1::Stream> streams, service_.List(tenant, deadline));
                 for (events::v1::Stream& stream : streams) *response->add_streams() = std::move(stream);
                 return absl::OkStatus();
               });
}

grpc::ServerUnaryReactor* GrpcStreams::GetStream(grpc::CallbackServerContext* context,
                                                 const v1::GetStreamRequest* request, v1::GetStreamResponse* response) {
  return Serve(context, "GetStream", [=, this](const std::string& tenant, absl::Time deadline) -> absl::Status {
    RM_ASSIGN_OR_RETURN(*response->mutable_stream(), service_.Get(tenant, request->name(), deadline));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcStreams::PutStream(grpc::CallbackServerContext* context,
                                                 const v1::PutStreamRequest* request, v1::PutStreamResponse* response) {
  return Serve(context, "PutStream", [=, this](const std::string& tenant, absl::Time deadline) -> absl::Status {
    RM_ASSIGN_OR_RETURN(*response->mutable_stream(), service_.Put(tenant, request->stream(), deadline));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcStreams::DeleteStream(grpc::CallbackServerContext* context,
                                                    const v1::DeleteStreamRequest* request, v1::DeleteStreamResponse*) {
  return Serve(context, "DeleteStream", [=, this](const std::string& tenant, absl::Time deadline) {
    return service_.Delete(tenant, request->name(), deadline);
  });
}

}  // namespace rivermeet::ingest
