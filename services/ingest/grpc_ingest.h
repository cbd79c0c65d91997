// IngestService over gRPC: translation and flow control, nothing else.
#ifndef RIVERMEET_INGEST_GRPC_INGEST_H_
#define RIVERMEET_INGEST_GRPC_INGEST_H_

#include <grpcpp/support/byte_buffer.h>

#include <memory>

#include "base/clock.h"
#include "ingest/ingest_service.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rpc/authorizer.h"

namespace rivermeet::ingest {

// Bytes and requests of one stream that may be unanswered; beyond either nothing more is read from it, and the
// sender's writes wait.
inline constexpr size_t kStreamInflightBytes = 16 << 20;
inline constexpr size_t kStreamInflightRequests = 512;

namespace internal {
// The methods whose messages this service parses itself: a message that generated code can't read would end a stream
// as if its sender had, and a unary call without a reason.
using RawRows =
    v1::IngestService::WithRawCallbackMethod_IngestRows<v1::IngestService::WithRawCallbackMethod_IngestRowsStream<
        v1::IngestService::WithRawCallbackMethod_IngestStream<v1::IngestService::Service>>>;
using CallbackService = v1::IngestService::WithCallbackMethod_OpenProducer<
    v1::IngestService::WithCallbackMethod_Ingest<v1::IngestService::WithCallbackMethod_IngestRaw<RawRows>>>;
}  // namespace internal

// Thread-safe; no thread a call. A refusal with RESOURCE_EXHAUSTED carries the time to wait as trailing metadata
// "grpc-retry-pushback-ms" (gRFC A6).
class GrpcIngest final : public internal::CallbackService {
 public:
  // All outlive the service. `append_timeout`: for one request of a stream.
  GrpcIngest(IngestService& service, const rpc::Authorizer& authorizer, absl::Duration append_timeout,
             const Clock& clock)
      : service_(service), authorizer_(authorizer), append_timeout_(append_timeout), clock_(clock) {}

  grpc::ServerUnaryReactor* OpenProducer(grpc::CallbackServerContext* context, const v1::OpenProducerRequest* request,
                                         v1::OpenProducerResponse* response) override;
  grpc::ServerUnaryReactor* Ingest(grpc::CallbackServerContext* context, const v1::IngestRequest* request,
                                   v1::IngestResponse* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IngestStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* IngestRows(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IngestRowsStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* IngestRaw(grpc::CallbackServerContext* context, const v1::IngestRawRequest* request,
                                      v1::IngestRawResponse* response) override;

 private:
  template <typename Request, typename Response, typename Call>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, const char* method, const Request& request,
                                  Response* response, Call call);
  template <typename Call>
  Call* Serve(std::shared_ptr<Call> stream, grpc::CallbackServerContext* context, const char* method);

  IngestService& service_;
  const rpc::Authorizer& authorizer_;
  const absl::Duration append_timeout_;
  const Clock& clock_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_GRPC_INGEST_H_
