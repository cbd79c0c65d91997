// QueryService over gRPC: admission, translation, nothing else.
#ifndef RIVERMEET_QUERY_GRPC_QUERY_H_
#define RIVERMEET_QUERY_GRPC_QUERY_H_

#include <functional>
#include <set>

#include "base/clock.h"
#include "base/mutex.h"
#include "query/live_query.h"
#include "query/query_metrics.h"
#include "query/query_service.h"
#include "query/worker_pool.h"
#include "rivermeet/query/v1/query.grpc.pb.h"
#include "rpc/authorizer.h"

namespace rivermeet::query {

// Thread-safe. Calls run on `workers`: a call that gets no turn ends with RESOURCE_EXHAUSTED and has cost no thread.
class GrpcQuery : public v1::QueryService::CallbackService {
 public:
  // All outlive the service.
  GrpcQuery(QueryService& service, LiveQueries& live, const rpc::Authorizer& authorizer, WorkerPool& workers,
            QueryMetrics& metrics, const Clock& clock);

  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext* context, const v1::QueryRequest* request,
                                  v1::QueryResponse* response) override;
  grpc::ServerUnaryReactor* ListDimensionValues(grpc::CallbackServerContext* context,
                                                const v1::ListDimensionValuesRequest* request,
                                                v1::ListDimensionValuesResponse* response) override;
  grpc::ServerUnaryReactor* GetLedger(grpc::CallbackServerContext* context, const v1::GetLedgerRequest* request,
                                      v1::GetLedgerResponse* response) override;
  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                             const v1::SubscribeRequest* request) override;

  // Cancels the queries that run.
  void CancelAll();

 private:
  // Runs `rule` on a worker, for a caller who may call `method`, and finishes the call with its outcome.
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext& context, const char* method,
                                   std::function<absl::Status(const Call&)> rule);
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, const char* method,
                                  absl::StatusOr<Response> (QueryService::*rule)(const Request&, const Call&),
                                  const Request* request, Response* response);

  QueryService& service_;
  LiveQueries& live_;
  const rpc::Authorizer& authorizer_;
  WorkerPool& workers_;
  QueryMetrics& metrics_;
  const Clock& clock_;
  Mutex mutex_;
  std::set<Cancellation*> running_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_GRPC_QUERY_H_
