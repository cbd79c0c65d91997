// A process's gRPC server: every service of the process is added to it, other services and clients call it.
#ifndef RIVERMEET_RPC_SERVER_H_
#define RIVERMEET_RPC_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rivermeet::rpc {

struct ServerOptions {
  // "host:port"; port 0 takes any free one. Empty: in-process channels only. Loopback or a private network: Debian
  // 12's gRPC has open advisories and must not face the internet.
  std::string listen;
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  // Memory for messages under way, in bytes.
  size_t memory_quota_bytes = size_t{512} << 20;
  // Threads for services that are not asynchronous: a call beyond them is refused with RESOURCE_EXHAUSTED.
  int max_threads = 128;
};

class Server {
 public:
  // Starts to listen and serve. `services` outlive the server. The gRPC health service and keepalive limits are
  // built in.
  //
  // Errors:
  //   ALREADY_EXISTS    The address is taken; the message names it.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const std::vector<grpc::Service*>& services);
  ~Server();

  // The port it listens on; 0 without one.
  int port() const { return port_; }

  // A channel that does not leave the process. Good as long as the server runs.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  // What gRPC's health service answers; NOT_SERVING until it is told otherwise.
  void SetServing(bool serving);

  // Takes no new calls, waits for the running ones until `deadline`, then cancels them.
  void Stop(absl::Time deadline);

 private:
  Server() = default;

  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_SERVER_H_
