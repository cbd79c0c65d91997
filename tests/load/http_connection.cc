#include "http_connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::load {

HttpConnection::~HttpConnection() {
  if (socket_ >= 0) close(socket_);
}

absl::Status HttpConnection::Connect(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  uint16_t port = 0;
  if (colon == std::string::npos || !ParseNumber(std::string_view(address).substr(colon + 1), port) ||
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
    return absl::InvalidArgumentError("the gateway's address is not a.b.c.d:port");
  }
  to.sin_port = htons(port);
  socket_ = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    return absl::UnavailableError(fmt::format("can't connect to {}: {}", address, std::strerror(errno)));
  }
  const int one = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return absl::OkStatus();
}

absl::StatusOr<std::string> HttpConnection::Exchange(std::string_view head, std::string_view body) {
  for (std::string_view part : {head, body}) {
    while (!part.empty()) {
      const ssize_t sent = send(socket_, part.data(), part.size(), MSG_NOSIGNAL);
      if (sent <= 0) return absl::UnavailableError(fmt::format("sending: {}", std::strerror(errno)));
      part.remove_prefix(static_cast<size_t>(sent));
    }
  }
  size_t head_end;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) RM_RETURN_IF_ERROR(Receive());
  const std::string lower = ToLower(std::string_view(received_).substr(0, head_end));
  const size_t length_at = lower.find("content-length: ");
  size_t length = 0;
  if (length_at != std::string::npos) length = std::strtoull(lower.c_str() + length_at + 16, nullptr, 10);
  while (received_.size() < head_end + 4 + length) RM_RETURN_IF_ERROR(Receive());
  const bool good = received_.compare(9, 3, "200") == 0;
  const std::string answer = received_.substr(head_end + 4, length);
  const std::string status = received_.substr(0, received_.find('\r'));
  received_.erase(0, head_end + 4 + length);
  if (!good) return absl::InternalError(fmt::format("{}: {}", status, answer.substr(0, 500)));
  return answer;
}

absl::Status HttpConnection::Receive() {
  char buffer[16384];
  const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
  if (got <= 0) return absl::UnavailableError("the gateway closed the connection");
  received_.append(buffer, static_cast<size_t>(got));
  return absl::OkStatus();
}

}  // namespace rivermeet::load
