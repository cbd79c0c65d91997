// One keep-alive HTTP/1.1 connection to the gateway, blocking.
#ifndef RIVERMEET_LOAD_HTTP_CONNECTION_H_
#define RIVERMEET_LOAD_HTTP_CONNECTION_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rivermeet::load {

// Not thread-safe.
class HttpConnection {
 public:
  HttpConnection() = default;
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // `address` is "a.b.c.d:port".
  absl::Status Connect(const std::string& address);

  // Sends a request and returns the answer's body; anything but 200 is an error.
  absl::StatusOr<std::string> Exchange(std::string_view head, std::string_view body);

 private:
  absl::Status Receive();

  int socket_ = -1;
  std::string received_;
};

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_HTTP_CONNECTION_H_
