#include "grpc_stream.h"
#include "ingest.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rpc/channel.h"

namespace rivermeet::load {
namespace {

using ingest::v1::IngestRowsStreamRequest;
using ingest::v1::IngestRowsStreamResponse;
using ingest::v1::IngestService;

struct Template {
  IngestRowsStreamRequest request;
  std::vector<EventValues> events;
  Sums sums;
};

Template Make(EventSource& source, const Options& options) {
  Template made;
  made.events = source.Next(options.batch_events);
  made.sums = SumOf(made.events);
  auto& rows = *made.request.mutable_request();
  rows.set_stream(options.stream);
  for (const char* dimension : kDimensions) rows.add_dimensions(dimension);
  rows.add_float64_measures(kPercentMeasure);
  rows.add_int64_measures(kCounterMeasure);
  for (const EventValues& event : made.events) {
    auto* row = rows.add_events();
    for (size_t i = 0; i < kDimensions.size(); ++i) row->add_dimensions(DimensionValue(event.series, i));
    row->add_float64_measures(event.percent_hundredths / 100.0);
    row->add_int64_measures(event.counter);
  }
  return made;
}

}  // namespace

absl::StatusOr<Result> IngestRows(const Options& options) {
  std::vector<std::vector<Template>> templates(options.connections);
  for (uint32_t index = 0; index < options.connections; ++index) {
    EventSource source(options.seed + index, 0, 0);
    for (uint32_t i = 0; i < (options.distinct + options.connections - 1) / options.connections; ++i) {
      templates[index].push_back(Make(source, options));
    }
  }
  const absl::Time start = absl::Now();
  const absl::Time measure_from = start + options.warm_up;
  const absl::Time end = measure_from + options.duration;
  return RunConnections(options.connections, [&](uint32_t index) -> absl::StatusOr<Result> {
    const auto stub = IngestService::NewStub(rpc::MakeStreamingChannel(options.grpc_address));
    GrpcStream<IngestRowsStreamRequest, IngestRowsStreamResponse> stream(
        options, measure_from, [&](grpc::ClientContext* context) { return stub->IngestRowsStream(context); });
    Pacer pacer(options.events_per_second / options.connections, start);
    for (uint64_t sequence = 1; absl::Now() < end; ++sequence) {
      Template& made = templates[index][sequence % templates[index].size()];
      pacer.Wait(made.sums.events);
      auto& rows = *made.request.mutable_request();
      rows.set_sequence(sequence);
      const int64_t now_us = absl::ToUnixMicros(absl::Now());
      for (size_t i = 0; i < made.events.size(); ++i) {
        rows.mutable_events(static_cast<int>(i))->set_time_us(now_us - made.events[i].age_us);
      }
      if (!stream.Send(made.request, sequence, made.sums)) break;
    }
    return stream.Finish();
  });
}

}  // namespace rivermeet::load
