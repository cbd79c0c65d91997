#include "gateway/upstream.h"

#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>

#include "base/disk_full.h"
#include "base/retry_after.h"
#include "base/status.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "rpc/status.h"

namespace rivermeet::gateway {

// Reads a server's stream on behalf of one coroutine, one message ahead. gRPC's threads only hand over what they have
// by posting it to the coroutine's thread; everything else happens there.
class ReactorStream final : public UpstreamStream,
                            public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public std::enable_shared_from_this<ReactorStream> {
 public:
  ReactorStream(boost::asio::any_io_executor executor, grpc::ByteBuffer request,
                std::shared_ptr<Upstream::Outstanding> outstanding)
      : executor_(std::move(executor)),
        wake_(executor_),
        request_(std::move(request)),
        outstanding_(std::move(outstanding)) {}

  void Start(grpc::GenericStub& stub, const std::string& path, const rpc::CallInfo& call, absl::Duration timeout) {
    self_ = shared_from_this();
    {
      MutexLock lock(outstanding_->mutex);
      ++outstanding_->streams;
    }
    rpc::PrepareCall(context_, call, timeout);
    stub.PrepareBidiStreamingCall(&context_, path, grpc::StubOptions(), this);
    // Reads begin outside of gRPC's callbacks, which is what the hold allows.
    AddHold();
    StartWriteLast(&request_, grpc::WriteOptions());
    StartCall();
    StartRead(&incoming_);
  }

  net::Task<Next> Read(absl::Duration patience, grpc::ByteBuffer& message) override {
    const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
    while (!ready_ && !ended_) {
      wake_.expires_at(until);
      const auto [error] = co_await wake_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      if (!error && !ready_ && !ended_) co_return Next::kQuiet;
    }
    if (!ready_) co_return Next::kEnd;
    message.Swap(&incoming_);
    ReadAhead();
    co_return Next::kMessage;
  }

  // The call ends when a read fails, so one is always under way after this.
  void Cancel() override {
    if (ended_ || cancelled_) return;
    cancelled_ = true;
    context_.TryCancel();
    if (ready_) ReadAhead();
  }
  absl::Status status() const override { return status_; }

  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();
      return;
    }
    boost::asio::post(executor_, [self = shared_from_this()] {
      self->ready_ = true;
      if (self->cancelled_) {
        self->ReadAhead();
      } else {
        self->wake_.cancel();
      }
    });
  }

  void OnDone(const grpc::Status& status) override {
    const auto outstanding = outstanding_;
    boost::asio::post(executor_, [self = std::move(self_), status = rpc::FromGrpc(status)] {
      self->status_ = status;
      self->ended_ = true;
      self->wake_.cancel();
    });
    MutexLock lock(outstanding->mutex);
    if (--outstanding->streams == 0) outstanding->none.NotifyAll();
  }

 private:
  void ReadAhead() {
    ready_ = false;
    incoming_.Clear();
    StartRead(&incoming_);
  }

  const boost::asio::any_io_executor executor_;
  boost::asio::steady_timer wake_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer incoming_;
  std::shared_ptr<ReactorStream> self_;  // Until OnDone().
  const std::shared_ptr<Upstream::Outstanding> outstanding_;
  absl::Status status_;
  bool ready_ = false;
  bool ended_ = false;
  bool cancelled_ = false;
};

namespace {

// With the wait that the service asks for (gRFC A6), and whether its disk is full.
absl::Status FailureOf(const grpc::Status& status, const grpc::ClientContext& context) {
  absl::Status failure = rpc::FromGrpc(status);
  const auto& trailers = context.GetServerTrailingMetadata();
  if (!failure.ok() && trailers.contains(kDiskFullTrailer)) failure = WithDiskFull(std::move(failure));
  const auto pushback = trailers.find("grpc-retry-pushback-ms");
  int64_t milliseconds = 0;
  if (pushback == trailers.end() ||
      !ParseNumber(std::string_view(pushback->second.data(), pushback->second.size()), milliseconds) ||
      milliseconds <= 0) {
    return failure;
  }
  return WithRetryAfter(failure, absl::Milliseconds(milliseconds));
}

}  // namespace

grpc::ByteBuffer ToBytes(std::string bytes) {
  auto* owned = new std::string(std::move(bytes));
  const grpc::Slice slice(
      owned->data(), owned->size(), [](void* text) { delete static_cast<std::string*>(text); }, owned);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer ToBytes(const google::protobuf::MessageLite& message) { return ToBytes(message.SerializeAsString()); }

std::string FromBytes(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!bytes.Dump(&slices).ok()) return text;
  text.reserve(bytes.Length());
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

absl::Status ParseBytes(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  if (!message.ParseFromString(FromBytes(bytes))) {
    return absl::InternalError(fmt::format("a service's answer is no {}", message.GetTypeName()));
  }
  return absl::OkStatus();
}

void Cancellation::Cancel() {
  cancelled_ = true;
  if (auto action = std::exchange(action_, nullptr)) action();
}

void Cancellation::OnCancel(std::function<void()> action) {
  action_ = std::move(action);
  if (cancelled_ && action_) Cancel();
}

Upstream::Upstream(Channels channels, GatewayMetrics& metrics, const Clock& clock) : metrics_(metrics) {
  for (auto& [service, channel] : channels) {
    services_[service] = {std::make_unique<grpc::GenericStub>(channel),
                          std::make_unique<rpc::CircuitBreaker>(rpc::CircuitBreakerOptions(), clock)};
  }
}

Upstream::~Upstream() = default;

absl::StatusOr<const Upstream::Service*> Upstream::ServiceOf(std::string_view path) const {
  const size_t slash = path.rfind('/');
  const auto it =
      slash == 0 || slash == std::string_view::npos ? services_.end() : services_.find(path.substr(1, slash - 1));
  if (it == services_.end()) return absl::UnimplementedError(fmt::format("no service behind {}", path));
  return &it->second;
}

absl::StatusOr<rpc::CircuitBreaker::Pass> Upstream::Enter(const Service& service) {
  absl::StatusOr<rpc::CircuitBreaker::Pass> pass = service.breaker->Enter();
  if (!pass.ok()) metrics_.Refused();
  return pass;
}

net::Task<absl::StatusOr<grpc::ByteBuffer>> Upstream::Unary(std::string path, rpc::CallInfo call,
                                                            absl::Duration timeout, grpc::ByteBuffer request,
                                                            Cancellation* cancellation) {
  const absl::StatusOr<const Service*> service = ServiceOf(path);
  if (!service.ok()) co_return service.status();
  absl::StatusOr<rpc::CircuitBreaker::Pass> pass = Enter(**service);
  if (!pass.ok()) co_return pass.status();
  grpc::ClientContext context;
  rpc::PrepareCall(context, call, timeout);
  grpc::ByteBuffer response;
  if (cancellation != nullptr) cancellation->OnCancel([&context] { context.TryCancel(); });
  auto start = [&](std::function<void(grpc::Status)> done) {
    (*service)->stub->UnaryCall(&context, path, grpc::StubOptions(), &request, &response, std::move(done));
  };
  const grpc::Status status = co_await net::Await<grpc::Status>(std::move(start));
  if (cancellation != nullptr) cancellation->OnCancel(nullptr);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    pass->Unanswered();
  } else if (status.error_code() != grpc::StatusCode::CANCELLED) {
    pass->Answered();
  }
  if (!status.ok()) co_return FailureOf(status, context);
  co_return response;
}

absl::StatusOr<std::shared_ptr<UpstreamStream>> Upstream::Stream(const std::string& path, const rpc::CallInfo& call,
                                                                 absl::Duration timeout, grpc::ByteBuffer request,
                                                                 boost::asio::any_io_executor executor) {
  RM_ASSIGN_OR_RETURN(const Service* service, ServiceOf(path));
  // A stream may be quiet for long: it says nothing about whether the service answers.
  RM_RETURN_IF_ERROR(Enter(*service).status());
  auto stream = std::make_shared<ReactorStream>(std::move(executor), std::move(request), outstanding_);
  stream->Start(*service->stub, path, call, timeout);
  UpstreamStream* handle = stream.get();
  return std::shared_ptr<UpstreamStream>(handle, [stream = std::move(stream)](UpstreamStream*) { stream->Cancel(); });
}

void Upstream::WaitForStreams() {
  MutexLock lock(outstanding_->mutex);
  while (outstanding_->streams > 0) outstanding_->none.Wait(outstanding_->mutex);
}

}  // namespace rivermeet::gateway
