#include "ingest/grpc_ingest.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "rpc/status.h"

namespace rivermeet::ingest {
namespace {

constexpr std::string_view kService = "rivermeet.ingest.v1.IngestService.";

Origin OriginOf(const rpc::Caller& caller, absl::Time deadline, uint64_t producer_id, uint64_t sequence) {
  return {.tenant = caller.principal.tenant,
          .traceparent = caller.call.traceparent,
          .deadline = deadline,
          .producer_id = producer_id,
          .sequence = sequence};
}

grpc::Status Refusal(grpc::CallbackServerContext* context, const absl::Status& status) {
  const absl::Duration wait = RetryAfter(status);
  if (wait > absl::ZeroDuration()) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(absl::ToInt64Milliseconds(wait)));
  }
  return rpc::ToGrpc(status);
}

// A stream of requests, many unanswered, answered in their order. Its own life: it holds itself until gRPC is done with
// it, and each request under way holds it too.
template <typename Request, typename Response>
class StreamCall final : public grpc::ServerBidiReactor<Request, Response>,
                         public std::enable_shared_from_this<StreamCall<Request, Response>> {
 public:
  // Hands one request to the service.
  using Send = void (*)(IngestService&, Origin, std::shared_ptr<Request>, IngestService::Done);

  StreamCall(IngestService& service, absl::StatusOr<rpc::Caller> caller, absl::Duration append_timeout,
             const Clock& clock, Send send)
      : service_(service), caller_(std::move(caller)), append_timeout_(append_timeout), clock_(clock), send_(send) {}

  void Begin() {
    self_ = this->shared_from_this();
    if (!caller_.ok()) return this->Finish(rpc::ToGrpc(caller_.status()));
    Read();
  }

  void OnReadDone(bool ok) override {
    const std::shared_ptr<StreamCall> keep = this->shared_from_this();
    if (ok && caller_->principal.expires <= clock_.Now()) {
      MutexLock lock(mutex_);
      outcome_ = absl::UnauthenticatedError("the token has expired: sign in anew");
      ok = false;
    }
    if (!ok) {
      MutexLock lock(mutex_);
      reading_ = false;
      ended_ = true;
    } else {
      Take(std::move(incoming_));
    }
    Continue();
  }

  void OnWriteDone(bool ok) override {
    const std::shared_ptr<StreamCall> keep = this->shared_from_this();
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) broken_ = true;
    }
    Continue();
  }

  void OnDone() override { const std::shared_ptr<StreamCall> self = std::move(self_); }

 private:
  struct Slot {
    uint64_t sequence;
    size_t bytes;
    std::optional<absl::StatusOr<v1::Receipt>> outcome;
  };

  void Read() {
    incoming_ = std::make_shared<Request>();
    this->StartRead(incoming_.get());
  }

  void Take(std::shared_ptr<Request> message) {
    Slot* slot = nullptr;
    const size_t bytes = message->ByteSizeLong();
    {
      MutexLock lock(mutex_);
      reading_ = false;
      unanswered_bytes_ += bytes;
      // A deque keeps the others in place when one is added or taken at an end.
      slot = &slots_.emplace_back(Slot{message->request().sequence(), bytes, std::nullopt});
    }
    const absl::Time deadline = std::min(caller_->call.deadline, clock_.Now() + append_timeout_);
    Origin origin =
        OriginOf(*caller_, deadline, message->request().producer_id(), message->request().sequence());
    send_(service_, std::move(origin), std::move(message),
          [self = this->shared_from_this(), slot](absl::StatusOr<v1::Receipt> outcome) {
            {
              MutexLock lock(self->mutex_);
              slot->outcome = std::move(outcome);
            }
            self->Continue();
          });
  }

  // Does what can be done now: answer the oldest request, read on, or end.
  void Continue() {
    bool write = false, read = false;
    std::optional<grpc::Status> finish;
    {
      MutexLock lock(mutex_);
      while (broken_ && !slots_.empty() && slots_.front().outcome) Pop();
      if (!writing_ && !broken_ && !slots_.empty() && slots_.front().outcome) {
        Fill(slots_.front());
        Pop();
        writing_ = write = true;
      }
      const bool room = unanswered_bytes_ < kStreamInflightBytes && slots_.size() < kStreamInflightRequests;
      if (!reading_ && !ended_ && room) reading_ = read = true;
      if (ended_ && slots_.empty() && !writing_ && !finished_) {
        finished_ = true;
        finish = rpc::ToGrpc(outcome_);
      }
    }
    if (write) this->StartWrite(&response_);
    if (read) Read();
    if (finish) this->Finish(*finish);
  }

  void Pop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    unanswered_bytes_ -= slots_.front().bytes;
    slots_.pop_front();
  }

  void Fill(Slot& slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    response_.Clear();
    response_.set_sequence(slot.sequence);
    if (slot.outcome->ok()) {
      *response_.mutable_receipt() = **std::move(slot.outcome);
    } else {
      response_.set_code(static_cast<int32_t>(slot.outcome->status().code()));
      response_.set_message(std::string(MessageOf(slot.outcome->status())));
    }
  }

  IngestService& service_;
  const absl::StatusOr<rpc::Caller> caller_;
  const absl::Duration append_timeout_;
  const Clock& clock_;
  const Send send_;
  std::shared_ptr<StreamCall> self_;
  std::shared_ptr<Request> incoming_;
  Response response_;
  Mutex mutex_;
  std::deque<Slot> slots_ ABSL_GUARDED_BY(mutex_);
  size_t unanswered_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // The first read is begun before anybody looks.
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* GrpcIngest::Serve(grpc::CallbackServerContext* context, const char* method,
                                            const Request& request, Response* response, Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<rpc::Caller> caller = authorizer_.Authorize(*context, fmt::format("{}{}", kService, method));
  if (!caller.ok()) {
    reactor->Finish(rpc::ToGrpc(caller.status()));
    return reactor;
  }
  call(OriginOf(*caller, caller->call.deadline, request.producer_id(), request.sequence()),
       [reactor, response, context](absl::StatusOr<v1::Receipt> outcome) {
         if (!outcome.ok()) return reactor->Finish(Refusal(context, outcome.status()));
         *response->mutable_receipt() = *std::move(outcome);
         reactor->Finish(grpc::Status::OK);
       });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcIngest::OpenProducer(grpc::CallbackServerContext* context, const v1::OpenProducerRequest*,
                                                   v1::OpenProducerResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<rpc::Caller> caller = authorizer_.Authorize(*context, fmt::format("{}OpenProducer", kService));
  if (caller.ok()) response->set_producer_id(service_.OpenProducer());
  reactor->Finish(rpc::ToGrpc(caller.status()));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcIngest::Ingest(grpc::CallbackServerContext* context, const v1::IngestRequest* request,
                                             v1::IngestResponse* response) {
  return Serve(context, "Ingest", *request, response, [&](Origin origin, IngestService::Done done) {
    // gRPC made the message for this call and looks at it no more: its bytes go into the log uncopied.
    std::string batch = std::move(*const_cast<v1::IngestRequest*>(request)->mutable_batch());
    service_.IngestBatch(std::move(origin), std::move(batch), std::move(done));
  });
}

grpc::ServerUnaryReactor* GrpcIngest::IngestRows(grpc::CallbackServerContext* context,
                                                 const v1::IngestRowsRequest* request,
                                                 v1::IngestRowsResponse* response) {
  return Serve(context, "IngestRows", *request, response, [&](Origin origin, IngestService::Done done) {
    service_.IngestRows(std::move(origin), *request, std::move(done));
  });
}

grpc::ServerUnaryReactor* GrpcIngest::IngestRaw(grpc::CallbackServerContext* context,
                                                const v1::IngestRawRequest* request, v1::IngestRawResponse* response) {
  return Serve(context, "IngestRaw", *request, response, [&](Origin origin, IngestService::Done done) {
    service_.IngestRaw(std::move(origin), *request, std::move(done));
  });
}

grpc::ServerBidiReactor<v1::IngestStreamRequest, v1::IngestStreamResponse>* GrpcIngest::IngestStream(
    grpc::CallbackServerContext* context) {
  using Stream = StreamCall<v1::IngestStreamRequest, v1::IngestStreamResponse>;
  const auto send = [](IngestService& service, Origin origin, std::shared_ptr<v1::IngestStreamRequest> message,
                       IngestService::Done done) {
    std::string batch = std::move(*message->mutable_request()->mutable_batch());
    service.IngestBatch(std::move(origin), std::move(batch), std::move(done));
  };
  const auto call = std::make_shared<Stream>(
      service_, authorizer_.Authorize(*context, fmt::format("{}IngestStream", kService)), append_timeout_, clock_, send);
  call->Begin();
  return call.get();
}

grpc::ServerBidiReactor<v1::IngestRowsStreamRequest, v1::IngestRowsStreamResponse>* GrpcIngest::IngestRowsStream(
    grpc::CallbackServerContext* context) {
  using Stream = StreamCall<v1::IngestRowsStreamRequest, v1::IngestRowsStreamResponse>;
  const auto send = [](IngestService& service, Origin origin, std::shared_ptr<v1::IngestRowsStreamRequest> message,
                       IngestService::Done done) {
    const v1::IngestRowsRequest& rows = message->request();
    service.IngestRows(std::move(origin), rows,
                       [message, done = std::move(done)](absl::StatusOr<v1::Receipt> outcome) mutable {
                         done(std::move(outcome));
                       });
  };
  const auto call = std::make_shared<Stream>(
      service_, authorizer_.Authorize(*context, fmt::format("{}IngestRowsStream", kService)), append_timeout_, clock_,
      send);
  call->Begin();
  return call.get();
}

}  // namespace rivermeet::ingest
