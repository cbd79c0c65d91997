// One live socket: its subscriptions, and who it speaks for.
#ifndef RIVERMEET_GATEWAY_LIVE_SESSION_H_
#define RIVERMEET_GATEWAY_LIVE_SESSION_H_

#include <memory>
#include <string_view>
#include <vector>

#include "gateway/live_hub.h"
#include "net/websocket.h"
#include "rivermeet/gateway/v1/live.pb.h"

namespace rivermeet::gateway {

// Lives on its worker's thread.
class LiveSession final : public net::WebSocketHandler, public std::enable_shared_from_this<LiveSession> {
 public:
  LiveSession(LiveHub& hub, SessionPtr session, int worker);

  void OnOpen(const std::shared_ptr<net::WebSocket>& socket) override;
  void OnMessage(std::string_view payload, bool text) override;
  net::Frame OnStateWanted(uint64_t channel) override;
  void OnClosed(uint16_t code) override;

  int worker() const { return worker_; }
  const SessionPtr& session() const { return session_; }

  // What its hub tells it.
  void OnJoined(uint32_t id, uint64_t channel, const net::Frame& whole);
  void OnRefused(uint32_t id, const absl::Status& status);
  void OnUpdate(uint64_t channel, const net::Frame& frame, bool whole);
  void OnChannelError(uint64_t channel, const absl::Status& status, bool retrying);
  void OnTick(absl::Time now);

 private:
  struct Subscription {
    uint32_t id;
    bool wants_whole;  // Changes are held back until the whole has been sent.
    uint64_t channel;  // 0: asked for, not joined yet.
  };

  void Send(const v1::LiveServerFrame& frame);
  void SendError(uint32_t id, const absl::Status& status, bool retrying);
  void Subscribe(const v1::LiveSubscribe& subscribe);
  void Unsubscribe(uint32_t id);
  net::Task<void> Reauthenticate(std::string ticket);
  void Listen(uint64_t channel);
  void Unlisten(uint64_t channel);
  bool Has(uint64_t channel) const;

  LiveHub& hub_;
  const int worker_;
  bool warned_ = false;
  SessionPtr session_;
  std::shared_ptr<net::WebSocket> socket_;
  std::vector<Subscription> subscriptions_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_LIVE_SESSION_H_
