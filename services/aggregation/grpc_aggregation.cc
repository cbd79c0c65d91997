#include "aggregation/grpc_aggregation.h"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "base/strings.h"
#include "rpc/status.h"

namespace rivermeet::aggregation {
namespace {

constexpr std::string_view kService = "rivermeet.aggregation.v1.AggregationService.";

// Responses that may wait for a slow reader before it misses changes and gets a snapshot instead.
constexpr size_t kQueuedResponses = 4;

// Writes an answer while it is being added up. gRPC and who adds up both hold it.
class ReadStream final : public grpc::ServerWriteReactor<v1::ReadPartialsResponse> {
 public:
  ReadStream(std::atomic<size_t>& unsent_bytes, size_t limit) : unsent_bytes_(unsent_bytes), limit_(limit) {}
  ~ReadStream() override {
    MutexLock lock(mutex_);
    DropQueued();
  }

  // Keeps itself until OnDone().
  void Hold(std::shared_ptr<ReadStream> self) { self_ = std::move(self); }

  absl::Status Send(v1::ReadPartialsResponse response) {
    const size_t bytes = response.ByteSizeLong();
    MutexLock lock(mutex_);
    if (gone_) return absl::CancelledError("the reader is gone");
    if (unsent_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit_ && !queue_.empty()) {
      unsent_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
      return absl::ResourceExhaustedError("too many large answers wait for their readers: retry after a pause");
    }
    queue_.push_back({std::move(response), bytes});
    if (queue_.size() == 1) StartWrite(&queue_.front().response);
    return absl::OkStatus();
  }
  // Last call: nothing more comes.
  void Close(const absl::Status& status) {
    MutexLock lock(mutex_);
    closed_ = true;
    status_ = status;
    if (queue_.empty()) Finish(rpc::ToGrpc(status_));
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    unsent_bytes_.fetch_sub(queue_.front().bytes, std::memory_order_relaxed);
    queue_.pop_front();
    gone_ = gone_ || !ok;
    // What waits is not worth writing once the reader is gone, or the answer isn't whole.
    if (gone_ || (closed_ && !status_.ok())) DropQueued();
    if (!queue_.empty()) {
      StartWrite(&queue_.front().response);
    } else if (closed_) {
      Finish(rpc::ToGrpc(status_));
    }
  }
  void OnCancel() override {
    MutexLock lock(mutex_);
    gone_ = true;
  }
  void OnDone() override { const std::shared_ptr<ReadStream> last = std::move(self_); }

 private:
  struct Waiting {
    v1::ReadPartialsResponse response;
    size_t bytes;
  };

  void DropQueued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const Waiting& waiting : queue_) unsent_bytes_.fetch_sub(waiting.bytes, std::memory_order_relaxed);
    queue_.clear();
  }

  std::atomic<size_t>& unsent_bytes_;  // of all streams
  const size_t limit_;
  std::shared_ptr<ReadStream> self_;
  Mutex mutex_;
  // The first is being written.
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// A watch's stream. gRPC and the hub both hold it; it lives until both have let go.
class WatchStream final : public grpc::ServerWriteReactor<v1::WatchPartialsResponse>,
                          public WatchSubscriber,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  explicit WatchStream(AggregationService& service) : service_(service) {}

  // Keeps itself until OnDone().
  void Hold() { self_ = shared_from_this(); }

  // Ends it when the caller's bearer does.
  void EndWith(rpc::CredentialPtr credential) {
    ending_with_.emplace(credential, [this, credential, weak = weak_from_this()] {
      if (const auto self = weak.lock()) End(credential->status());
    });
  }

  bool Ready() override {
    MutexLock lock(mutex_);
    if (ending_) return false;
    full_ = queue_.size() >= kQueuedResponses;
    return !full_;
  }
  void OnResponse(std::shared_ptr<const v1::WatchPartialsResponse> response) override {
    MutexLock lock(mutex_);
    if (ending_) return;
    queue_.push_back(std::move(response));
    if (queue_.size() == 1) StartWrite(queue_.front().get());
  }
  void OnClosed(const absl::Status& status) override { End(status); }

  void OnWriteDone(bool ok) override {
    bool has_room = false;
    {
      MutexLock lock(mutex_);
      queue_.pop_front();
      if (!ok && !ending_) {
        ending_ = true;
        status_ = absl::CancelledError("the reader is gone");
      }
      if (ending_) {
        FinishOnce();
      } else if (!queue_.empty()) {
        StartWrite(queue_.front().get());
      } else if (full_) {
        full_ = false;
        has_room = true;
      }
    }
    // Outside the lock: the hub calls in here while it holds its own.
    if (has_room) service_.hub().Wake();
  }
  void OnCancel() override { End(absl::CancelledError("the reader is gone")); }
  void OnDone() override {
    service_.hub().Unsubscribe(this);
    const std::shared_ptr<WatchStream> last = std::move(self_);
  }

  void End(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (ending_) return;
    ending_ = true;
    status_ = status;
    // A write under way finishes the stream when it is done.
    if (queue_.empty()) FinishOnce();
  }

 private:
  void FinishOnce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    finished_ = true;
    queue_.clear();
    Finish(rpc::ToGrpc(status_));
  }

  AggregationService& service_;
  std::shared_ptr<WatchStream> self_;
  Mutex mutex_;
  // The first is being written.
  std::deque<std::shared_ptr<const v1::WatchPartialsResponse>> queue_ ABSL_GUARDED_BY(mutex_);
  bool full_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::optional<rpc::Ending> ending_with_;
};

// A unary call that waits for offsets; a caller that gives up or whose deadline passes ends it.
class WaitCall final : public grpc::ServerUnaryReactor {
 public:
  explicit WaitCall(AggregationService& service) : service_(service) {}

  // `then` runs once all is folded, and gives the call's outcome.
  void Start(const v1::WaitForOffsetsRequest& request, std::function<absl::Status()> then) {
    auto wait = service_.WaitForOffsets(request, [this, then = std::move(then)](const absl::Status& status) {
      // May be within Start(): the call must live until Start() is over, so OnDone() waits for `started_`.
      const absl::Status outcome = status.ok() ? then() : status;
      Finish(rpc::ToGrpc(outcome));
    });
    bool cancelled = false;
    {
      MutexLock lock(mutex_);
      wait_ = wait;
      cancelled = cancelled_;
    }
    if (cancelled) service_.CancelWait(wait);
    Release();
  }
  void Refuse(const absl::Status& status) {
    Finish(rpc::ToGrpc(status));
    Release();
  }
  void OnCancel() override {
    std::shared_ptr<AggregationService::Wait> wait;
    {
      MutexLock lock(mutex_);
      cancelled_ = true;
      wait = wait_;
    }
    if (wait != nullptr) service_.CancelWait(wait);
  }
  void OnDone() override { Release(); }

 private:
  // Held by whoever starts it and by gRPC.
  void Release() {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  AggregationService& service_;
  std::atomic<int> holders_{2};
  Mutex mutex_;
  std::shared_ptr<AggregationService::Wait> wait_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  return absl::FromChrono(std::chrono::time_point_cast<std::chrono::microseconds>(context.deadline()));
}

}  // namespace

grpc::ServerWriteReactor<v1::ReadPartialsResponse>* GrpcAggregation::ReadPartials(
    grpc::CallbackServerContext* context, const v1::ReadPartialsRequest* request) {
  auto stream = std::make_shared<ReadStream>(unsent_bytes_, unsent_limit_);
  stream->Hold(stream);
  authorizer_.Authorize(
      *context, fmt::format("{}ReadPartials", kService), [=, this](const absl::StatusOr<rpc::Caller>& caller) {
        if (!caller.ok()) return stream->Close(caller.status());
        const absl::Status queued = pool_.Run([this, stream, context, tenant = caller->principal.tenant, request] {
          if (context->IsCancelled()) return stream->Close(absl::CancelledError("the reader is gone"));
          stream->Close(service_.ReadPartials(
              tenant, *request, [&](v1::ReadPartialsResponse response) { return stream->Send(std::move(response)); }));
        });
        if (!queued.ok()) stream->Close(queued);
      });
  return stream.get();
}

grpc::ServerWriteReactor<v1::WatchPartialsResponse>* GrpcAggregation::WatchPartials(
    grpc::CallbackServerContext* context, const v1::WatchPartialsRequest* request) {
  auto stream = std::make_shared<WatchStream>(service_);
  stream->Hold();
  authorizer_.Authorize(
      *context, fmt::format("{}WatchPartials", kService), [=, this](const absl::StatusOr<rpc::Caller>& caller) {
        if (!caller.ok()) return stream->End(caller.status());
        const absl::Status watching = service_.WatchPartials(caller->principal.tenant, *request, stream);
        if (!watching.ok()) return stream->End(watching);
        stream->EndWith(caller->credential);
      });
  return stream.get();
}

grpc::ServerUnaryReactor* GrpcAggregation::WaitForOffsets(grpc::CallbackServerContext* context,
                                                          const v1::WaitForOffsetsRequest* request,
                                                          v1::WaitForOffsetsResponse*) {
  auto* const call = new WaitCall(service_);
  authorizer_.Authorize(*context, fmt::format("{}WaitForOffsets", kService),
                        [=](const absl::StatusOr<rpc::Caller>& caller) {
                          if (!caller.ok()) return call->Refuse(caller.status());
                          call->Start(*request, [] { return absl::OkStatus(); });
                        });
  return call;
}

grpc::ServerUnaryReactor* GrpcAggregation::ReadLedger(grpc::CallbackServerContext* context,
                                                      const v1::ReadLedgerRequest* request,
                                                      v1::ReadLedgerResponse* response) {
  auto* const call = new WaitCall(service_);
  authorizer_.Authorize(
      *context, fmt::format("{}ReadLedger", kService), [=, this](const absl::StatusOr<rpc::Caller>& caller) {
        if (!caller.ok()) return call->Refuse(caller.status());
        const absl::Status queued = pool_.Run(
            [this, call, request, response, tenant = caller->principal.tenant, deadline = DeadlineOf(*context)] {
              const auto positions = service_.LedgerPositions(*request, deadline);
              if (!positions.ok()) return call->Refuse(positions.status());
              call->Start(*positions, [this, tenant, request, response] {
                auto ledger = service_.ReadLedger(tenant, *request);
                if (ledger.ok()) *response = std::move(ledger).value();
                return ledger.status();
              });
            });
        if (!queued.ok()) call->Refuse(queued);
      });
  return call;
}

grpc::ServerUnaryReactor* GrpcAggregation::ReadDimensionValues(grpc::CallbackServerContext* context,
                                                               const v1::ReadDimensionValuesRequest* request,
                                                               v1::ReadDimensionValuesResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  authorizer_.Authorize(
      *context, fmt::format("{}ReadDimensionValues", kService), [=, this](const absl::StatusOr<rpc::Caller>& caller) {
        if (!caller.ok()) return reactor->Finish(rpc::ToGrpc(caller.status()));
        const absl::Status queued = pool_.Run([this, reactor, tenant = caller->principal.tenant, request, response] {
          auto values = service_.ReadDimensionValues(tenant, *request);
          if (values.ok()) *response = std::move(values).value();
          reactor->Finish(rpc::ToGrpc(values.status()));
        });
        if (!queued.ok()) reactor->Finish(rpc::ToGrpc(queued));
      });
  return reactor;
}

}  // namespace rivermeet::aggregation
