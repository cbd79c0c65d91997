// One subscription to the query service, on behalf of all sockets that asked for the same with the same rights.
#ifndef RIVERMEET_GATEWAY_LIVE_CHANNEL_H_
#define RIVERMEET_GATEWAY_LIVE_CHANNEL_H_

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gateway/live_hub.h"
#include "gateway/live_table.h"

namespace rivermeet::gateway {

// Lives on its home thread.
class LiveChannel : public std::enable_shared_from_this<LiveChannel> {
 public:
  LiveChannel(LiveHub& hub, LiveHub::Shard& home, uint64_t number, std::string key, std::string tenant,
              query::v1::TimeSeriesQuery query);

  uint64_t number() const { return number_; }
  const std::string& key() const { return key_; }
  const std::string& tenant() const { return tenant_; }

  void Start();
  // Ends it soon.
  void Stop();

  // A subscription on `worker` more or less.
  void AddListener(int worker, const SessionPtr& session);
  void RemoveListener(int worker);
  // A session that may be used to subscribe again.
  void Offer(const SessionPtr& session);

  // The whole answer as a frame for a socket; nullptr before the first snapshot.
  net::Frame Whole();

 private:
  net::Task<void> Run();
  net::Task<absl::Status> Follow(bool& heard);
  net::Task<void> Pause(absl::Duration delay);
  absl::Status OnResponse(const grpc::ByteBuffer& bytes);
  net::Frame Encode(query::v1::SubscribeResponse response) const;
  SessionPtr BestSession();
  void TellAll(const absl::Status& status, bool retrying);

  LiveHub& hub_;
  LiveHub::Shard& home_;
  const uint64_t number_;
  const std::string key_;
  const std::string tenant_;
  const query::v1::TimeSeriesQuery query_;
  std::vector<int> listeners_;  // By worker.
  int listener_count_ = 0;
  std::deque<SessionPtr> sessions_;  // Of the latest few that joined.
  LiveTable table_;
  net::Frame whole_;  // Of the table as it is; nullptr once it changed.
  uint64_t epoch_ = 0;
  bool first_ = true;  // Of a stream's responses: the next one.
  bool stopping_ = false;
  std::shared_ptr<UpstreamStream> stream_;
  boost::asio::steady_timer timer_;  // Pauses between tries.
  boost::asio::steady_timer linger_timer_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_LIVE_CHANNEL_H_
