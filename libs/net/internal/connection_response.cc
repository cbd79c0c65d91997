// The answering half of Connection.
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <exception>

#include "base/strings.h"
#include "fmt/format.h"
#include "net/compression.h"
#include "net/internal/active_request.h"
#include "net/internal/connection.h"
#include "net/internal/websocket_connection.h"

namespace rivermeet::net::internal {
namespace {

constexpr size_t kMaxCompressedHere = 1 << 20;  // More would hold the thread for over 20 ms.

iovec Piece(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

bool HasBody(int status) { return status >= 200 && status != 204 && status != 304; }

// A header's text without what would end its line early.
void AppendHeaderText(std::string& to, std::string_view text) {
  for (const char c : text) to.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
}

std::string_view BodyOf(const Response& response) {
  return response.shared_body != nullptr ? std::string_view(*response.shared_body) : std::string_view(response.body);
}

// RFC 6455 section 4.2.2: what the server proves with that it read the key.
std::string AcceptKey(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  char encoded[4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1];
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded), digest, sizeof digest);
  return encoded;
}

// Sixteen bytes in base64.
bool IsWebSocketKey(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  return std::all_of(key.begin(), key.end() - 2, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
  });
}

bool IsAllowedOrigin(const RequestHead& head, const WebSocketRules& rules) {
  if (head.Count("origin") > 1) return false;
  const auto origin = head.Find("origin");
  if (!origin) return true;
  for (const std::string& allowed : rules.allowed_origins) {
    if (EqualsIgnoreCase(allowed, *origin)) return true;
  }
  // A proxy may end TLS before us, so either scheme of our own host is our own origin.
  const size_t scheme = origin->find("://");
  if (scheme == std::string_view::npos || head.host.empty()) return false;
  const std::string_view name = origin->substr(0, scheme);
  return (name == "http" || name == "https") && EqualsIgnoreCase(origin->substr(scheme + 3), head.host);
}

// The subprotocol to speak: nullopt when none of those offered is spoken here.
std::optional<std::string> ChooseSubprotocol(const RequestHead& head, const WebSocketRules& rules) {
  bool offered = false;
  for (const HeaderField& field : head.fields) {
    if (!EqualsIgnoreCase(field.name, "sec-websocket-protocol")) continue;
    for (const std::string_view piece : Split(field.value, ',')) {
      offered = true;
      const std::string_view name = Trim(piece);
      if (std::find(rules.subprotocols.begin(), rules.subprotocols.end(), name) != rules.subprotocols.end()) {
        return std::string(name);
      }
    }
  }
  if (offered) return std::nullopt;
  return std::string();
}

}  // namespace

// The body of a streaming response, in chunks (or bare, for HTTP/1.0).
class ChunkWriter final : public BodyWriter {
 public:
  ChunkWriter(Connection& connection, bool chunked, bool discard)
      : connection_(connection), chunked_(chunked), discard_(discard) {}

  Task<absl::Status> Write(std::string_view data) override {
    // An empty chunk would end the body.
    if (data.empty() || discard_) co_return absl::OkStatus();
    const std::string size = chunked_ ? fmt::format("{:x}\r\n", data.size()) : std::string();
    iovec pieces[3] = {Piece(size), Piece(data), Piece(chunked_ ? "\r\n" : "")};
    const bool written = co_await connection_.WriteAll(pieces, 3);
    connection_.Enter(Connection::State::kHandling, absl::InfiniteDuration());
    if (!written) co_return absl::CancelledError("the client is gone");
    co_return absl::OkStatus();
  }

 private:
  Connection& connection_;
  const bool chunked_;
  const bool discard_;
};

std::string Connection::HeadOf(const Response& response, std::optional<uint64_t> length, bool chunked,
                               bool keep_alive) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, StatusText(response.status), worker_->Date());
  for (const auto& [name, value] : response.headers) {
    AppendHeaderText(head, name);
    head += ": ";
    AppendHeaderText(head, value);
    head += "\r\n";
  }
  if (length) head += fmt::format("Content-Length: {}\r\n", *length);
  if (chunked) head += "Transfer-Encoding: chunked\r\n";
  if (!keep_alive) head += "Connection: close\r\n";
  head += "\r\n";
  return head;
}

void Connection::MaybeCompress(const ActiveRequest& request, Response& response) {
  if (!worker_->options().compress || response.Has("content-encoding")) return;
  const std::string_view body = BodyOf(response);
  if (body.size() > kMaxCompressedHere || !HasBody(response.status)) return;
  const auto type = std::find_if(response.headers.begin(), response.headers.end(),
                                 [](const auto& header) { return EqualsIgnoreCase(header.first, "content-type"); });
  if (type == response.headers.end() || !IsCompressible(type->second)) return;
  if (!Accepts(request.Header("accept-encoding"), "gzip")) return;
  std::optional<std::string> compressed = GzipIfItPays(body);
  if (!compressed) return;
  response.body = std::move(*compressed);
  response.shared_body = nullptr;
  response.Set("Content-Encoding", "gzip");
  response.Set("Vary", "Accept-Encoding");
}

Task<bool> Connection::WriteResponse(ActiveRequest& request, Response& response, bool keep_alive) {
  Enter(State::kWriting, worker_->options().write_timeout);
  if (response.stream) {
    const bool chunked = request.head().minor_version == 1;
    std::string head = HeadOf(response, std::nullopt, chunked, keep_alive && chunked);
    co_return co_await WriteStream(request, response, std::move(head), chunked) && chunked;
  }
  MaybeCompress(request, response);
  const std::string_view body = BodyOf(response);
  std::optional<uint64_t> length;
  if (HasBody(response.status)) length = body.size();
  const std::string head = HeadOf(response, length, false, keep_alive);
  const bool sends_body = length && request.method() != "HEAD";
  iovec pieces[2] = {Piece(head), Piece(sends_body ? body : std::string_view())};
  co_return co_await WriteAll(pieces, 2);
}

Task<bool> Connection::WriteStream(ActiveRequest& request, Response& response, std::string head, bool chunked) {
  iovec piece = Piece(head);
  if (!co_await WriteAll(&piece, 1)) {
    CallGone();
    co_return false;
  }
  Enter(State::kHandling, absl::InfiniteDuration());
  const bool discard = request.method() == "HEAD";
  ChunkWriter writer(*this, chunked, discard);
  absl::Status status;
  try {
    status = co_await response.stream(writer);
  } catch (const std::exception&) {
    ++worker_->counters().failed;
    status = absl::InternalError("the stream's producer failed");
  }
  if (!status.ok() || ended_) {
    // A body without its last chunk is how the client learns that it is not whole.
    transport_.Close();
    co_return false;
  }
  if (!chunked || discard) co_return true;
  iovec last = Piece("0\r\n\r\n");
  co_return co_await WriteAll(&last, 1);
}

namespace {

std::string DetailOf(const ParseFailure& failure) {
  std::string detail(failure.reason);
  if (failure.limit > 0) detail += fmt::format(" The limit is {}.", failure.limit);
  return detail;
}

}  // namespace

Task<bool> Connection::WriteFailure(const ParseFailure& failure) {
  Enter(State::kWriting, worker_->options().write_timeout);
  Response response = ProblemResponse({.status = failure.status, .detail = DetailOf(failure)});
  if (failure.status == 503) response.Set("Retry-After", "1");
  if (failure.status == 415) response.Set("Accept-Encoding", "gzip, deflate, zstd");
  const std::string head = HeadOf(response, response.body.size(), false, false);
  iovec pieces[2] = {Piece(head), Piece(response.body)};
  co_return co_await WriteAll(pieces, 2);
}

Task<Connection::After> Connection::Upgrade(ActiveRequest& request, Response& response) {
  const RequestHead& head = request.head();
  const WebSocketRules& rules = *response.websocket_rules;
  std::optional<std::string> subprotocol = ChooseSubprotocol(head, rules);
  std::optional<Problem> problem;
  if (!head.upgrades_to_websocket) {
    problem = Problem{.status = 426, .detail = "This address speaks WebSocket only."};
  } else if (head.Find("sec-websocket-version").value_or("") != "13" || head.Count("sec-websocket-version") != 1) {
    problem = Problem{.status = 426, .detail = "Only WebSocket version 13 is spoken here."};
  } else if (head.Count("sec-websocket-key") != 1 || !IsWebSocketKey(*head.Find("sec-websocket-key"))) {
    problem = Problem{.status = 400, .detail = "Sec-WebSocket-Key is malformed."};
  } else if (!IsAllowedOrigin(head, rules)) {
    problem = Problem{.status = 403, .detail = "This origin may not open a WebSocket here."};
  } else if (!subprotocol) {
    problem = Problem{.status = 400, .detail = "None of the subprotocols offered is spoken here."};
  } else if (worker_->draining()) {
    problem = Problem{.status = 503, .detail = "The server is stopping; try again."};
  }
  if (problem) {
    Response refusal = ProblemResponse(*problem);
    if (problem->status == 426) {
      refusal.Set("Upgrade", "websocket").Set("Connection", "Upgrade").Set("Sec-WebSocket-Version", "13");
    }
    const bool keep_alive = head.keep_alive && !worker_->draining();
    if (!co_await WriteResponse(request, refusal, keep_alive) || !keep_alive) co_return After::kClose;
    co_return After::kNextRequest;
  }
  std::string answer = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
      AcceptKey(*head.Find("sec-websocket-key")));
  if (!subprotocol->empty()) answer += fmt::format("Sec-WebSocket-Protocol: {}\r\n", *subprotocol);
  answer += "\r\n";
  Enter(State::kWriting, worker_->options().write_timeout);
  iovec piece = Piece(answer);
  if (!co_await WriteAll(&piece, 1)) co_return After::kClose;
  gone_ = nullptr;
  WebSocketConnection::Open(worker_, std::move(transport_), std::move(response.websocket), response.websocket_rules,
                            std::move(*subprotocol), std::move(in_));
  co_return After::kUpgraded;
}

}  // namespace rivermeet::net::internal
