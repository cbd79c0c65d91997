// Channels to other services, all made alike: keepalive, message limits, retries with a budget.
#ifndef RIVERMEET_RPC_CHANNEL_H_
#define RIVERMEET_RPC_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace rivermeet::rpc {

// The largest message between services, sent or received, in bytes. Above the bulk body's limit.
inline constexpr int kMaxMessageBytes = 16 << 20;

// While calls are under way, a connection that was silent for so long is pinged, and closed when no answer comes in
// time: its calls end with UNAVAILABLE. Other servers than ours may take that for abuse (their default is 5 minutes).
inline constexpr absl::Duration kPingInterval = absl::Seconds(5);
inline constexpr absl::Duration kPingTimeout = absl::Seconds(4);

// A channel to "host:port". Connects when first used. Calls that fail with UNAVAILABLE before the server saw them
// are tried up to four times, 0.1 s to 1 s apart with jitter, as long as at most one call in ten fails (gRFC A6).
// Not for calls that send more than one message: gRPC's retries can end the process that makes them (docs/adr/0060).
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials());

// The same for calls that send more than one message, as IngestStream does: gRPC tries nothing again, the caller does.
std::shared_ptr<grpc::Channel> MakeStreamingChannel(
    const std::string& address,
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials());

// Arguments that every channel of ours has, in-process ones too. gRPC takes the first of an argument set twice: what
// is set here can't be changed.
grpc::ChannelArguments ChannelArguments();

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_CHANNEL_H_
