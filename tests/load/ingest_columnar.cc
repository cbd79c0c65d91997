#include "columnar_template.h"
#include "grpc_stream.h"
#include "ingest.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rpc/channel.h"

namespace rivermeet::load {
namespace {

using ingest::v1::IngestService;
using ingest::v1::IngestStreamRequest;
using ingest::v1::IngestStreamResponse;

}  // namespace

absl::StatusOr<uint64_t> OpenProducer(IngestService::Stub& stub, const Options& options) {
  grpc::ClientContext context;
  rpc::PrepareCall(context, {.bearer = options.api_key}, absl::Seconds(10));
  ingest::v1::OpenProducerResponse response;
  RM_RETURN_IF_ERROR(rpc::FromGrpc(stub.OpenProducer(&context, {}, &response)));
  return response.producer_id();
}

absl::StatusOr<Result> IngestColumnar(const Options& options) {
  // All batches are made before the clock starts.
  std::vector<std::vector<ColumnarTemplate>> templates(options.connections);
  RM_RETURN_IF_ERROR(RunConnections(options.connections, [&](uint32_t index) -> absl::StatusOr<Result> {
                       templates[index] = MakeColumnarTemplates(options, index);
                       return Result{};
                     }).status());
  const absl::Time start = absl::Now();
  const absl::Time measure_from = start + options.warm_up;
  const absl::Time end = measure_from + options.duration;
  return RunConnections(options.connections, [&](uint32_t index) -> absl::StatusOr<Result> {
    const auto stub = IngestService::NewStub(rpc::MakeStreamingChannel(options.grpc_address));
    RM_ASSIGN_OR_RETURN(const uint64_t producer, OpenProducer(*stub, options));
    GrpcStream<IngestStreamRequest, IngestStreamResponse> stream(
        options, measure_from, [&](grpc::ClientContext* context) { return stub->IngestStream(context); });
    Pacer pacer(options.events_per_second / options.connections, start);
    IngestStreamRequest request;
    request.mutable_request()->set_producer_id(producer);
    for (uint64_t sequence = 1; absl::Now() < end; ++sequence) {
      ColumnarTemplate& made = templates[index][sequence % templates[index].size()];
      pacer.Wait(made.sums.events);
      made.SetTime(absl::Now());
      request.mutable_request()->set_sequence(sequence);
      request.mutable_request()->set_batch(made.bytes);
      if (!stream.Send(request, sequence, made.sums)) break;
    }
    return stream.Finish();
  });
}

}  // namespace rivermeet::load
