#include "rpc/server.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include "base/strings.h"
#include "rpc/call.h"
#include "rpc/channel.h"

namespace rivermeet::rpc {

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      const std::vector<grpc::Service*>& services) {
  grpc::EnableDefaultHealthCheckService(true);
  std::unique_ptr<Server> made(new Server());
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  grpc::ResourceQuota quota("rivermeet");
  quota.Resize(options.memory_quota_bytes).SetMaxThreads(options.max_threads);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  // Clients of ours ping each kPingInterval while a call is silent; a timer may be early. Agents keep quiet
  // connections open.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kPingInterval)) / 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  // Two threads wait for the calls of services that are not asynchronous; more are made while calls run.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
  if (!options.listen.empty()) {
    builder.AddListeningPort(options.listen, options.credentials, &made->port_);
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  made->server_ = builder.BuildAndStart();
  if (made->server_ == nullptr || (!options.listen.empty() && made->port_ == 0)) {
    return absl::AlreadyExistsError(fmt::format(
        "gRPC can't listen on {} (rpc.listen): the address is taken or not this machine's", options.listen));
  }
  made->SetServing(false);
  return made;
}

Server::~Server() { Stop(absl::InfinitePast()); }

std::shared_ptr<grpc::Channel> Server::InProcessChannel() { return server_->InProcessChannel(ChannelArguments()); }

void Server::SetServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(serving); }

void Server::Stop(absl::Time deadline) {
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->Shutdown();
  server_->Shutdown(ToDeadline(deadline));
  server_->Wait();
  server_.reset();
}

}  // namespace rivermeet::rpc
