#include "ingest/grpc_ingest.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/disk_full.h"
#include "base/retry_after.h"
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
  if (IsDiskFull(status)) context->AddTrailingMetadata(kDiskFullTrailer, "1");
  return rpc::ToGrpc(status);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

template <typename Message>
grpc::ByteBuffer ToBuffer(const Message& message) {
  grpc::ByteBuffer buffer;
  bool own_buffer = false;
  grpc::SerializationTraits<Message>::Serialize(message, &buffer, &own_buffer);
  return buffer;
}

// One request of a stream, as read.
struct Incoming {
  uint64_t producer_id = 0;
  uint64_t sequence = 0;
  // Hands it to the service.
  absl::AnyInvocable<void(IngestService&, Origin, IngestService::Done)> send;
};

absl::StatusOr<Incoming> ReadColumns(grpc::ByteBuffer& bytes) {
  const auto message = std::make_shared<v1::IngestStreamRequest>();
  if (!grpc::SerializationTraits<v1::IngestStreamRequest>::Deserialize(&bytes, message.get()).ok()) {
    return absl::InvalidArgumentError("not an IngestStreamRequest");
  }
  return Incoming{message->request().producer_id(), message->request().sequence(),
                  [message](IngestService& service, Origin origin, IngestService::Done done) {
                    std::string batch = std::move(*message->mutable_request()->mutable_batch());
                    service.IngestBatch(std::move(origin), std::move(batch), std::move(done));
                  }};
}

absl::StatusOr<Incoming> ReadRows(grpc::ByteBuffer& bytes) {
  const auto message = std::make_shared<RowsMessage>();
  RM_RETURN_IF_ERROR(ParseStreamRows(ToString(bytes), *message));
  return Incoming{message->rows.producer_id(), message->rows.sequence(),
                  [message](IngestService& service, Origin origin, IngestService::Done done) {
                    service.IngestRows(std::move(origin), *message,
                                       [message, done = std::move(done)](absl::StatusOr<v1::Receipt> outcome) mutable {
                                         done(std::move(outcome));
                                       });
                  }};
}

// A stream of requests, many unanswered, answered in their order. Its own life: it holds itself until gRPC is done with
// it, and each request under way holds it too.
template <typename Response>
class StreamCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<StreamCall<Response>> {
 public:
  using Parse = absl::StatusOr<Incoming> (*)(grpc::ByteBuffer&);

  StreamCall(IngestService& service, absl::Duration append_timeout, const Clock& clock, Parse parse)
      : service_(service), append_timeout_(append_timeout), clock_(clock), parse_(parse) {}

  // Until gRPC is done with it.
  void KeepAlive() { self_ = this->shared_from_this(); }

  void Begin(absl::StatusOr<rpc::Caller> caller) {
    if (!caller.ok()) return this->Finish(rpc::ToGrpc(caller.status()));
    caller_ = *std::move(caller);
    Read();
    // Whether or not anything comes from the sender.
    ending_.emplace(caller_.credential, [this, weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) End(caller_.credential->status());
    });
  }

  void OnReadDone(bool ok) override {
    const std::shared_ptr<StreamCall> keep = this->shared_from_this();
    bool take = ok;
    {
      MutexLock lock(mutex_);
      take = ok && !ended_;
      if (!take) {
        reading_ = false;
        ended_ = true;
      }
    }
    if (take) Take(std::move(incoming_));
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

  void End(const absl::Status& why) {
    {
      MutexLock lock(mutex_);
      if (ended_) return;
      ended_ = true;
      outcome_ = why;
    }
    Continue();
  }

  void Read() {
    incoming_.Clear();
    this->StartRead(&incoming_);
  }

  void Take(grpc::ByteBuffer bytes) {
    const size_t size = bytes.Length();
    absl::StatusOr<Incoming> request = parse_(bytes);
    Slot* slot = nullptr;
    {
      MutexLock lock(mutex_);
      reading_ = false;
      unanswered_bytes_ += size;
      // A deque keeps the others in place when one is added or taken at an end.
      slot = &slots_.emplace_back(Slot{request.ok() ? request->sequence : 0, size, std::nullopt});
      if (!request.ok()) slot->outcome = request.status();
    }
    if (!request.ok()) return;
    const absl::Time deadline = std::min(caller_.call.deadline, clock_.Now() + append_timeout_);
    request->send(service_, OriginOf(caller_, deadline, request->producer_id, request->sequence),
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
    Response response;
    response.set_sequence(slot.sequence);
    if (slot.outcome->ok()) {
      *response.mutable_receipt() = **std::move(slot.outcome);
    } else {
      response.set_code(static_cast<int32_t>(slot.outcome->status().code()));
      response.set_message(std::string(MessageOf(slot.outcome->status())));
    }
    response_ = ToBuffer(response);
  }

  IngestService& service_;
  rpc::Caller caller_;
  const absl::Duration append_timeout_;
  const Clock& clock_;
  const Parse parse_;
  std::shared_ptr<StreamCall> self_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer response_;
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
  std::optional<rpc::Ending> ending_;
};

}  // namespace

template <typename Request, typename Response, typename Call>
grpc::ServerUnaryReactor* GrpcIngest::Serve(grpc::CallbackServerContext* context, const char* method,
                                            const Request& request, Response* response, Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  authorizer_.Authorize(*context, fmt::format("{}{}", kService, method),
                        [=, &request](const absl::StatusOr<rpc::Caller>& caller) {
                          if (!caller.ok()) return reactor->Finish(rpc::ToGrpc(caller.status()));
                          call(OriginOf(*caller, caller->call.deadline, request.producer_id(), request.sequence()),
                               [reactor, response, context](absl::StatusOr<v1::Receipt> outcome) {
                                 if (!outcome.ok()) return reactor->Finish(Refusal(context, outcome.status()));
                                 *response->mutable_receipt() = *std::move(outcome);
                                 reactor->Finish(grpc::Status::OK);
                               });
                        });
  return reactor;
}

template <typename Call>
Call* GrpcIngest::Serve(std::shared_ptr<Call> stream, grpc::CallbackServerContext* context, const char* method) {
  stream->KeepAlive();
  authorizer_.Authorize(*context, fmt::format("{}{}", kService, method),
                        [stream](absl::StatusOr<rpc::Caller> caller) { stream->Begin(std::move(caller)); });
  return stream.get();
}

grpc::ServerUnaryReactor* GrpcIngest::OpenProducer(grpc::CallbackServerContext* context, const v1::OpenProducerRequest*,
                                                   v1::OpenProducerResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  authorizer_.Authorize(*context, fmt::format("{}OpenProducer", kService),
                        [=, this](const absl::StatusOr<rpc::Caller>& caller) {
                          if (caller.ok()) response->set_producer_id(service_.OpenProducer());
                          reactor->Finish(rpc::ToGrpc(caller.status()));
                        });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcIngest::Ingest(grpc::CallbackServerContext* context, const v1::IngestRequest* request,
                                             v1::IngestResponse* response) {
  return Serve(context, "Ingest", *request, response, [=, this](Origin origin, IngestService::Done done) {
    // gRPC made the message for this call and looks at it no more: its bytes go into the log uncopied.
    std::string batch = std::move(*const_cast<v1::IngestRequest*>(request)->mutable_batch());
    service_.IngestBatch(std::move(origin), std::move(batch), std::move(done));
  });
}

grpc::ServerUnaryReactor* GrpcIngest::IngestRows(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  authorizer_.Authorize(
      *context, fmt::format("{}IngestRows", kService), [=, this](const absl::StatusOr<rpc::Caller>& caller) {
        const auto message = std::make_shared<RowsMessage>();
        const absl::Status readable = caller.ok() ? ParseRows(ToString(*request), *message) : caller.status();
        if (!readable.ok()) return reactor->Finish(rpc::ToGrpc(readable));
        const v1::IngestRowsRequest& rows = message->rows;
        service_.IngestRows(OriginOf(*caller, caller->call.deadline, rows.producer_id(), rows.sequence()), *message,
                            [reactor, response, context, message](absl::StatusOr<v1::Receipt> outcome) {
                              if (!outcome.ok()) return reactor->Finish(Refusal(context, outcome.status()));
                              v1::IngestRowsResponse answer;
                              *answer.mutable_receipt() = *std::move(outcome);
                              *response = ToBuffer(answer);
                              reactor->Finish(grpc::Status::OK);
                            });
      });
  return reactor;
}

grpc::ServerUnaryReactor* GrpcIngest::IngestRaw(grpc::CallbackServerContext* context,
                                                const v1::IngestRawRequest* request, v1::IngestRawResponse* response) {
  return Serve(context, "IngestRaw", *request, response, [=, this](Origin origin, IngestService::Done done) {
    service_.IngestRaw(std::move(origin), *request, std::move(done));
  });
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* GrpcIngest::IngestStream(
    grpc::CallbackServerContext* context) {
  return Serve(std::make_shared<StreamCall<v1::IngestStreamResponse>>(service_, append_timeout_, clock_, ReadColumns),
               context, "IngestStream");
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* GrpcIngest::IngestRowsStream(
    grpc::CallbackServerContext* context) {
  return Serve(std::make_shared<StreamCall<v1::IngestRowsStreamResponse>>(service_, append_timeout_, clock_, ReadRows),
               context, "IngestRowsStream");
}

}  // namespace rivermeet::ingest
