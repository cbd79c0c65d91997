#include "gateway/live_hub.h"

#include <future>

#include "fmt/format.h"
#include "gateway/live_channel.h"
#include "gateway/live_session.h"

namespace rivermeet::gateway {
namespace {

constexpr std::chrono::seconds kTick(1);

// What makes two subscriptions the same: the tenant, the rights, the question. Rights are the role today; whatever
// else comes to decide what a caller sees belongs in here.
std::string KeyOf(const authn::Principal& principal, const query::v1::TimeSeriesQuery& query) {
  return fmt::format("{}\n{}\n{}", principal.tenant, static_cast<int>(principal.role), query.SerializeAsString());
}

}  // namespace

LiveHub::LiveHub(Options options, Upstream& upstream, Authenticator& authenticator, GatewayMetrics& metrics)
    : options_(std::move(options)),
      upstream_(upstream),
      authenticator_(authenticator),
      metrics_(metrics),
      rules_(std::make_shared<const net::WebSocketRules>(options_.rules)) {}

LiveHub::~LiveHub() = default;

void LiveHub::Attach(net::Server& server) {
  server_ = &server;
  for (int i = 0; i < server.threads(); ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->index = i;
    // Numbers of a home are those that leave its index as the remainder.
    shards_.back()->next_number = static_cast<uint64_t>(server.threads() + i);
  }
}

void LiveHub::Stop() {
  for (const auto& shard : shards_) {
    std::promise<void> done;
    const bool posted = server_->Post(shard->index, [&] {
      shard->stopping = true;
      shard->tick.reset();
      for (const auto& [number, channel] : shard->by_number) channel->Stop();
      shard->by_number.clear();
      shard->by_key.clear();
      done.set_value();
    });
    if (posted) done.get_future().wait();
  }
}

std::shared_ptr<net::WebSocketHandler> LiveHub::NewSession(SessionPtr session, int worker) {
  return std::make_shared<LiveSession>(*this, std::move(session), worker);
}

// Looks once a second for sessions that end.
void LiveHub::Tick(Shard& shard) {
  if (shard.ticking || shard.stopping || shard.sessions.empty()) return;
  shard.ticking = true;
  if (shard.tick == nullptr) shard.tick = std::make_unique<boost::asio::steady_timer>(server_->executor(shard.index));
  shard.tick->expires_after(kTick);
  shard.tick->async_wait([this, &shard](const boost::system::error_code& error) {
    shard.ticking = false;
    if (error) return;
    const absl::Time now = options_.clock->Now();
    for (LiveSession* session : shard.sessions) session->OnTick(now);
    Tick(shard);
  });
}

absl::StatusOr<std::shared_ptr<LiveChannel>> LiveHub::FindOrStart(Shard& home, const std::string& key,
                                                                  const SessionPtr& session,
                                                                  query::v1::TimeSeriesQuery query) {
  const auto it = home.by_key.find(key);
  if (it != home.by_key.end()) return it->second;
  if (home.stopping) return absl::UnavailableError("stopping");
  if (home.by_number.size() >= kMaxChannels) {
    return absl::ResourceExhaustedError("Too many different live queries; try later.");
  }
  const std::string& tenant = session->principal().tenant;
  if (!TakeShare(tenant)) {
    return absl::ResourceExhaustedError(
        fmt::format("The tenant has {} different live queries, as many as it may "
                    "(gateway.max_live_queries); close some and try again.",
                    options_.max_tenant_channels));
  }
  const uint64_t number = home.next_number;
  home.next_number += shards_.size();
  auto channel = std::make_shared<LiveChannel>(*this, home, number, key, tenant, std::move(query));
  home.by_key.emplace(key, channel);
  home.by_number.emplace(number, channel);
  metrics_.LiveChannels(static_cast<double>(++channels_));
  // Its session comes first: the channel subscribes with it.
  channel->Offer(session);
  channel->Start();
  return channel;
}

void LiveHub::Join(std::shared_ptr<LiveSession> session, uint32_t id, query::v1::TimeSeriesQuery query) {
  query.DiscardUnknownFields();
  std::string key = KeyOf(session->session()->principal(), query);
  const int home_index = static_cast<int>(StringHash()(key) % shards_.size());
  SessionPtr rights = session->session();
  server_->Post(home_index, [this, home_index, session = std::move(session), rights = std::move(rights), id,
                             key = std::move(key), query = std::move(query)]() mutable {
    Shard& home = shard(home_index);
    const int worker = session->worker();
    const absl::StatusOr<std::shared_ptr<LiveChannel>> channel = FindOrStart(home, key, rights, std::move(query));
    if (!channel.ok()) {
      server_->Post(worker, [session, id, why = channel.status()] { session->OnRefused(id, why); });
      return;
    }
    (*channel)->AddListener(worker, rights);
    server_->Post(worker, [session, id, number = (*channel)->number(), whole = (*channel)->Whole()] {
      session->OnJoined(id, number, whole);
    });
  });
}

void LiveHub::Leave(uint64_t channel, int worker) {
  server_->Post(HomeOf(channel), [this, channel, worker] {
    auto& channels = shard(HomeOf(channel)).by_number;
    if (const auto it = channels.find(channel); it != channels.end()) it->second->RemoveListener(worker);
  });
}

void LiveHub::AskWhole(std::shared_ptr<LiveSession> session, uint64_t channel) {
  server_->Post(HomeOf(channel), [this, session = std::move(session), channel] {
    auto& channels = shard(HomeOf(channel)).by_number;
    const auto it = channels.find(channel);
    net::Frame whole = it == channels.end() ? nullptr : it->second->Whole();
    if (whole == nullptr) return;
    server_->Post(session->worker(), [session, channel, whole] { session->OnUpdate(channel, whole, true); });
  });
}

void LiveHub::Renew(uint64_t channel, SessionPtr session) {
  server_->Post(HomeOf(channel), [this, channel, session = std::move(session)] {
    auto& channels = shard(HomeOf(channel)).by_number;
    if (const auto it = channels.find(channel); it != channels.end()) it->second->Offer(session);
  });
}

void LiveHub::Deliver(int worker, uint64_t channel, net::Frame frame, bool whole) {
  server_->Post(worker, [this, worker, channel, frame = std::move(frame), whole] {
    const auto& listeners = shard(worker).listeners;
    const auto it = listeners.find(channel);
    if (it == listeners.end()) return;
    for (LiveSession* session : it->second) session->OnUpdate(channel, frame, whole);
  });
}

void LiveHub::DeliverError(int worker, uint64_t channel, absl::Status status, bool retrying) {
  server_->Post(worker, [this, worker, channel, status = std::move(status), retrying] {
    const auto& listeners = shard(worker).listeners;
    const auto it = listeners.find(channel);
    if (it == listeners.end()) return;
    // A copy: a session that is told of the end stops listening.
    const std::vector<LiveSession*> sessions = it->second;
    for (LiveSession* session : sessions) session->OnChannelError(channel, status, retrying);
  });
}

void LiveHub::Remove(LiveChannel& channel) {
  Shard& home = shard(HomeOf(channel.number()));
  const auto keep = channel.shared_from_this();
  home.by_key.erase(channel.key());
  if (home.by_number.erase(channel.number()) == 0) return;
  metrics_.LiveChannels(static_cast<double>(--channels_));
  ReturnShare(channel.tenant());
}

bool LiveHub::TakeShare(const std::string& tenant) {
  MutexLock lock(tenants_mutex_);
  size_t& channels = channels_of_tenant_[tenant];
  if (channels >= options_.max_tenant_channels) return false;
  ++channels;
  return true;
}

void LiveHub::ReturnShare(const std::string& tenant) {
  MutexLock lock(tenants_mutex_);
  const auto found = channels_of_tenant_.find(tenant);
  if (found != channels_of_tenant_.end() && --found->second == 0) channels_of_tenant_.erase(found);
}

}  // namespace rivermeet::gateway
