#include "gateway/live_session.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "gateway/errors.h"
#include "telemetry/trace.h"

namespace rivermeet::gateway {

LiveSession::LiveSession(LiveHub& hub, SessionPtr session, int worker)
    : hub_(hub), worker_(worker), session_(std::move(session)) {}

void LiveSession::OnOpen(const std::shared_ptr<net::WebSocket>& socket) {
  socket_ = socket;
  LiveHub::Shard& shard = hub_.shard(worker_);
  shard.sessions.insert(this);
  hub_.Tick(shard);
}

void LiveSession::OnClosed(uint16_t) {
  for (const Subscription& subscription : subscriptions_) {
    if (subscription.channel == 0) continue;
    Unlisten(subscription.channel);
    hub_.Leave(subscription.channel, worker_);
  }
  subscriptions_.clear();
  hub_.shard(worker_).sessions.erase(this);
  socket_ = nullptr;
}

void LiveSession::Send(const v1::LiveServerFrame& frame) {
  if (socket_ != nullptr) socket_->Send(net::BinaryFrame(frame.SerializeAsString()));
}

void LiveSession::SendError(uint32_t id, const absl::Status& status, bool retrying) {
  v1::LiveServerFrame frame;
  frame.mutable_error()->set_id(id);
  frame.mutable_error()->set_code(static_cast<int>(status.code()));
  frame.mutable_error()->set_message(PublicMessageOf(status));
  frame.mutable_error()->set_retrying(retrying);
  Send(frame);
}

void LiveSession::OnMessage(std::string_view payload, bool text) {
  v1::LiveClientFrame frame;
  if (text || !frame.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    socket_->Close(text ? net::kUnsupportedData : net::kInvalidPayload, "send LiveClientFrame messages");
    return;
  }
  switch (frame.frame_case()) {
    case v1::LiveClientFrame::kSubscribe:
      Subscribe(frame.subscribe());
      return;
    case v1::LiveClientFrame::kUnsubscribe:
      Unsubscribe(frame.unsubscribe().id());
      return;
    case v1::LiveClientFrame::kReauthenticate: {
      auto run = [self = shared_from_this(), ticket = frame.reauthenticate().ticket()]() -> net::Task<void> {
        co_await self->Reauthenticate(ticket);
      };
      boost::asio::co_spawn(hub_.server_->executor(worker_), std::move(run), boost::asio::detached);
      return;
    }
    case v1::LiveClientFrame::kPing: {
      v1::LiveServerFrame pong;
      pong.mutable_pong()->set_token(frame.ping().token());
      pong.mutable_pong()->set_server_time_us(absl::ToUnixMicros(hub_.options_.clock->Now()));
      Send(pong);
      return;
    }
    case v1::LiveClientFrame::FRAME_NOT_SET:
      socket_->Close(net::kInvalidPayload, "an empty LiveClientFrame");
      return;
  }
}

bool LiveSession::Has(uint64_t channel) const {
  return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                     [&](const Subscription& subscription) { return subscription.channel == channel; });
}

void LiveSession::Subscribe(const v1::LiveSubscribe& subscribe) {
  const uint32_t id = subscribe.id();
  if (std::any_of(subscriptions_.begin(), subscriptions_.end(), [&](const auto& had) { return had.id == id; })) {
    SendError(id, absl::AlreadyExistsError("This socket has a subscription of that number."), false);
    return;
  }
  if (subscriptions_.size() >= LiveHub::kMaxSubscriptions) {
    SendError(id, absl::ResourceExhaustedError("This socket has as many subscriptions as it may."), false);
    return;
  }
  subscriptions_.push_back({id, false, 0});
  hub_.Join(shared_from_this(), id, subscribe.query());
}

void LiveSession::Unsubscribe(uint32_t id) {
  const auto it =
      std::find_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& had) { return had.id == id; });
  if (it == subscriptions_.end()) return;
  const uint64_t channel = it->channel;
  subscriptions_.erase(it);
  // One that has not joined yet is left when it does.
  if (channel == 0) return;
  if (!Has(channel)) {
    Unlisten(channel);
    if (socket_ != nullptr) socket_->Forget(channel);
  }
  hub_.Leave(channel, worker_);
}

void LiveSession::Listen(uint64_t channel) { hub_.shard(worker_).listeners[channel].push_back(this); }

void LiveSession::Unlisten(uint64_t channel) {
  auto& listeners = hub_.shard(worker_).listeners;
  const auto it = listeners.find(channel);
  if (it == listeners.end()) return;
  const auto me = std::find(it->second.begin(), it->second.end(), this);
  if (me == it->second.end()) return;
  *me = it->second.back();
  it->second.pop_back();
  if (it->second.empty()) listeners.erase(it);
}

void LiveSession::OnJoined(uint32_t id, uint64_t channel, const net::Frame& whole) {
  const auto it = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                               [&](const auto& had) { return had.id == id && had.channel == 0; });
  if (it == subscriptions_.end() || socket_ == nullptr) {
    hub_.Leave(channel, worker_);
    return;
  }
  if (!Has(channel)) Listen(channel);
  it->channel = channel;
  v1::LiveServerFrame frame;
  frame.mutable_subscribed()->set_id(id);
  frame.mutable_subscribed()->set_channel(channel);
  Send(frame);
  if (whole != nullptr) OnUpdate(channel, whole, true);
}

void LiveSession::OnRefused(uint32_t id, const absl::Status& status) {
  const auto erased = std::erase_if(subscriptions_, [&](const auto& had) { return had.id == id && had.channel == 0; });
  if (erased > 0) SendError(id, status, false);
}

void LiveSession::OnUpdate(uint64_t channel, const net::Frame& frame, bool whole) {
  if (socket_ == nullptr) return;
  for (Subscription& subscription : subscriptions_) {
    if (subscription.channel != channel) continue;
    if (whole) subscription.wants_whole = false;
    if (subscription.wants_whole) return;
  }
  socket_->SendState(channel, frame, whole);
}

net::Frame LiveSession::OnStateWanted(uint64_t channel) {
  for (Subscription& subscription : subscriptions_) {
    if (subscription.channel == channel) subscription.wants_whole = true;
  }
  if (Has(channel)) hub_.AskWhole(shared_from_this(), channel);
  return nullptr;
}

void LiveSession::OnChannelError(uint64_t channel, const absl::Status& status, bool retrying) {
  for (const Subscription& subscription : subscriptions_) {
    if (subscription.channel == channel) SendError(subscription.id, status, retrying);
  }
  if (retrying || !Has(channel)) return;
  // The channel is gone at its home already; there is nothing to leave.
  std::erase_if(subscriptions_, [&](const Subscription& subscription) { return subscription.channel == channel; });
  Unlisten(channel);
  if (socket_ != nullptr) socket_->Forget(channel);
}

net::Task<void> LiveSession::Reauthenticate(std::string ticket) {
  const rpc::CallInfo call{.bearer = "", .traceparent = telemetry::TraceContext::NewRoot().ToTraceparent()};
  absl::StatusOr<SessionPtr> session = co_await hub_.authenticator_.FromTicket(std::move(ticket), call);
  if (socket_ == nullptr) co_return;
  if (absl::IsUnavailable(session.status())) co_return;  // The client asks again; the old session still runs.
  const authn::Principal& old = session_->principal();
  if (!session.ok() || (*session)->principal().tenant != old.tenant || (*session)->principal().subject != old.subject ||
      (*session)->principal().role != old.role) {
    // Other rights see other data: that needs a socket of its own.
    socket_->Close(net::kPolicyViolation, "sign in again");
    co_return;
  }
  session_ = std::move(*session);
  warned_ = false;
  for (const Subscription& subscription : subscriptions_) {
    if (subscription.channel != 0) hub_.Renew(subscription.channel, session_);
  }
}

void LiveSession::OnTick(absl::Time now) {
  const absl::Duration left = session_->principal().expires - now;
  const absl::Status status = session_->credential->status();
  if (absl::IsUnavailable(status)) {
    socket_->Close(net::kTryAgainLater, "the session can't be checked");
  } else if (!status.ok() || left <= absl::ZeroDuration()) {
    socket_->Close(net::kPolicyViolation, "the session has ended");
  } else if (left <= hub_.options_.warning && !warned_) {
    warned_ = true;
    v1::LiveServerFrame frame;
    frame.mutable_session_ending()->set_seconds_left(static_cast<uint32_t>(absl::ToInt64Seconds(left)));
    Send(frame);
  }
}

}  // namespace rivermeet::gateway
