#include "net/internal/websocket_connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/strings.h"

namespace rivermeet::net::internal {
namespace {

constexpr absl::Duration kCloseTimeout = absl::Seconds(5);
constexpr absl::Duration kSlowCloseTimeout = absl::Seconds(2);
constexpr uint32_t kMaxFragments = 1024;
constexpr size_t kMaxUrgent = 4;
constexpr int kReadsInARow = 4;
constexpr uint16_t kNoCloseFrame = 1006;

Frame CloseFrame(uint16_t code, std::string_view reason) {
  std::string payload;
  if (code != 1005) {
    payload.push_back(static_cast<char>(code >> 8));
    payload.push_back(static_cast<char>(code & 0xff));
    payload.append(reason.substr(0, 123));
  }
  return std::make_shared<const std::string>(EncodeFrame(Opcode::kClose, payload));
}

}  // namespace

WebSocketConnection::WebSocketConnection(std::shared_ptr<Worker> worker, Transport transport,
                                         std::shared_ptr<WebSocketHandler> handler,
                                         std::shared_ptr<const WebSocketRules> rules, std::string subprotocol)
    : worker_(std::move(worker)),
      rules_(std::move(rules)),
      handler_(std::move(handler)),
      transport_(std::move(transport)),
      subprotocol_(std::move(subprotocol)),
      heard_(worker_->now()),
      pinged_(heard_) {
  ++worker_->counters().connections;
  ++worker_->counters().websockets;
}

WebSocketConnection::~WebSocketConnection() {
  if (phase_ != Phase::kClosed) Leave();
}

void WebSocketConnection::Leave() {
  phase_ = Phase::kClosed;
  --worker_->counters().websockets;
  --worker_->counters().connections;
  worker_->Remove(*this);
}

void WebSocketConnection::Open(std::shared_ptr<Worker> worker, Transport transport,
                               std::shared_ptr<WebSocketHandler> handler, std::shared_ptr<const WebSocketRules> rules,
                               std::string subprotocol, std::string in) {
  auto socket = std::make_shared<WebSocketConnection>(std::move(worker), std::move(transport), handler,
                                                      std::move(rules), std::move(subprotocol));
  socket->worker_->Add(*socket);
  handler->OnOpen(socket);
  if (!in.empty()) socket->Consume(in);
  // TLS may hold bytes that came with the handshake's.
  socket->OnReadable();
}

WebSocketConnection::Unsent& WebSocketConnection::Waiting() {
  if (unsent_ == nullptr) unsent_ = std::make_unique<Unsent>();
  return *unsent_;
}

void WebSocketConnection::Send(Frame frame) {
  if (!worker_->OnThread()) {
    boost::asio::post(worker_->context(),
                      [self = Self(), frame = std::move(frame)]() mutable { self->Send(std::move(frame)); });
    return;
  }
  if (phase_ == Phase::kOpen) SendNow(std::move(frame), false);
}

void WebSocketConnection::SendNow(Frame frame, bool urgent) {
  if (current_ == nullptr && unsent_ == nullptr && !flushing_) {
    current_ = std::move(frame);
    Flush();
    return;
  }
  Unsent& unsent = Waiting();
  if (urgent) {
    // A client that asks for pongs faster than it takes them gets the latest few.
    if (unsent.urgent.size() >= kMaxUrgent) unsent.urgent.pop_front();
    unsent.urgent.push_back(std::move(frame));
  } else {
    unsent.sure_bytes += frame->size();
    if (unsent.sure_bytes > rules_->max_unsent_bytes) {
      CloseSlow();
      return;
    }
    unsent.sure.push_back(std::move(frame));
  }
  Flush();
}

void WebSocketConnection::SendState(uint64_t key, Frame frame, bool whole) {
  if (!worker_->OnThread()) {
    boost::asio::post(worker_->context(), [self = Self(), key, frame = std::move(frame), whole]() mutable {
      self->SendState(key, std::move(frame), whole);
    });
    return;
  }
  if (phase_ != Phase::kOpen) return;
  if (current_ == nullptr && unsent_ == nullptr && !flushing_) {
    current_ = std::move(frame);
    Flush();
    return;
  }
  auto& states = Waiting().states;
  auto it = std::find_if(states.begin(), states.end(), [&](const auto& state) { return state.key == key; });
  if (it == states.end()) it = states.insert(states.end(), {.key = key, .frames = {}});
  if (whole) {
    it->frames.clear();
    it->wanted = false;
  }
  if (it->wanted) return;
  if (it->frames.size() >= rules_->max_unsent_states) {
    it->frames.clear();
    it->wanted = true;
    return;
  }
  it->frames.push_back(std::move(frame));
  Flush();
}

void WebSocketConnection::Forget(uint64_t key) {
  if (!worker_->OnThread()) {
    boost::asio::post(worker_->context(), [self = Self(), key] { self->Forget(key); });
    return;
  }
  if (unsent_ != nullptr) std::erase_if(unsent_->states, [&](const auto& state) { return state.key == key; });
}

void WebSocketConnection::Close(uint16_t code, std::string_view reason) {
  if (!worker_->OnThread()) {
    boost::asio::post(worker_->context(),
                      [self = Self(), code, reason = std::string(reason)] { self->Close(code, reason); });
    return;
  }
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kClosing;
  close_code_ = code;
  close_deadline_ = worker_->now() + kCloseTimeout;
  if (unsent_ != nullptr) {
    unsent_->states.clear();
    unsent_->urgent.clear();
  }
  // After what must arrive, so not urgent.
  if (current_ == nullptr && unsent_ == nullptr && !flushing_) {
    current_ = CloseFrame(code, reason);
  } else {
    Waiting().sure.push_back(CloseFrame(code, reason));
  }
  Flush();
}

void WebSocketConnection::CloseSlow() {
  if (phase_ != Phase::kOpen) return;
  ++worker_->counters().slow_closed;
  unsent_ = nullptr;
  Close(kTryAgainLater, "too slow");
  close_deadline_ = worker_->now() + kSlowCloseTimeout;
}

// Moves the next frame to send to current_; false when there is none.
bool WebSocketConnection::NextFrame() {
  sent_ = 0;
  while (current_ == nullptr && unsent_ != nullptr) {
    if (!unsent_->urgent.empty()) {
      current_ = std::move(unsent_->urgent.front());
      unsent_->urgent.pop_front();
    } else if (!unsent_->sure.empty()) {
      current_ = std::move(unsent_->sure.front());
      unsent_->sure.pop_front();
      unsent_->sure_bytes -= std::min(unsent_->sure_bytes, current_->size());
    } else if (unsent_->states.empty()) {
      return false;
    } else {
      current_ = NextState();
    }
  }
  return current_ != nullptr;
}

// Takes one step through the waiting states; nullptr where that gave nothing to send.
Frame WebSocketConnection::NextState() {
  Unsent::State state = std::move(unsent_->states.front());
  unsent_->states.erase(unsent_->states.begin());
  if (state.wanted) {
    // The handler may call back into this socket here; flushing_ keeps what it sends waiting.
    const std::shared_ptr<WebSocketHandler> handler = handler_;
    return handler->OnStateWanted(state.key);
  }
  if (state.frames.empty()) return nullptr;
  Frame first = std::move(state.frames.front());
  state.frames.erase(state.frames.begin());
  // To the back: every key gets its turn.
  if (!state.frames.empty()) unsent_->states.push_back(std::move(state));
  return first;
}

void WebSocketConnection::Flush() {
  if (flushing_ || waiting_to_write_ || phase_ == Phase::kClosed) return;
  flushing_ = true;
  while (phase_ != Phase::kClosed && (current_ != nullptr || NextFrame())) {
    if (phase_ == Phase::kClosed) break;
    const iovec piece{const_cast<char*>(current_->data() + sent_), current_->size() - sent_};
    const IoResult result = transport_.TryWrite({&piece, 1});
    if (result.kind == IoResult::Kind::kDone) {
      sent_ += result.bytes;
      blocked_since_ = absl::InfiniteDuration();
      if (sent_ == current_->size()) current_ = nullptr;
    } else if (result.kind == IoResult::Kind::kError || result.kind == IoResult::Kind::kEnd) {
      Drop(kNoCloseFrame);
    } else {
      if (blocked_since_ == absl::InfiniteDuration()) blocked_since_ = worker_->now();
      WaitToWrite();
      break;
    }
  }
  flushing_ = false;
  if (current_ == nullptr) AfterFlush();
}

void WebSocketConnection::AfterFlush() {
  unsent_ = nullptr;
  if (phase_ == Phase::kClosing) transport_.ShutdownSend();
}

void WebSocketConnection::WaitToWrite() {
  waiting_to_write_ = true;
  transport_.socket().async_wait(Socket::wait_write, [self = Self()](boost::system::error_code error) {
    self->waiting_to_write_ = false;
    if (!error) self->Flush();
  });
}

void WebSocketConnection::WaitToRead() {
  if (phase_ == Phase::kClosed) return;
  transport_.socket().async_wait(Socket::wait_read, [self = Self()](boost::system::error_code error) {
    if (!error) self->OnReadable();
  });
}

void WebSocketConnection::OnReadable() {
  for (int i = 0; i < kReadsInARow && phase_ != Phase::kClosed; ++i) {
    const IoResult result = transport_.TryRead(worker_->scratch(), Worker::kScratchBytes);
    if (result.kind == IoResult::Kind::kDone) {
      heard_ = worker_->now();
      Consume({worker_->scratch(), result.bytes});
      continue;
    }
    if (result.kind == IoResult::Kind::kEnd || result.kind == IoResult::Kind::kError) {
      Drop(peer_closed_ ? close_code_ : kNoCloseFrame);
      return;
    }
    WaitToRead();
    return;
  }
  // Let the thread's other sockets have their turn; TLS may hold bytes that the socket no longer shows.
  if (phase_ != Phase::kClosed) {
    boost::asio::post(worker_->context(), [self = Self()] { self->OnReadable(); });
  }
}

void WebSocketConnection::Consume(std::span<char> data) {
  if (partial_.empty()) {
    const size_t used = ConsumeFrames(data);
    if (phase_ != Phase::kClosed && used < data.size()) partial_.assign(data.data() + used, data.size() - used);
    return;
  }
  partial_.append(data.data(), data.size());
  const size_t used = ConsumeFrames(partial_);
  if (phase_ == Phase::kClosed) return;
  partial_.erase(0, used);
  if (partial_.empty()) partial_.shrink_to_fit();
}

// Handles whole frames; returns how many bytes they were.
size_t WebSocketConnection::ConsumeFrames(std::span<char> data) {
  size_t used = 0;
  while (phase_ != Phase::kClosed && used < data.size()) {
    // After a close frame whatever comes is thrown away.
    if (peer_closed_) return data.size();
    const std::span<char> rest = data.subspan(used);
    const FrameHeaderResult decoded = DecodeFrameHeader({rest.data(), rest.size()});
    if (decoded.close_code != 0) {
      Close(decoded.close_code, "");
      peer_closed_ = true;
      return data.size();
    }
    if (!decoded.header) return used;
    const FrameHeader& header = *decoded.header;
    if (header.length > rules_->max_message_bytes || message_.size() > rules_->max_message_bytes - header.length) {
      Close(kMessageTooBig, "");
      peer_closed_ = true;
      return data.size();
    }
    if (rest.size() - header.header_bytes < header.length) return used;
    const std::span<char> payload = rest.subspan(header.header_bytes, header.length);
    used += header.header_bytes + header.length;
    Unmask(payload, header.mask);
    OnFrame(header, payload);
  }
  return used;
}

void WebSocketConnection::OnFrame(const FrameHeader& header, std::span<char> payload) {
  const std::string_view bytes(payload.data(), payload.size());
  switch (header.opcode) {
    case Opcode::kPing:
      if (phase_ == Phase::kOpen) SendNow(std::make_shared<const std::string>(EncodeFrame(Opcode::kPong, bytes)), true);
      return;
    case Opcode::kPong:
      return;
    case Opcode::kClose:
      OnCloseFrame(bytes);
      return;
    case Opcode::kContinuation:
    case Opcode::kText:
    case Opcode::kBinary:
      // Once we are closing, only the peer's close frame matters.
      if (phase_ == Phase::kOpen) OnDataFrame(header, bytes);
      return;
  }
}

void WebSocketConnection::OnCloseFrame(std::string_view payload) {
  peer_closed_ = true;
  const std::optional<uint16_t> code = CloseCodeOf(payload);
  if (phase_ == Phase::kOpen) {
    Close(code.value_or(kProtocolError), "");
  } else if (current_ == nullptr && unsent_ == nullptr) {
    // Our own close frame was answered: done.
    Drop(close_code_);
  }
}

void WebSocketConnection::OnDataFrame(const FrameHeader& header, std::string_view payload) {
  const bool starts = header.opcode != Opcode::kContinuation;
  if (starts == (fragments_ > 0) || fragments_ >= kMaxFragments) {
    Close(fragments_ >= kMaxFragments ? kPolicyViolation : kProtocolError, "");
    peer_closed_ = true;
    return;
  }
  if (starts) text_ = header.opcode == Opcode::kText;
  if (starts && header.final) {
    Deliver(payload, text_);
    return;
  }
  message_.append(payload);
  ++fragments_;
  if (!header.final) {
    if (text_ && !CanBecomeUtf8(message_)) {
      Close(kInvalidPayload, "");
      peer_closed_ = true;
    }
    return;
  }
  const std::string whole = std::exchange(message_, std::string());
  fragments_ = 0;
  Deliver(whole, text_);
}

void WebSocketConnection::Deliver(std::string_view payload, bool text) {
  if (text && !IsUtf8(payload)) {
    Close(kInvalidPayload, "");
    peer_closed_ = true;
    return;
  }
  const std::shared_ptr<WebSocketHandler> handler = handler_;
  handler->OnMessage(payload, text);
}

void WebSocketConnection::OnTick(absl::Duration now) {
  if (phase_ == Phase::kClosed) return;
  if (now > close_deadline_) {
    Drop(close_code_);
  } else if (phase_ == Phase::kOpen && now - blocked_since_ > rules_->slow_timeout) {
    CloseSlow();
  } else if (now - heard_ > rules_->idle_timeout) {
    ++worker_->counters().timed_out;
    Drop(kNoCloseFrame);
  } else if (phase_ == Phase::kOpen && now - heard_ > rules_->ping_interval && now - pinged_ > rules_->ping_interval) {
    static const Frame kPing = std::make_shared<const std::string>(EncodeFrame(Opcode::kPing, ""));
    pinged_ = now;
    SendNow(kPing, true);
  }
}

void WebSocketConnection::OnDrain() { Close(kGoingAway, "the server is stopping"); }

void WebSocketConnection::OnForce() { Drop(kNoCloseFrame); }

void WebSocketConnection::Drop(uint16_t code) {
  if (phase_ == Phase::kClosed) return;
  Leave();
  transport_.Close();
  unsent_ = nullptr;
  current_ = nullptr;
  // Posted, so that the handler is never told inside a call of its own.
  boost::asio::post(worker_->context(),
                    [self = Self(), code, handler = std::exchange(handler_, nullptr)] { handler->OnClosed(code); });
}

}  // namespace rivermeet::net::internal
