// The way to a suite's gRPC port.
#ifndef RIVERMEET_CLIENT_GRPC_CHANNEL_H_
#define RIVERMEET_CLIENT_GRPC_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "client/connection.h"

namespace rivermeet::client {

// A channel for streams (rpc::MakeStreamingChannel) to the connection's gRPC address; it connects when first used. With
// TLS to another machine, unless `plain_http` is set, and to an address that begins with "https://".
//
// Errors:
//   NOT_FOUND         The authority's file is missing.
//   INVALID_ARGUMENT  It is no certificate, or has expired.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const Connection& connection);

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_GRPC_CHANNEL_H_
