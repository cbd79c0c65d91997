#include "gateway/live_channel.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/ids.h"
#include "telemetry/logging.h"
#include "telemetry/trace.h"

namespace rivermeet::gateway {
namespace {

constexpr char kSubscribe[] = "/rivermeet.query.v1.QueryService/Subscribe";
constexpr size_t kSessionsKept = 8;

// Errors that trying again can mend, the query being what it is.
bool CanPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:  // A stream that just ends.
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnauthenticated:  // With another listener's token.
      return true;
    default:
      return false;
  }
}

}  // namespace

LiveChannel::LiveChannel(LiveHub& hub, LiveHub::Shard& home, uint64_t number, std::string key, std::string tenant,
                         query::v1::TimeSeriesQuery query)
    : hub_(hub),
      home_(home),
      number_(number),
      key_(std::move(key)),
      tenant_(std::move(tenant)),
      query_(std::move(query)),
      listeners_(hub.shards_.size(), 0),
      // A channel made anew for a query must not look like the one before it.
      epoch_(RandomId() >> 20),
      timer_(hub.server_->executor(home.index)),
      linger_timer_(hub.server_->executor(home.index)) {}

void LiveChannel::Start() {
  auto run = [self = shared_from_this()]() -> net::Task<void> { co_await self->Run(); };
  boost::asio::co_spawn(hub_.server_->executor(home_.index), std::move(run), boost::asio::detached);
}

void LiveChannel::Stop() {
  stopping_ = true;
  timer_.cancel();
  linger_timer_.cancel();
  if (stream_ != nullptr) stream_->Cancel();
}

void LiveChannel::Offer(const SessionPtr& session) {
  sessions_.push_front(session);
  if (sessions_.size() > kSessionsKept) sessions_.pop_back();
}

void LiveChannel::AddListener(int worker, const SessionPtr& session) {
  ++listeners_[worker];
  ++listener_count_;
  linger_timer_.cancel();
  Offer(session);
}

void LiveChannel::RemoveListener(int worker) {
  --listeners_[worker];
  if (--listener_count_ > 0) return;
  linger_timer_.expires_after(absl::ToChronoNanoseconds(hub_.options_.linger));
  linger_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->listener_count_ > 0 || self->stopping_) return;
    self->hub_.Remove(*self);
    self->Stop();
  });
}

SessionPtr LiveChannel::BestSession() {
  std::erase_if(sessions_, [](const SessionPtr& session) { return !session->credential->status().ok(); });
  const auto best = std::max_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
    return a->principal().expires < b->principal().expires;
  });
  if (best == sessions_.end() || (*best)->principal().expires <= hub_.options_.clock->Now()) return nullptr;
  return *best;
}

net::Frame LiveChannel::Encode(query::v1::SubscribeResponse response) const {
  v1::LiveServerFrame frame;
  frame.mutable_update()->set_channel(number_);
  frame.mutable_update()->set_epoch(epoch_);
  *frame.mutable_update()->mutable_response() = std::move(response);
  return net::BinaryFrame(frame.SerializeAsString());
}

net::Frame LiveChannel::Whole() {
  if (whole_ != nullptr || !table_.ready()) return whole_;
  absl::StatusOr<query::v1::SubscribeResponse> whole = table_.Whole();
  if (!whole.ok()) {
    // Only a query service that breaks its word gets here: begin anew.
    if (stream_ != nullptr) stream_->Cancel();
    return nullptr;
  }
  whole_ = Encode(std::move(*whole));
  return whole_;
}

absl::Status LiveChannel::OnResponse(const grpc::ByteBuffer& bytes) {
  query::v1::SubscribeResponse response;
  if (auto status = ParseBytes(bytes, response); !status.ok()) return status;
  if (first_) {
    if (!response.snapshot()) return absl::InternalError("a subscription must start with a snapshot");
    first_ = false;
    ++epoch_;
  }
  if (auto status = table_.Apply(response); !status.ok()) return absl::InternalError(status.ToString());
  const bool whole = response.snapshot();
  net::Frame frame = Encode(std::move(response));
  whole_ = whole ? frame : nullptr;
  for (size_t worker = 0; worker < listeners_.size(); ++worker) {
    if (listeners_[worker] > 0) hub_.Deliver(static_cast<int>(worker), number_, frame, whole);
  }
  hub_.metrics_.LiveUpdate(static_cast<size_t>(listener_count_));
  return absl::OkStatus();
}

void LiveChannel::TellAll(const absl::Status& status, bool retrying) {
  for (size_t worker = 0; worker < listeners_.size(); ++worker) {
    if (listeners_[worker] > 0) hub_.DeliverError(static_cast<int>(worker), number_, status, retrying);
  }
}

// Reads one stream to its end.
net::Task<absl::Status> LiveChannel::Follow(bool& heard) {
  const SessionPtr session = BestSession();
  if (session == nullptr) co_return absl::UnauthenticatedError("The session has ended; sign in again.");
  query::v1::SubscribeRequest request;
  *request.mutable_query() = query_;
  const rpc::CallInfo call{.bearer = session->bearer,
                           .traceparent = telemetry::TraceContext::NewRoot().ToTraceparent()};
  auto opened = hub_.upstream_.Stream(kSubscribe, call, absl::InfiniteDuration(), ToBytes(request),
                                      hub_.server_->executor(home_.index));
  if (!opened.ok()) co_return opened.status();
  stream_ = std::move(*opened);
  first_ = true;
  absl::Status broken;
  grpc::ByteBuffer bytes;
  while (true) {
    const UpstreamStream::Next next = co_await stream_->Read(absl::Hours(1), bytes);
    if (next == UpstreamStream::Next::kEnd) break;
    if (next != UpstreamStream::Next::kMessage || !broken.ok() || stopping_) continue;
    heard = true;
    broken = OnResponse(bytes);
    if (!broken.ok()) stream_->Cancel();
  }
  const absl::Status status = broken.ok() ? stream_->status() : broken;
  stream_ = nullptr;
  if (absl::IsUnauthenticated(status)) {
    std::erase(sessions_, session);
  }
  co_return status;
}

net::Task<void> LiveChannel::Pause(absl::Duration delay) {
  timer_.expires_after(absl::ToChronoNanoseconds(delay));
  co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
}

net::Task<void> LiveChannel::Run() {
  absl::Duration delay = hub_.options_.min_retry;
  while (!stopping_) {
    bool heard = false;
    const absl::Status status = co_await Follow(heard);
    if (stopping_) break;
    const bool retrying = CanPass(status) && BestSession() != nullptr;
    telemetry::Log(telemetry::Level::kWarn, "live channel lost its subscription",
                   {{"channel", number_}, {"error", status}, {"retrying", retrying}});
    TellAll(status.ok() ? absl::UnavailableError("the query service ended the stream") : status, retrying);
    if (!retrying) {
      hub_.Remove(*this);
      break;
    }
    hub_.metrics_.LiveRestart();
    delay = heard ? hub_.options_.min_retry : std::min(delay * 2, hub_.options_.max_retry);
    // Between half and all of it, so that channels that fell together don't come back together.
    const double share = 0.5 + 0.5 * static_cast<double>(RandomId() % 1024) / 1024;
    co_await Pause(delay * share);
  }
  linger_timer_.cancel();
}

}  // namespace rivermeet::gateway
