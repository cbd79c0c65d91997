// StreamService over gRPC: translation, nothing else.
#ifndef RIVERMEET_INGEST_GRPC_STREAMS_H_
#define RIVERMEET_INGEST_GRPC_STREAMS_H_

#include "base/clock.h"
#include "ingest/stream_service.h"
#include "ingest/worker_pool.h"
#include "rivermeet/ingest/v1/streams.grpc.pb.h"
#include "rpc/authorizer.h"

namespace rivermeet::ingest {

// Thread-safe. The rules block on the catalog, so they run on `workers`.
class GrpcStreams final : public v1::StreamService::CallbackService {
 public:
  // All outlive the service.
  GrpcStreams(StreamService& service, const rpc::Authorizer& authorizer, WorkerPool& workers, const Clock& clock)
      : service_(service), authorizer_(authorizer), workers_(workers), clock_(clock) {}

  grpc::ServerUnaryReactor* ListStreams(grpc::CallbackServerContext* context, const v1::ListStreamsRequest* request,
                                        v1::ListStreamsResponse* response) override;
  grpc::ServerUnaryReactor* GetStream(grpc::CallbackServerContext* context, const v1::GetStreamRequest* request,
                                      v1::GetStreamResponse* response) override;
  grpc::ServerUnaryReactor* PutStream(grpc::CallbackServerContext* context, const v1::PutStreamRequest* request,
                                      v1::PutStreamResponse* response) override;
  grpc::ServerUnaryReactor* DeleteStream(grpc::CallbackServerContext* context, const v1::DeleteStreamRequest* request,
                                         v1::DeleteStreamResponse* response) override;

 private:
  // Authorizes `method`, then runs `rule(tenant, deadline)` on a worker.
  template <typename Rule>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, std::string_view method, Rule rule);

  StreamService& service_;
  const rpc::Authorizer& authorizer_;
  WorkerPool& workers_;
  const Clock& clock_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_GRPC_STREAMS_H_
