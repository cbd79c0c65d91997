// The three ways the load sends events. Each runs to its end and says what it did.
#ifndef RIVERMEET_LOAD_INGEST_H_
#define RIVERMEET_LOAD_INGEST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "event_source.h"
#include "latency.h"

namespace rivermeet::load {

struct Options {
  std::string grpc_address;  // "host:port" of ingest
  std::string gateway;       // "host:port" of the gateway
  std::string api_key;
  std::string stream = "bench.load";
  uint32_t partitions = 2;    // of the stream
  uint32_t connections = 2;   // a multiple of `partitions` for columnar
  uint32_t in_flight = 8;     // requests unanswered a connection
  uint32_t distinct = 1'024;  // batches made before the start, over all connections
  uint32_t batch_events = kBatchEvents;
  double events_per_second = 0;  // 0: as fast as it goes
  absl::Duration warm_up = absl::Seconds(5);
  absl::Duration duration = absl::Seconds(30);
  uint64_t seed = 1;
  // Resilient only: how much faster than the clock event times move; they reach it when the load ends.
  double time_factor = 1;
  bool keep_positions = false;
};

struct Result {
  Sums sent;  // everything acknowledged, the warm-up included
  uint64_t measured_events = 0;
  absl::Duration measured = absl::ZeroDuration();
  Latencies ack;  // of the measured part
  std::string visibility_token;
  // Of the measured part: where a batch came to lie and when it was sent. Only where `keep_positions` asks for them.
  struct Position {
    uint32_t partition;
    int64_t offset;
    absl::Time sent;
  };
  std::vector<Position> positions;

  void Add(const Result& other);
};

// Columnar batches over gRPC streams, each batch of one partition.
absl::StatusOr<Result> IngestColumnar(const Options& options);

// The same, but a broken stream is opened again and everything unanswered is sent again under its old sequence, until
// all of it is answered: what a client does whose server is killed.
absl::StatusOr<Result> IngestResiliently(const Options& options);

// Rows over gRPC streams.
absl::StatusOr<Result> IngestRows(const Options& options);

// NDJSON bodies over HTTP through the gateway.
absl::StatusOr<Result> IngestJson(const Options& options);

// Columnar batches at a rate, while a WebSocket watches the stream: from sending a batch to the frame whose
// through-offset contains it. The result's latencies are these.
absl::StatusOr<Result> MeasureFreshness(const Options& options);

// When the next request may be sent, for a wanted rate.
class Pacer {
 public:
  Pacer(double per_second, absl::Time start) : per_second_(per_second), start_(start) {}
  // Blocks until `count` more may be sent; returns the time that they were due.
  absl::Time Wait(uint64_t count);

 private:
  const double per_second_;
  const absl::Time start_;
  uint64_t sent_ = 0;
};

// Runs `connection(index)` on a thread each and adds up what they return, or the first error.
absl::StatusOr<Result> RunConnections(uint32_t connections,
                                      const std::function<absl::StatusOr<Result>(uint32_t)>& connection);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_INGEST_H_
