// Calls to the services behind the gateway, by name and with bytes: awaited in coroutines, never blocking a thread.
#ifndef RIVERMEET_GATEWAY_UPSTREAM_H_
#define RIVERMEET_GATEWAY_UPSTREAM_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "gateway/gateway_metrics.h"
#include "google/protobuf/message.h"
#include "net/task.h"
#include "rpc/call.h"
#include "rpc/circuit_breaker.h"

namespace rivermeet::gateway {

// By a service's full name, for example "rivermeet.query.v1.QueryService".
using Channels = std::map<std::string, std::shared_ptr<grpc::Channel>, std::less<>>;

// Message bytes on their way through gRPC.
grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message);
grpc::ByteBuffer ToBytes(std::string bytes);  // Without a copy.
std::string FromBytes(const grpc::ByteBuffer& bytes);
// Errors: INTERNAL, the bytes are no such message.
absl::Status ParseBytes(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

// A call that can be given up from outside its coroutine.
class Cancellation {
 public:
  void Cancel();
  bool cancelled() const { return cancelled_; }
  // What to do on Cancel(); done at once when that has been called.
  void OnCancel(std::function<void()> action);

 private:
  std::function<void()> action_;
  bool cancelled_ = false;
};

// A stream of messages from a service, read from one coroutine. Letting go of it cancels it.
class UpstreamStream {
 public:
  enum class Next { kMessage, kQuiet, kEnd };
  virtual ~UpstreamStream() = default;

  // The next message in `message`; or kQuiet when none comes within `patience`. One message is read ahead at most.
  virtual net::Task<Next> Read(absl::Duration patience, grpc::ByteBuffer& message) = 0;
  // Ends the call; Read() returns kEnd soon. From the coroutine's thread.
  virtual void Cancel() = 0;
  // How it ended, after kEnd.
  virtual absl::Status status() const = 0;
};

// Thread-safe.
class Upstream {
 public:
  // Both outlive this.
  Upstream(Channels channels, GatewayMetrics& metrics, const Clock& clock);
  ~Upstream();

  // Calls a unary RPC; `path` is "/package.Service/Method". `cancellation` is of the coroutine's thread.
  //
  // Errors: those of the service, and
  //   UNIMPLEMENTED      Nothing serves it.
  //   UNAVAILABLE        It can't be reached, or has stopped answering (rpc/circuit_breaker.h).
  //   DEADLINE_EXCEEDED  No answer within `timeout` or the call's own deadline.
  // RetryAfter() of an error says when to come back, when the service said so.
  net::Task<absl::StatusOr<grpc::ByteBuffer>> Unary(std::string path, rpc::CallInfo call, absl::Duration timeout,
                                                    grpc::ByteBuffer request, Cancellation* cancellation);

  // Begins a call that answers with a stream, for a coroutine on `executor`.
  absl::StatusOr<std::shared_ptr<UpstreamStream>> Stream(const std::string& path, const rpc::CallInfo& call,
                                                         absl::Duration timeout, grpc::ByteBuffer request,
                                                         boost::asio::any_io_executor executor);

  // Waits until every stream has ended; only then may the executors go.
  void WaitForStreams();

 private:
  friend class ReactorStream;
  struct Outstanding {
    Mutex mutex;
    CondVar none;
    int streams ABSL_GUARDED_BY(mutex) = 0;
  };

  struct Service {
    std::unique_ptr<grpc::GenericStub> stub;
    std::unique_ptr<rpc::CircuitBreaker> breaker;
  };

  // Errors: UNIMPLEMENTED, nothing serves it.
  absl::StatusOr<const Service*> ServiceOf(std::string_view path) const;
  absl::StatusOr<rpc::CircuitBreaker::Pass> Enter(const Service& service);

  GatewayMetrics& metrics_;
  const std::shared_ptr<Outstanding> outstanding_ = std::make_shared<Outstanding>();
  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_UPSTREAM_H_
