// Live answers for very many sockets: equal subscriptions of equal rights share one stream from the query service,
// and each update is encoded once for all their sockets.
//
// A channel (one such stream) lives on one worker thread, its home; a session (one socket) on the worker that accepted
// it. They speak by posting to each other's thread, which keeps the order of what is posted: nothing here is locked but
// the count of each tenant's channels.
#ifndef RIVERMEET_GATEWAY_LIVE_HUB_H_
#define RIVERMEET_GATEWAY_LIVE_HUB_H_

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "gateway/authenticator.h"
#include "gateway/gateway_metrics.h"
#include "gateway/upstream.h"
#include "net/server.h"
#include "net/websocket.h"
#include "rivermeet/gateway/v1/live.pb.h"

namespace rivermeet::gateway {

class LiveChannel;
class LiveSession;

class LiveHub {
 public:
  static constexpr size_t kMaxSubscriptions = 256;  // Of one socket.
  static constexpr size_t kMaxChannels = 4096;      // Of one worker thread.

  struct Options {
    net::WebSocketRules rules;
    // How long a channel that nobody has is kept, for those who come back.
    absl::Duration linger = absl::Seconds(5);
    absl::Duration min_retry = absl::Milliseconds(200);
    absl::Duration max_retry = absl::Seconds(5);
    // Of one tenant, so that no tenant's viewers leave none to the others.
    size_t max_tenant_channels = 1024;
    // How long before its session's end a socket is told.
    absl::Duration warning = absl::Seconds(60);
    const Clock* clock = &Clock::System();
  };

  LiveHub(Options options, Upstream& upstream, Authenticator& authenticator, GatewayMetrics& metrics);
  ~LiveHub();

  // Says on which server's threads it works; once, before the server starts.
  void Attach(net::Server& server);

  // Ends all channels; before the server is stopped. New subscriptions are refused.
  void Stop();

  std::shared_ptr<const net::WebSocketRules> rules() const { return rules_; }
  // What answers a socket of `session` on that worker.
  std::shared_ptr<net::WebSocketHandler> NewSession(SessionPtr session, int worker);

 private:
  friend class LiveChannel;
  friend class LiveSession;

  // One worker thread's part; touched on that thread only.
  struct Shard {
    int index = 0;
    bool stopping = false;
    // As a home of channels.
    StringMap<std::shared_ptr<LiveChannel>> by_key;
    absl::flat_hash_map<uint64_t, std::shared_ptr<LiveChannel>> by_number;
    uint64_t next_number = 1;
    // As a home of sessions.
    absl::flat_hash_map<uint64_t, std::vector<LiveSession*>> listeners;
    absl::flat_hash_set<LiveSession*> sessions;
    // From the first session to Stop(): it must not outlive the server's threads.
    std::unique_ptr<boost::asio::steady_timer> tick;
    bool ticking = false;
  };

  int HomeOf(uint64_t channel) const { return static_cast<int>(channel % shards_.size()); }
  Shard& shard(int worker) { return *shards_[worker]; }
  void Tick(Shard& shard);

  // Called on a session's thread.
  void Join(std::shared_ptr<LiveSession> session, uint32_t id, query::v1::TimeSeriesQuery query);
  void Leave(uint64_t channel, int worker);
  void AskWhole(std::shared_ptr<LiveSession> session, uint64_t channel);
  void Renew(uint64_t channel, SessionPtr session);

  // Called on a channel's thread.
  absl::StatusOr<std::shared_ptr<LiveChannel>> FindOrStart(Shard& home, const std::string& key,
                                                           const SessionPtr& session, query::v1::TimeSeriesQuery query);
  void Deliver(int worker, uint64_t channel, net::Frame frame, bool whole);
  void DeliverError(int worker, uint64_t channel, absl::Status status, bool retrying);
  void Remove(LiveChannel& channel);
  // One channel more of the tenant; false when it has as many as it may.
  bool TakeShare(const std::string& tenant);
  void ReturnShare(const std::string& tenant);

  const Options options_;
  Upstream& upstream_;
  Authenticator& authenticator_;
  GatewayMetrics& metrics_;
  const std::shared_ptr<const net::WebSocketRules> rules_;
  net::Server* server_ = nullptr;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<int64_t> channels_{0};
  // Touched when a channel begins and ends, from every home.
  Mutex tenants_mutex_;
  StringMap<size_t> channels_of_tenant_ ABSL_GUARDED_BY(tenants_mutex_);
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_LIVE_HUB_H_
