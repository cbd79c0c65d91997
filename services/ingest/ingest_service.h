// The rules of taking events in; knows no gRPC and no HTTP.
#ifndef RIVERMEET_INGEST_INGEST_SERVICE_H_
#define RIVERMEET_INGEST_INGEST_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "eventlog/event_log.h"
#include "events/batch_checker.h"
#include "events/decoded_batch.h"
#include "events/text_decoder.h"
#include "ingest/admission.h"
#include "ingest/ingest_metrics.h"
#include "ingest/producers.h"
#include "ingest/row_parser.h"
#include "ingest/schema_cache.h"
#include "ingest/worker_pool.h"
#include "rivermeet/ingest/v1/ingest.pb.h"
#include "visibility/visibility_token.h"

namespace rivermeet::ingest {

struct IngestOptions {
  absl::Duration max_future = absl::Minutes(5);
  // How long a request may take whose sender names no deadline.
  absl::Duration append_timeout = absl::Seconds(10);
  size_t max_fields = 512;
  // Partitions of a stream that its first send makes.
  uint32_t default_partitions = 1;
};

// Who sends a request, and how it is numbered.
struct Origin {
  std::string tenant;
  std::string traceparent;
  absl::Time deadline = absl::InfiniteFuture();
  // 0: not numbered.
  uint64_t producer_id = 0;
  uint64_t sequence = 0;
};

// Thread-safe. Each request ends with one call of its `Done`, on any thread and maybe before the call returns: with a
// receipt once everything accepted is durable, or with
//   INVALID_ARGUMENT    The request can't be read, or numbers itself wrongly. Don't retry.
//   RESOURCE_EXHAUSTED  Over a quota, or too much under way; RetryAfter() says when to retry. IsDiskFull() of one
//                       that waits for room on the log's disk: retry with the same sequence.
//   UNAVAILABLE         The log or the catalog is away; nothing is kept here. Retry with the same sequence.
//   DEADLINE_EXCEEDED   Unclear. Retry with the same sequence.
//   ABORTED             Not numbered, and only a part of it is durable. A retry may count that part twice.
//   FAILED_PRECONDITION The tenant doesn't exist any more.
class IngestService {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<v1::Receipt>)>;

  struct Dependencies {
    eventlog::EventLog& log;
    StreamRepository& streams;
    SchemaCache& schemas;
    EventQuotas& quotas;
    ByteBudget& budget;
    WorkerPool& workers;
    const visibility::VisibilityTokens& tokens;
    IngestMetrics& metrics;
    const Clock& clock;
  };

  // What `dependencies` refers to outlives the service; the log and the workers are stopped before it is destroyed.
  IngestService(IngestOptions options, Dependencies dependencies);
  ~IngestService();

  // A new producer's id, for `origin`'s tenant: another tenant that uses it has another producer.
  uint64_t OpenProducer() const;

  // A serialized EventBatch. Never blocks; a stream that isn't cached is looked up on a worker.
  void IngestBatch(Origin origin, std::string batch, Done done);
  // `message` lives until `done`.
  void IngestRows(Origin origin, const RowsMessage& message, Done done);
  // Decoded on a worker. `raw` lives until `done`.
  void IngestRaw(Origin origin, const v1::IngestRawRequest& raw, Done done);

 private:
  struct Request;
  using RequestPtr = std::shared_ptr<Request>;
  struct PendingRecord;
  // What a thread needs to check batches, kept between requests.
  struct Scratch {
    events::DecodedBatch decoded;
    events::Rejections rejections;
    events::BatchChecker checker;
  };
  class ScratchLease;
  // Decodes a request's body; called twice for a stream that has to be made first.
  using Decode =
      absl::AnyInvocable<absl::StatusOr<uint64_t>(const events::Schema*, events::ErrorList&, events::ChunkSink)>;
  using Infer = absl::FunctionRef<absl::StatusOr<events::v1::Stream>()>;

  RequestPtr Admit(Origin origin, Form form, std::string stream, size_t bytes, Done done);
  // Runs `work` on a worker, or ends the request.
  void OnWorker(const RequestPtr& request, absl::AnyInvocable<absl::Status()> work);
  // The stream's schema from the catalog, making the stream when it isn't there; null when `infer` gave no field and
  // no reason to make it.
  absl::StatusOr<SchemaPtr> Resolve(const Request& request, Infer infer);
  absl::Status CheckBatch(const RequestPtr& request, Scratch& scratch);
  absl::Status RunDecoded(const RequestPtr& request, Decode& decode);
  absl::Status AddParts(Request& request, uint32_t chunk, std::vector<events::BatchPart> parts,
                        const SchemaPtr& schema);
  void Launch(const RequestPtr& request);
  void AppendRecord(const RequestPtr& request, size_t index);
  void OnAppended(const RequestPtr& request, size_t index, absl::StatusOr<eventlog::Offset> offset);
  absl::StatusOr<v1::Receipt> ReceiptOf(Request& request);
  void Finish(Request& request, absl::StatusOr<v1::Receipt> outcome);

  const IngestOptions options_;
  const Dependencies with_;
  ProducerLanes lanes_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_INGEST_SERVICE_H_
