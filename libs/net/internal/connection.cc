#include "net/internal/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>

#include "base/strings.h"
#include "net/compression.h"
#include "net/internal/active_request.h"
#include "net/internal/websocket_connection.h"

namespace rivermeet::net::internal {
namespace {

constexpr absl::Duration kLinger = absl::Seconds(2);
constexpr size_t kMaxLingerBytes = 1 << 20;
constexpr size_t kReadStep = 64 * 1024;
constexpr absl::Duration kBodyGrace = absl::Seconds(5);

}  // namespace

Connection::Connection(std::shared_ptr<Worker> worker, Transport transport)
    : worker_(std::move(worker)), transport_(std::move(transport)) {
  ++worker_->counters().connections;
}

Connection::~Connection() {
  ReleaseBody();
  --worker_->counters().connections;
  worker_->Remove(*this);
}

void Connection::Serve(std::shared_ptr<Worker> worker, Transport transport, bool refuse) {
  auto& context = worker->context();
  auto connection = std::make_shared<Connection>(worker, std::move(transport));
  worker->Add(*connection);
  auto run = [connection, refuse]() -> Task<void> {
    if (refuse) {
      co_await connection->Refuse();
    } else {
      co_await connection->Run();
    }
  };
  boost::asio::co_spawn(context, std::move(run), boost::asio::detached);
}

void Connection::Enter(State state, absl::Duration limit) {
  state_ = state;
  deadline_ = limit == absl::InfiniteDuration() ? limit : worker_->now() + limit;
}

void Connection::OnTick(absl::Duration now) {
  bool late = now > deadline_;
  if (state_ == State::kBody) {
    const absl::Duration spent = now - body_start_;
    late = spent > kBodyGrace &&
           static_cast<double>(body_read_) <
               absl::ToDoubleSeconds(spent) * static_cast<double>(worker_->options().min_body_bytes_per_second);
  }
  if (!late) return;
  if (state_ == State::kHead || state_ == State::kBody) {
    static constexpr std::string_view kLate =
        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    const iovec piece{const_cast<char*>(kLate.data()), kLate.size()};
    transport_.TryWrite({&piece, 1});
  }
  if (state_ != State::kLingering && state_ != State::kIdle) ++worker_->counters().timed_out;
  OnForce();
}

void Connection::OnDrain() {
  // A request may be in the socket's buffer already: it is answered. Cancelling the wait lets Run() look.
  boost::system::error_code ignored;
  if (state_ == State::kIdle) transport_.socket().cancel(ignored);
}

void Connection::OnForce() {
  ended_ = true;
  transport_.Close();
  CallGone();
}

void Connection::CallGone() {
  if (!gone_) return;
  const auto gone = std::exchange(gone_, nullptr);
  gone();
}

// While a handler works nobody reads, so the end of the connection is noticed by looking without taking.
void Connection::WatchForEnd() {
  if (watching_ || !transport_.is_open()) return;
  watching_ = true;
  transport_.socket().async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    self->watching_ = false;
    if (error || !self->gone_ || !self->transport_.is_open()) return;
    char byte;
    const ssize_t seen = ::recv(self->transport_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // Bytes waiting are the next request, or TLS's own: then the end shows when the response is written.
    if (seen == 0 || (seen < 0 && errno != EAGAIN && errno != EINTR)) self->CallGone();
  });
}

bool Connection::ChargeBody(size_t bytes) {
  body_charged_ += bytes;
  return (worker_->counters().body_bytes += bytes) <= worker_->options().max_body_memory_bytes;
}

void Connection::ReleaseBody() {
  worker_->counters().body_bytes -= body_charged_;
  body_charged_ = 0;
}

// Appends what the peer sends next, at most `at_most` bytes; false at the end of the connection.
Task<bool> Connection::Fill(std::string& to, size_t at_most) {
  while (true) {
    const size_t before = to.size();
    to.resize(before + at_most);
    const IoResult result = transport_.TryRead(to.data() + before, at_most);
    to.resize(before + result.bytes);
    if (result.kind == IoResult::Kind::kDone) co_return true;
    if (result.kind == IoResult::Kind::kEnd || result.kind == IoResult::Kind::kError) co_return false;
    if (state_ == State::kIdle) {
      if (worker_->draining()) co_return false;
      to.shrink_to_fit();
    }
    // A wait that a drain cancelled is followed by one more look.
    if (!co_await transport_.Wait(result.kind) && (!transport_.is_open() || !worker_->draining())) co_return false;
  }
}

Task<bool> Connection::WriteAll(iovec* pieces, size_t count) {
  while (count > 0) {
    if (pieces->iov_len == 0) {
      ++pieces;
      --count;
      continue;
    }
    const IoResult result = transport_.TryWrite({pieces, count});
    if (result.kind == IoResult::Kind::kEnd || result.kind == IoResult::Kind::kError) co_return false;
    if (result.kind != IoResult::Kind::kDone) {
      if (!co_await transport_.Wait(result.kind)) co_return false;
      continue;
    }
    Enter(State::kWriting, worker_->options().write_timeout);
    size_t written = result.bytes;
    while (count > 0 && written >= pieces->iov_len) {
      written -= pieces->iov_len;
      ++pieces;
      --count;
    }
    if (count > 0) {
      pieces->iov_base = static_cast<char*>(pieces->iov_base) + written;
      pieces->iov_len -= written;
    }
  }
  co_return true;
}

Task<bool> Connection::Handshake() {
  Enter(State::kHead, worker_->options().header_timeout);
  while (true) {
    const IoResult result = transport_.TryHandshake();
    if (result.kind == IoResult::Kind::kDone) co_return true;
    if (result.kind == IoResult::Kind::kEnd || result.kind == IoResult::Kind::kError) co_return false;
    if (!co_await transport_.Wait(result.kind)) co_return false;
  }
}

Task<void> Connection::Run() {
  if (transport_.secure() && !co_await Handshake()) co_return;
  while (true) {
    if (in_.empty()) {
      Enter(State::kIdle, worker_->options().idle_timeout);
      if (!co_await Fill(in_, 4096)) co_return;
    }
    const After after = co_await ServeOne();
    gone_ = nullptr;
    ReleaseBody();
    if (after == After::kUpgraded || !transport_.is_open()) co_return;
    if (after == After::kClose) break;
  }
  co_await Linger();
}

Task<void> Connection::Refuse() {
  ++worker_->counters().refused;
  Enter(State::kLingering, kLinger);
  if (!transport_.secure()) {
    static constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    const iovec piece{const_cast<char*>(kBusy.data()), kBusy.size()};
    transport_.TryWrite({&piece, 1});
    co_await Linger();
  }
}

// Closing with unread input would make the kernel reset the connection and the answer get lost.
Task<void> Connection::Linger() {
  transport_.ShutdownSend();
  Enter(State::kLingering, kLinger);
  in_.clear();
  size_t drained = 0;
  while (drained < kMaxLingerBytes && !worker_->draining()) {
    const IoResult result = transport_.TryRead(worker_->scratch(), Worker::kScratchBytes);
    if (result.kind == IoResult::Kind::kDone) {
      drained += result.bytes;
    } else if (result.kind != IoResult::Kind::kWantRead || !co_await transport_.Wait(result.kind)) {
      break;
    }
  }
}

Task<Connection::ReadOutcome> Connection::ReadHead(std::string& bytes) {
  Enter(State::kHead, worker_->options().header_timeout);
  size_t scanned = 0;
  while (true) {
    const HeadEnd end = FindHeadEnd(in_, scanned);
    if (end.kind == HeadEnd::Kind::kMalformed) {
      co_return ReadOutcome{.failure = ParseFailure{400, "A line does not end in CRLF."}};
    }
    if (end.kind == HeadEnd::Kind::kFound) {
      bytes = in_.substr(0, end.size);
      in_.erase(0, end.size);
      co_return ReadOutcome{};
    }
    const HeadLimits& limits = worker_->options().head;
    if (in_.size() > limits.max_head_bytes) {
      const bool in_first_line = in_.find('\n') == std::string::npos;
      co_return ReadOutcome{.failure = in_first_line
                                           ? ParseFailure{414, "The target is too long.", limits.max_target_bytes}
                                           : ParseFailure{431, "The header is too large.", limits.max_head_bytes}};
    }
    if (!co_await Fill(in_, 4096)) co_return ReadOutcome{.ended = true};
  }
}

Task<Connection::ReadOutcome> Connection::ReadSized(std::string& body, uint64_t length) {
  const size_t ready = std::min<uint64_t>(length, in_.size());
  body.assign(in_, 0, ready);
  in_.erase(0, ready);
  body_read_ = ready;
  while (body.size() < length) {
    const size_t before = body.size();
    if (!co_await Fill(body, std::min<uint64_t>(length - before, std::max(kReadStep, before)))) {
      co_return ReadOutcome{.ended = true};
    }
    body_read_ = body.size();
    if (!ChargeBody(body.size() - before)) {
      co_return ReadOutcome{.failure = ParseFailure{503, "Too much is being sent at once; try again."}};
    }
  }
  co_return ReadOutcome{};
}

Task<Connection::ReadOutcome> Connection::ReadChunked(std::string& body, size_t max_bytes) {
  ChunkedDecoder decoder;
  while (true) {
    const size_t before = body.size();
    std::string_view rest = in_;
    const ChunkedDecoder::State state = decoder.Feed(rest, body, max_bytes);
    in_.erase(0, in_.size() - rest.size());
    if (state == ChunkedDecoder::State::kDone) co_return ReadOutcome{};
    if (state == ChunkedDecoder::State::kMalformed) {
      co_return ReadOutcome{.failure = ParseFailure{400, "The chunked body is malformed."}};
    }
    if (state == ChunkedDecoder::State::kTooLarge) {
      co_return ReadOutcome{.failure = ParseFailure{413, "The body is too large.", max_bytes}};
    }
    if (!ChargeBody(body.size() - before)) {
      co_return ReadOutcome{.failure = ParseFailure{503, "Too much is being sent at once; try again."}};
    }
    if (!co_await Fill(in_, kReadStep)) co_return ReadOutcome{.ended = true};
    body_read_ += in_.size();
  }
}

Connection::ReadOutcome Connection::InflateBody(ActiveRequest& request, const BodyRules& rules) {
  const RequestHead& head = request.head();
  if (head.Count("content-encoding") == 0) return {};
  const std::string coding = ToLower(*head.Find("content-encoding"));
  if (coding == "identity" && head.Count("content-encoding") == 1) return {};
  if (head.Count("content-encoding") > 1 || !IsKnownCoding(coding)) {
    return {.failure = ParseFailure{415, "The content coding is not supported: use gzip, deflate or zstd."}};
  }
  if (!rules.inflate) {
    request.SetContentEncoding(coding == "x-gzip" ? "gzip" : coding);
    return {};
  }
  absl::StatusOr<std::string> plain = Inflate(coding, request.body(), {.max_bytes = rules.max_inflated_bytes});
  if (!plain.ok()) {
    if (absl::IsResourceExhausted(plain.status())) {
      return {.failure = ParseFailure{413, "The body is too large once decompressed.", rules.max_inflated_bytes}};
    }
    return {.failure = ParseFailure{400, "The compressed body is damaged or cut off."}};
  }
  if (!ChargeBody(plain->size())) {
    return {.failure = ParseFailure{503, "Too much is being sent at once; try again."}};
  }
  request.SetBody(std::move(*plain));
  return {};
}

Task<Connection::ReadOutcome> Connection::ReadBody(ActiveRequest& request, const BodyRules& rules) {
  const RequestHead& head = request.head();
  const uint64_t length = head.content_length.value_or(0);
  if (length > rules.max_bytes) {
    co_return ReadOutcome{.failure = ParseFailure{413, "The body is too large.", rules.max_bytes}};
  }
  if (!head.chunked && length == 0) co_return ReadOutcome{};
  if (head.expects_continue && in_.empty()) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
    if (!co_await WriteAll(&piece, 1)) co_return ReadOutcome{.ended = true};
  }
  Enter(State::kBody, absl::InfiniteDuration());
  body_start_ = worker_->now();
  body_read_ = 0;
  std::string body;
  ReadOutcome outcome = head.chunked ? co_await ReadChunked(body, rules.max_bytes) : co_await ReadSized(body, length);
  if (outcome.ended || outcome.failure) co_return outcome;
  request.SetBody(std::move(body));
  co_return InflateBody(request, rules);
}

Task<Response> Connection::CallHandler(ActiveRequest& request) {
  Enter(State::kHandling, absl::InfiniteDuration());
  ++worker_->counters().requests;
  try {
    co_return co_await worker_->core().handler->Handle(request);
  } catch (const std::exception&) {
    // A library's exception that got past its adapter; the caller learns nothing of it.
  }
  ++worker_->counters().failed;
  co_return ProblemResponse({.status = 500});
}

Task<Connection::After> Connection::ServeOne() {
  ActiveRequest request(*this);
  ReadOutcome outcome = co_await ReadHead(request.bytes());
  if (outcome.ended) co_return After::kClose;
  if (!outcome.failure) outcome.failure = request.Parse(worker_->options().head);
  if (!outcome.failure) {
    outcome = co_await ReadBody(request, worker_->core().handler->RulesFor(request.head()));
    if (outcome.ended) co_return After::kClose;
  }
  if (outcome.failure) {
    ++worker_->counters().malformed;
    co_await WriteFailure(*outcome.failure);
    co_return After::kClose;
  }
  Response response = co_await CallHandler(request);
  if (ended_) co_return After::kClose;
  if (response.websocket != nullptr) co_return co_await Upgrade(request, response);
  const bool keep_alive = request.head().keep_alive && !worker_->draining();
  if (!co_await WriteResponse(request, response, keep_alive) || !keep_alive) co_return After::kClose;
  co_return After::kNextRequest;
}

}  // namespace rivermeet::net::internal
