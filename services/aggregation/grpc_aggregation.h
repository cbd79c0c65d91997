// The aggregation service's RPCs: tokens to tenants, messages to the service and back.
#ifndef RIVERMEET_AGGREGATION_GRPC_AGGREGATION_H_
#define RIVERMEET_AGGREGATION_GRPC_AGGREGATION_H_

#include <atomic>

#include "aggregation/aggregation_service.h"
#include "aggregation/reader_pool.h"
#include "rivermeet/aggregation/v1/aggregation.grpc.pb.h"
#include "rpc/authorizer.h"

namespace rivermeet::aggregation {

// Thread-safe. Everything that adds up runs on the reader pool; a gRPC thread only starts it.
class GrpcAggregation final : public v1::AggregationService::CallbackService {
 public:
  // All outlive this. Answers of at most `unsent_limit` bytes together wait for their readers.
  GrpcAggregation(AggregationService& service, ReaderPool& pool, const rpc::Authorizer& authorizer,
                  size_t unsent_limit = size_t{256} << 20)
      : service_(service), pool_(pool), authorizer_(authorizer), unsent_limit_(unsent_limit) {}

  grpc::ServerWriteReactor<v1::ReadPartialsResponse>* ReadPartials(grpc::CallbackServerContext* context,
                                                                   const v1::ReadPartialsRequest* request) override;
  grpc::ServerWriteReactor<v1::WatchPartialsResponse>* WatchPartials(grpc::CallbackServerContext* context,
                                                                     const v1::WatchPartialsRequest* request) override;
  grpc::ServerUnaryReactor* WaitForOffsets(grpc::CallbackServerContext* context,
                                           const v1::WaitForOffsetsRequest* request,
                                           v1::WaitForOffsetsResponse* response) override;
  grpc::ServerUnaryReactor* ReadLedger(grpc::CallbackServerContext* context, const v1::ReadLedgerRequest* request,
                                       v1::ReadLedgerResponse* response) override;
  grpc::ServerUnaryReactor* ReadDimensionValues(grpc::CallbackServerContext* context,
                                                const v1::ReadDimensionValuesRequest* request,
                                                v1::ReadDimensionValuesResponse* response) override;

 private:
  AggregationService& service_;
  ReaderPool& pool_;
  const rpc::Authorizer& authorizer_;
  const size_t unsent_limit_;
  std::atomic<size_t> unsent_bytes_{0};
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_GRPC_AGGREGATION_H_
