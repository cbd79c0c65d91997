// Requests, responses, and the one interface an HTTP server of ours calls.
#ifndef RIVERMEET_NET_HTTP_H_
#define RIVERMEET_NET_HTTP_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "net/http_parser.h"
#include "net/task.h"
#include "net/websocket.h"

namespace rivermeet::net {

// One request, valid until its handler returns. Used on its worker thread only.
class Request {
 public:
  virtual ~Request() = default;

  const RequestHead& head() const { return head_; }
  std::string_view method() const { return head_.method; }
  std::string_view path() const { return head_.path; }
  std::string_view query() const { return head_.query; }
  // The first field of that name, or "".
  std::string_view Header(std::string_view name) const { return head_.Find(name).value_or(std::string_view()); }

  // The body, whole and without its content coding unless BodyRules said to leave it.
  const std::string& body() const { return body_; }
  std::string TakeBody() { return std::move(body_); }
  // The content coding that is still on the body: "", "gzip", "deflate" or "zstd".
  std::string_view content_encoding() const { return content_encoding_; }

  // The peer's IP address, without its port.
  const std::string& peer() const { return peer_; }
  bool over_tls() const { return over_tls_; }
  // Which worker thread serves it: 0 to threads - 1.
  int worker() const { return worker_; }

  // `gone` is called once, on the worker thread, when the client disconnects or the server has to stop before the
  // response is complete; cancel there what the response waits for. Later calls replace it; nullptr takes it back.
  virtual void OnGone(std::function<void()> gone) = 0;

 protected:
  RequestHead head_;
  std::string body_;
  std::string content_encoding_;
  std::string peer_;
  bool over_tls_ = false;
  int worker_ = 0;
};

// Where a streaming response goes.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;

  // Returns once the kernel has taken `data`, so a producer that awaits it never runs ahead of a slow client.
  //
  // Errors:
  //   CANCELLED  The client is gone or too slow, or the server stops. Return.
  virtual Task<absl::Status> Write(std::string_view data) = 0;
};

struct Response {
  using Stream = std::function<Task<absl::Status>(BodyWriter&)>;

  int status = 200;
  // Content-Length, Transfer-Encoding, Connection and Date are the server's.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Instead of `body`: one buffer that many responses share.
  std::shared_ptr<const std::string> shared_body;
  // Instead of a body: called once the head is sent; the response ends when it returns, and is cut off, so that the
  // client sees it incomplete, when it returns an error.
  Stream stream;
  // Instead of all that: speak WebSocket from here on, by these rules. Both or neither.
  std::shared_ptr<WebSocketHandler> websocket;
  std::shared_ptr<const WebSocketRules> websocket_rules;

  Response& Set(std::string_view name, std::string_view value);
  bool Has(std::string_view name) const;

  static Response Of(int status, std::string_view content_type, std::string body);
};

// What a request's body may be, asked for when its head is in.
struct BodyRules {
  size_t max_bytes = 1 << 20;  // As sent; more is answered with 413.
  // Whether to take off gzip, deflate and zstd; other codings are answered with 415 either way.
  bool inflate = true;
  size_t max_inflated_bytes = 8 << 20;  // More is answered with 413.
};

// A server's application. Called on all worker threads at once.
class Handler {
 public:
  virtual ~Handler() = default;

  virtual BodyRules RulesFor(const RequestHead& head) {
    (void)head;
    return {};
  }

  // Answers one request. Never blocks; ends soon after Request::OnGone's callback. An exception becomes a 500 that
  // tells nothing.
  virtual Task<Response> Handle(Request& request) = 0;
};

// The standard's reason for a status, "Unknown" for one it doesn't have.
std::string_view StatusText(int status);

// `text` without percent-encoding; nullopt where that is malformed. '+' stays.
std::optional<std::string> PercentDecode(std::string_view text);

// The pairs of a query or of a form's body, in order, decoded ('+' is a space); nullopt where an encoding is
// malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

// The value of the cookie `name` (RFC 6265), or nullopt.
std::optional<std::string_view> FindCookie(const RequestHead& head, std::string_view name);

// A problem report (RFC 9457) as application/problem+json. `detail` is shown to the caller: it must not tell what
// the caller may not know. Members that are empty are left out.
struct Problem {
  int status = 500;
  std::string detail{};
  std::string request_id{};
  // One word for programs, as gRPC's and Connect's clients know it; empty: what the status commonly stands for.
  std::string code{};
  // Further members, each already JSON.
  std::vector<std::pair<std::string, std::string>> extra{};
};
Response ProblemResponse(const Problem& problem);

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_HTTP_H_
