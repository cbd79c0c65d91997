#include "net/internal/transport.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/time/clock.h"
#include "base/certificate.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::net::internal {
namespace {

std::string SslError() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  ERR_clear_error();
  return text;
}

// Answers a client's ALPN offer: HTTP/1.1 or nothing.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                   unsigned in_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  if (SSL_select_next_proto(const_cast<unsigned char**>(out), out_length, kHttp11, sizeof kHttp11 - 1, in, in_length) ==
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

IoResult SystemResult(ssize_t returned, IoResult::Kind wanted) {
  if (returned > 0) return {IoResult::Kind::kDone, static_cast<size_t>(returned)};
  if (returned == 0) return {IoResult::Kind::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {wanted};
  return {IoResult::Kind::kError};
}

// OpenSSL's own socket BIO writes with write(2), which kills the process by SIGPIPE when the peer is gone.
int DescriptorOf(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

int BioWrite(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t written = ::send(DescriptorOf(bio), data, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (written < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(written);
}

int BioRead(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t read = ::recv(DescriptorOf(bio), data, static_cast<size_t>(size), 0);
  if (read < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (read == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(read);
}

long BioControl(BIO* bio, int command, long, void*) {  // NOLINT: OpenSSL's type.
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF ? BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 : 0;
}

BIO* SocketBio(int descriptor) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    BIO_meth_set_write(made, BioWrite);
    BIO_meth_set_read(made, BioRead);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace

absl::StatusOr<SslContext> LoadTls(const TlsFiles& files) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return absl::InternalError("OpenSSL: " + SslError());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Early data can be replayed by anybody who saw it.
  SSL_CTX_set_max_early_data(context.get(), 0);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_chain.c_str()) != 1) {
    return absl::InvalidArgumentError(fmt::format("certificate {}: {}", files.certificate_chain, SslError()));
  }
  std::ifstream in(files.certificate_chain, std::ios::binary);
  const std::string pem((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  RM_RETURN_IF_ERROR(CheckCertificate(pem, files.certificate_chain, absl::Now()));
  struct stat info {};
  if (stat(files.private_key.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return absl::InvalidArgumentError(
        fmt::format("private key {} can be read by others: chmod 600 it", files.private_key));
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return absl::InvalidArgumentError(fmt::format("private key {}: {}", files.private_key, SslError()));
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return absl::InvalidArgumentError(
        fmt::format("private key {} does not belong to certificate {}", files.private_key, files.certificate_chain));
  }
  return context;
}

Transport::Transport(Socket socket, SSL_CTX* tls, AddressQuota::Place place)
    : place_(std::move(place)), socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  if (tls == nullptr) return;
  ssl_.reset(SSL_new(tls));
  BIO* bio = SocketBio(socket_.native_handle());
  if (ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    Close();
    return;
  }
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

Transport::~Transport() { Close(); }

IoResult Transport::SslResult(int returned) {
  if (returned > 0) return {IoResult::Kind::kDone, static_cast<size_t>(returned)};
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {IoResult::Kind::kWantRead};
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::Kind::kWantWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {IoResult::Kind::kEnd};
    default:
      ERR_clear_error();
      return {IoResult::Kind::kError};
  }
}

IoResult Transport::TryHandshake() {
  if (ssl_ == nullptr) return {IoResult::Kind::kDone};
  if (!is_open()) return {IoResult::Kind::kError};
  ERR_clear_error();
  return SslResult(SSL_do_handshake(ssl_.get()));
}

IoResult Transport::TryRead(char* data, size_t size) {
  if (!is_open()) return {IoResult::Kind::kError};
  if (ssl_ == nullptr) {
    return SystemResult(::recv(socket_.native_handle(), data, size, 0), IoResult::Kind::kWantRead);
  }
  ERR_clear_error();
  return SslResult(SSL_read(ssl_.get(), data, static_cast<int>(std::min<size_t>(size, 1 << 30))));
}

IoResult Transport::TryWrite(std::span<const iovec> pieces) {
  if (!is_open()) return {IoResult::Kind::kError};
  if (ssl_ == nullptr && pieces.size() == 1) {
    return SystemResult(::send(socket_.native_handle(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL),
                        IoResult::Kind::kWantWrite);
  }
  if (ssl_ == nullptr) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    return SystemResult(::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL), IoResult::Kind::kWantWrite);
  }
  size_t written = 0;
  for (const iovec& piece : pieces) {
    size_t offset = 0;
    while (offset < piece.iov_len) {
      ERR_clear_error();
      const IoResult result = SslResult(SSL_write(ssl_.get(), static_cast<const char*>(piece.iov_base) + offset,
                                                  static_cast<int>(std::min<size_t>(piece.iov_len - offset, 1 << 30))));
      if (result.kind != IoResult::Kind::kDone) {
        if (written > 0 && result.kind != IoResult::Kind::kError) return {IoResult::Kind::kDone, written};
        return result;
      }
      offset += result.bytes;
      written += result.bytes;
    }
  }
  return {IoResult::Kind::kDone, written};
}

Task<bool> Transport::Wait(IoResult::Kind kind) {
  const auto type = kind == IoResult::Kind::kWantWrite ? Socket::wait_write : Socket::wait_read;
  if (!is_open()) co_return false;
  const auto [error] = co_await socket_.async_wait(type, boost::asio::as_tuple(boost::asio::use_awaitable));
  co_return !error && is_open();
}

void Transport::ShutdownSend() {
  if (!is_open()) return;
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::Close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace rivermeet::net::internal
