// One TCP connection, plain or under TLS, as calls that never block and a wait.
//
// OpenSSL works on the descriptor itself, so a TLS connection holds no buffers of Asio's and, with
// SSL_MODE_RELEASE_BUFFERS, none of its own while idle.
#ifndef RIVERMEET_NET_INTERNAL_TRANSPORT_H_
#define RIVERMEET_NET_INTERNAL_TRANSPORT_H_

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "net/internal/address_quota.h"
#include "net/server.h"
#include "net/task.h"

namespace rivermeet::net::internal {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

// A server's TLS 1.3 settings from its files. Errors: INVALID_ARGUMENT, the message names the file.
absl::StatusOr<SslContext> LoadTls(const TlsFiles& files);

struct IoResult {
  enum class Kind { kDone, kWantRead, kWantWrite, kEnd, kError } kind;
  size_t bytes = 0;
};

class Transport {
 public:
  // `tls` is nullptr for a plain connection; `place` is kept as long as the connection.
  Transport(Socket socket, SSL_CTX* tls, AddressQuota::Place place);
  Transport(Transport&&) = default;
  ~Transport();

  bool secure() const { return ssl_ != nullptr; }
  Socket& socket() { return socket_; }

  // Each does what it can at once. kDone from TryHandshake() ends the handshake; kEnd is the peer's end of stream.
  IoResult TryHandshake();
  IoResult TryRead(char* data, size_t size);
  IoResult TryWrite(std::span<const iovec> pieces);

  // Waits until the socket is ready, as `kind` of the last result says. False when it was closed meanwhile.
  Task<bool> Wait(IoResult::Kind kind);

  // Says that nothing more will be written.
  void ShutdownSend();
  // Ends the connection; every Wait() returns false.
  void Close();
  bool is_open() const { return socket_.is_open(); }

 private:
  struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  IoResult SslResult(int returned);

  // After the socket is gone.
  AddressQuota::Place place_;
  Socket socket_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
};

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_TRANSPORT_H_
