// An HTTP/1.1 and WebSocket server.
//
// Every connection lives on one of a few worker threads from its first byte to its last, so nothing in it is locked.
// Whatever a client does, it costs bounded memory and bounded time: every limit is in ServerOptions, BodyRules or
// WebSocketRules.
#ifndef RIVERMEET_NET_SERVER_H_
#define RIVERMEET_NET_SERVER_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "net/http.h"

namespace rivermeet::net {

// PEM files. The key must be readable by its owner only.
struct TlsFiles {
  std::string certificate_chain;
  std::string private_key;
};

struct ServerOptions {
  // An IP address or "localhost". Anything but loopback needs `tls`.
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: the system chooses; see Server::port().
  int threads = 1;
  std::optional<TlsFiles> tls{};  // TLS 1.3 only.
  // Beyond this, and whenever the process is short of descriptors, a new connection is answered with 503 and closed.
  // Lowered at Open() to what the process's descriptor limit leaves after 64 for others.
  size_t max_connections = 20000;
  // The same for those of one client: an IPv4 address, or an IPv6 network of 64 bits.
  size_t max_connections_per_client = 20000;
  HeadLimits head{};
  // All bodies in memory together; beyond it requests are answered with 503.
  size_t max_body_memory_bytes = 512 << 20;
  absl::Duration header_timeout = absl::Seconds(10);  // From the first byte of a request to the end of its head.
  absl::Duration idle_timeout = absl::Seconds(75);    // Between requests, and before the first.
  absl::Duration write_timeout = absl::Seconds(30);   // Without the client taking a single byte.
  size_t min_body_bytes_per_second = 500;             // On average, after the first 5 s of a body.
  bool compress = true;                               // gzip responses where the client takes it and it pays.
  const Clock* clock = &Clock::System();
};

// Counters since the start, and current numbers; for metrics.
struct ServerStats {
  size_t connections = 0;
  size_t websockets = 0;
  uint64_t accepted = 0;
  uint64_t refused = 0;  // Answered with 503 at the door.
  uint64_t requests = 0;
  uint64_t malformed = 0;    // Answered with 4xx or 5xx before the handler was called.
  uint64_t timed_out = 0;    // Closed for taking too long.
  uint64_t failed = 0;       // Handlers that threw.
  uint64_t slow_closed = 0;  // Sockets closed with 1013.
  size_t body_bytes = 0;     // Bodies in memory now.
};

class Server {
 public:
  // Binds and listens; nothing is accepted before Start(). `handler` outlives the server.
  //
  // Errors:
  //   INVALID_ARGUMENT     The address is no IP address, or not loopback without TLS; or the TLS files don't work.
  //   ALREADY_EXISTS       Something else listens there; the message names the address.
  //   PERMISSION_DENIED    Not allowed to bind there.
  //   UNAVAILABLE          Anything else the system says.
  static absl::StatusOr<std::unique_ptr<Server>> Open(ServerOptions options, Handler& handler);

  virtual ~Server() = default;

  virtual void Start() = 0;

  // Stops accepting, ends idle connections, closes WebSockets with 1001, lets requests in flight finish with
  // "Connection: close" until `deadline`, then cuts them off (calling OnGone) and waits for their handlers to return.
  // Idempotent; the destructor calls it with a deadline in the past.
  virtual void Stop(absl::Time deadline) = 0;

  virtual uint16_t port() const = 0;
  // "http://127.0.0.1:7400"
  virtual std::string url() const = 0;
  virtual int threads() const = 0;
  virtual ServerStats Stats() const = 0;

  // Runs `work` on a worker thread soon; false after Stop().
  virtual bool Post(int worker, std::function<void()> work) = 0;

  // A worker thread's executor, for coroutines of the application's own. Their work has to end for Stop() to return;
  // posting to it is safe as long as the server exists.
  virtual boost::asio::any_io_executor executor(int worker) = 0;

  // Reads the TLS files again for connections to come. Errors as Open(); the old ones stay in use then.
  virtual absl::Status ReloadTls() = 0;
};

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_SERVER_H_
