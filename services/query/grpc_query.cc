#include "query/grpc_query.h"

#include <optional>
#include <utility>

#include "base/strings.h"
#include "rpc/status.h"
#include "telemetry/logging.h"

namespace rivermeet::query {
namespace {

constexpr std::string_view kService = "rivermeet.query.v1.QueryService.";

Call CallOf(rpc::Caller caller, Cancellation* cancellation) {
  return {.tenant = std::move(caller.principal.tenant),
          .bearer = std::move(caller.call.bearer),
          .traceparent = std::move(caller.call.traceparent),
          .deadline = caller.call.deadline,
          .cancellation = cancellation};
}

// Lives until gRPC is done with the call.
class UnaryCall : public grpc::ServerUnaryReactor {
 public:
  Cancellation& cancellation() { return cancellation_; }
  void OnCancel() override { cancellation_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  Cancellation cancellation_;
};

// Between a live query and gRPC's stream. Lives until gRPC is done with it and nobody works for it any more.
class SubscribeCall : public grpc::ServerWriteReactor<v1::SubscribeResponse>,
                      public LiveSink,
                      public std::enable_shared_from_this<SubscribeCall> {
 public:
  void KeepAlive() { self_ = shared_from_this(); }

  // The live query has begun, and lasts as long as its caller's bearer is good.
  void Attach(const std::shared_ptr<LiveQuery>& query, const rpc::CredentialPtr& credential) {
    bool cancelled;
    std::optional<bool> written;
    {
      MutexLock lock(mutex_);
      query_ = query;
      cancelled = cancelled_;
      written = std::exchange(written_early_, std::nullopt);
    }
    if (written) query->OnWritten(*written);
    if (cancelled) query->Stop(absl::CancelledError("the reader went away"));
    ending_.emplace(credential, [credential, weak = std::weak_ptr<LiveQuery>(query)] {
      if (const auto query = weak.lock()) query->Stop(credential->status());
    });
  }
  Cancellation& cancellation() { return cancellation_; }

  void Write(v1::SubscribeResponse response) override {
    MutexLock lock(mutex_);
    response_ = std::move(response);
    writing_ = true;
    StartWrite(&response_);
  }
  void Finish(const absl::Status& status) override {
    MutexLock lock(mutex_);
    if (writing_) {
      finish_with_ = status;
    } else {
      grpc::ServerWriteReactor<v1::SubscribeResponse>::Finish(rpc::ToGrpc(status));
    }
  }

  void OnWriteDone(bool ok) override {
    std::shared_ptr<LiveQuery> query;
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (finish_with_) {
        return grpc::ServerWriteReactor<v1::SubscribeResponse>::Finish(rpc::ToGrpc(*finish_with_));
      }
      query = query_;
      if (query == nullptr) {
        written_early_ = ok;
        return;
      }
    }
    query->OnWritten(ok);
  }
  void OnCancel() override {
    std::shared_ptr<LiveQuery> query;
    {
      MutexLock lock(mutex_);
      cancelled_ = true;
      query = query_;
    }
    cancellation_.Cancel();
    if (query != nullptr) query->Stop(absl::CancelledError("the reader went away"));
  }
  void OnDone() override {
    const std::shared_ptr<SubscribeCall> self = std::move(self_);
    MutexLock lock(mutex_);
    query_.reset();
  }

 private:
  std::shared_ptr<SubscribeCall> self_;
  Cancellation cancellation_;
  Mutex mutex_;
  std::shared_ptr<LiveQuery> query_ ABSL_GUARDED_BY(mutex_);
  v1::SubscribeResponse response_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<bool> written_early_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> finish_with_ ABSL_GUARDED_BY(mutex_);
  std::optional<rpc::Ending> ending_;
};

}  // namespace

GrpcQuery::GrpcQuery(QueryService& service, LiveQueries& live, const rpc::Authorizer& authorizer, WorkerPool& workers,
                     QueryMetrics& metrics, const Clock& clock)
    : service_(service), live_(live), authorizer_(authorizer), workers_(workers), metrics_(metrics), clock_(clock) {}

grpc::ServerUnaryReactor* GrpcQuery::Answer(grpc::CallbackServerContext& context, const char* method,
                                            std::function<absl::Status(const Call&)> rule) {
  auto* call = new UnaryCall;
  const absl::Duration started = clock_.MonotonicNow();
  const auto finish = [=, this](const absl::Status& status) {
    metrics_.Finished(method, status, clock_.MonotonicNow() - started);
    call->Finish(rpc::ToGrpc(status));
  };
  authorizer_.Authorize(context, fmt::format("{}{}", kService, method), [=, this](absl::StatusOr<rpc::Caller> caller) {
    if (!caller.ok()) return finish(caller.status());
    workers_.Submit([=, this](const absl::Status& admitted) {
      if (!admitted.ok()) return finish(admitted);
      {
        MutexLock lock(mutex_);
        running_.insert(&call->cancellation());
      }
      const absl::Status status = rule(CallOf(*caller, &call->cancellation()));
      {
        MutexLock lock(mutex_);
        running_.erase(&call->cancellation());
      }
      finish(status);
    });
  });
  return call;
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* GrpcQuery::Serve(grpc::CallbackServerContext* context, const char* method,
                                           absl::StatusOr<Response> (QueryService::*rule)(const Request&, const Call&),
                                           const Request* request, Response* response) {
  return Answer(*context, method, [&service = service_, rule, request, response](const Call& call) {
    absl::StatusOr<Response> answer = (service.*rule)(*request, call);
    if (answer.ok()) *response = *std::move(answer);
    return answer.status();
  });
}

void GrpcQuery::CancelAll() {
  MutexLock lock(mutex_);
  for (Cancellation* const cancellation : running_) cancellation->Cancel();
}

grpc::ServerUnaryReactor* GrpcQuery::Query(grpc::CallbackServerContext* context, const v1::QueryRequest* request,
                                           v1::QueryResponse* response) {
  return Serve(context, "Query", &QueryService::Query, request, response);
}

grpc::ServerUnaryReactor* GrpcQuery::ListDimensionValues(grpc::CallbackServerContext* context,
                                                         const v1::ListDimensionValuesRequest* request,
                                                         v1::ListDimensionValuesResponse* response) {
  return Serve(context, "ListDimensionValues", &QueryService::ListDimensionValues, request, response);
}

grpc::ServerUnaryReactor* GrpcQuery::GetLedger(grpc::CallbackServerContext* context,
                                               const v1::GetLedgerRequest* request, v1::GetLedgerResponse* response) {
  return Serve(context, "GetLedger", &QueryService::GetLedger, request, response);
}

grpc::ServerWriteReactor<v1::SubscribeResponse>* GrpcQuery::Subscribe(grpc::CallbackServerContext* context,
                                                                      const v1::SubscribeRequest* request) {
  const auto subscription = std::make_shared<SubscribeCall>();
  subscription->KeepAlive();
  authorizer_.Authorize(*context, fmt::format("{}Subscribe", kService), [=, this](absl::StatusOr<rpc::Caller> caller) {
    if (!caller.ok()) return subscription->Finish(caller.status());
    workers_.Submit([=, this](const absl::Status& admitted) {
      if (!admitted.ok()) return subscription->Finish(admitted);
      const Call call = CallOf(*caller, &subscription->cancellation());
      auto plan = service_.PlanSubscription(*request, call);
      if (!plan.ok()) return subscription->Finish(plan.status());
      const auto query = live_.Begin(*std::move(plan), call, *subscription);
      if (!query.ok()) return subscription->Finish(query.status());
      subscription->Attach(*query, caller->credential);
    });
  });
  return subscription.get();
}

}  // namespace rivermeet::query
