// An open WebSocket on its worker.
#ifndef RIVERMEET_NET_INTERNAL_WEBSOCKET_CONNECTION_H_
#define RIVERMEET_NET_INTERNAL_WEBSOCKET_CONNECTION_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/internal/transport.h"
#include "net/internal/websocket_frames.h"
#include "net/internal/worker.h"
#include "net/websocket.h"

namespace rivermeet::net::internal {

class WebSocketConnection final : public WebSocket, public Member {
 public:
  // Takes over a connection whose handshake is done; `in` is what was read beyond it.
  static void Open(std::shared_ptr<Worker> worker, Transport transport, std::shared_ptr<WebSocketHandler> handler,
                   std::shared_ptr<const WebSocketRules> rules, std::string subprotocol, std::string in);

  WebSocketConnection(std::shared_ptr<Worker> worker, Transport transport, std::shared_ptr<WebSocketHandler> handler,
                      std::shared_ptr<const WebSocketRules> rules, std::string subprotocol);
  ~WebSocketConnection() override;

  void Send(Frame frame) override;
  void SendState(uint64_t key, Frame frame, bool whole) override;
  void Forget(uint64_t key) override;
  void Close(uint16_t code, std::string_view reason) override;
  int worker() const override { return worker_->index(); }
  const std::string& subprotocol() const override { return subprotocol_; }

  void OnTick(absl::Duration now) override;
  void OnDrain() override;
  void OnForce() override;

 private:
  enum class Phase : uint8_t { kOpen, kClosing, kClosed };

  // What waits to be sent; exists only while something does.
  struct Unsent {
    struct State {
      uint64_t key;
      std::vector<Frame> frames;
      bool wanted = false;  // The frames were dropped: ask for the newest state.
    };
    std::deque<Frame> urgent;  // Pongs and the close frame.
    std::deque<Frame> sure;
    size_t sure_bytes = 0;
    std::vector<State> states;
  };

  std::shared_ptr<WebSocketConnection> Self() {
    return std::static_pointer_cast<WebSocketConnection>(shared_from_this());
  }
  Unsent& Waiting();
  void SendNow(Frame frame, bool urgent);
  void Flush();
  bool NextFrame();
  Frame NextState();
  void AfterFlush();
  void WaitToWrite();
  void WaitToRead();
  void OnReadable();
  void Consume(std::span<char> data);
  size_t ConsumeFrames(std::span<char> data);
  void OnFrame(const FrameHeader& header, std::span<char> payload);
  void OnDataFrame(const FrameHeader& header, std::string_view payload);
  void OnCloseFrame(std::string_view payload);
  void Deliver(std::string_view payload, bool text);
  void CloseSlow();
  void Drop(uint16_t code);
  void Leave();

  const std::shared_ptr<Worker> worker_;
  const std::shared_ptr<const WebSocketRules> rules_;
  std::shared_ptr<WebSocketHandler> handler_;
  Transport transport_;
  const std::string subprotocol_;
  std::string partial_;  // A frame that has come in part.
  std::string message_;  // Fragments of a message.
  Frame current_;        // Being sent.
  size_t sent_ = 0;      // Of current_.
  std::unique_ptr<Unsent> unsent_;
  absl::Duration heard_;
  absl::Duration pinged_;
  absl::Duration blocked_since_ = absl::InfiniteDuration();
  absl::Duration close_deadline_ = absl::InfiniteDuration();
  uint32_t fragments_ = 0;
  uint16_t close_code_ = 0;
  Phase phase_ = Phase::kOpen;
  bool text_ = false;
  bool peer_closed_ = false;
  bool flushing_ = false;
  bool waiting_to_write_ = false;
};

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_WEBSOCKET_CONNECTION_H_
