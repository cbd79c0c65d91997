// A client for tests that sends exactly the bytes it is told to.
#ifndef RIVERMEET_NET_RAW_CLIENT_TEST_H_
#define RIVERMEET_NET_RAW_CLIENT_TEST_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "net/http_parser.h"

namespace rivermeet::net {

class RawClient {
 public:
  // `receive_buffer` bytes of the kernel's; 0 leaves its default. `from` is the client's own address.
  explicit RawClient(uint16_t port, int receive_buffer = 0, const char* from = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, from, &address.sin_addr) == 1);
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}
  ~RawClient() {
    if (socket_ >= 0) ::close(socket_);
  }

  // False when the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void FinishSending() { ::shutdown(socket_, SHUT_WR); }

  // False at the end of the stream.
  bool Receive() {
    char buffer[65536];
    const ssize_t received = ::recv(socket_, buffer, sizeof buffer, 0);
    if (received <= 0) return false;
    in_.append(buffer, static_cast<size_t>(received));
    return true;
  }
  // Everything until the server closes.
  std::string ReadAll() {
    while (Receive()) {
    }
    return std::exchange(in_, "");
  }
  std::string Read(size_t bytes) {
    while (in_.size() < bytes && Receive()) {
    }
    std::string taken = in_.substr(0, bytes);
    in_.erase(0, taken.size());
    return taken;
  }
  std::string ReadUntil(std::string_view end) {
    while (in_.find(end) == std::string::npos && Receive()) {
    }
    const size_t at = in_.find(end);
    return at == std::string::npos ? "" : Read(at + end.size());
  }

  struct Answer {
    int status = 0;
    std::string head;
    std::string body;
  };
  // One response with a Content-Length; status 0 when the server closes before it is whole.
  Answer ReadAnswer() {
    Answer answer{0, ReadUntil("\r\n\r\n"), ""};
    if (answer.head.size() < 12) return answer;
    const size_t at = ToLower(answer.head).find("content-length: ");
    if (at != std::string::npos) {
      const size_t length = std::stoul(answer.head.substr(at + 16));
      answer.body = Read(length);
      if (answer.body.size() < length) return answer;
    }
    answer.status = std::stoi(answer.head.substr(9, 3));
    return answer;
  }
  Answer Ask(std::string_view bytes) {
    Send(bytes);
    return ReadAnswer();
  }

 private:
  int socket_;
  std::string in_;
};

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_RAW_CLIENT_TEST_H_
