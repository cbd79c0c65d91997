// A request that is being answered.
#ifndef RIVERMEET_NET_INTERNAL_ACTIVE_REQUEST_H_
#define RIVERMEET_NET_INTERNAL_ACTIVE_REQUEST_H_

#include <optional>
#include <string>
#include <utility>

#include "net/http.h"
#include "net/internal/connection.h"

namespace rivermeet::net::internal {

class ActiveRequest final : public Request {
 public:
  explicit ActiveRequest(Connection& connection) : connection_(connection) {
    boost::system::error_code error;
    const auto endpoint = connection.transport_.socket().remote_endpoint(error);
    if (!error) peer_ = endpoint.address().to_string();
    over_tls_ = connection.transport_.secure();
    worker_ = connection.worker_->index();
  }

  std::string& bytes() { return bytes_; }
  std::optional<ParseFailure> Parse(const HeadLimits& limits) { return ParseHead(bytes_, limits, head_); }
  void SetBody(std::string body) { body_ = std::move(body); }
  void SetContentEncoding(std::string coding) { content_encoding_ = std::move(coding); }

  void OnGone(std::function<void()> gone) override {
    connection_.gone_ = std::move(gone);
    if (!connection_.gone_) return;
    if (connection_.ended_) {
      connection_.CallGone();
    } else {
      connection_.WatchForEnd();
    }
  }

 private:
  Connection& connection_;
  std::string bytes_;  // The head's, which head_ borrows from.
};

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_ACTIVE_REQUEST_H_
