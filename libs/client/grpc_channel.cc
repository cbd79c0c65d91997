#include "client/grpc_channel.h"

#include <string>

#include "base/loopback.h"
#include "base/status.h"
#include "rpc/channel.h"
#include "rpc/credentials.h"

namespace rivermeet::client {

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const Connection& connection) {
  constexpr std::string_view kTls = "https://";
  const bool asked = connection.grpc_address.starts_with(kTls);
  const std::string address = connection.grpc_address.substr(asked ? kTls.size() : 0);
  if (!asked && (connection.plain_http || IsLoopback(address))) return rpc::MakeStreamingChannel(address);
  RM_ASSIGN_OR_RETURN(auto credentials, rpc::ClientCredentials(connection.authority_file));
  return rpc::MakeStreamingChannel(address, std::move(credentials));
}

}  // namespace rivermeet::client
