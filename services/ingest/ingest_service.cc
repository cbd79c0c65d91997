#include "ingest/ingest_service.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/crash_point.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"
#include "events/names.h"
#include "events/series_hash.h"
#include "ingest/row_decoder.h"
#include "rivermeet/events/v1/event_batch.pb.h"
#include "telemetry/logging.h"

namespace rivermeet::ingest {
namespace {

constexpr absl::Duration kCatalogTimeout = absl::Seconds(5);
constexpr int kCreationAttempts = 4;

Form FormOf(events::TextFormat format) {
  switch (format) {
    case events::TextFormat::kJson:
      return Form::kJson;
    case events::TextFormat::kNdjson:
      return Form::kNdjson;
    case events::TextFormat::kCsv:
      return Form::kCsv;
  }
  return Form::kJson;
}

int64_t LatenessUs(const events::v1::Stream& stream) {
  return stream.allowed_lateness().seconds() * 1'000'000 + stream.allowed_lateness().nanos() / 1'000;
}

absl::Status AwayFrom(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::UnavailableError(ToAbsl(fmt::format("the catalog does not answer: {}", MessageOf(status))));
  }
  return status;
}

}  // namespace

struct IngestService::PendingRecord {
  uint32_t chunk = 0;
  uint32_t log_partition = 0;
  events::v1::RecordHeader header;
  std::string payload;
  bool retried = false;
  absl::Duration begun;
  absl::StatusOr<eventlog::Offset> offset = absl::UnknownError("not appended");
};

// One request under way.
struct IngestService::Request {
  Origin origin;
  Form form = Form::kColumns;
  std::string stream;
  size_t bytes = 0;
  Done done;
  ByteBudget::Share share;
  absl::Duration arrived;
  // The sender's bytes, of a columnar request.
  std::string batch;
  SchemaPtr schema;
  events::ErrorList errors;
  std::vector<PendingRecord> records;
  std::atomic<size_t> waiting{0};
  // Of a request that nobody numbered.
  std::optional<Numbered> own;
};

class IngestService::ScratchLease {
 public:
  explicit ScratchLease(IngestService& service) : service_(service) {
    MutexLock lock(service.mutex_);
    if (service.idle_.empty()) {
      scratch_ = std::make_unique<Scratch>();
    } else {
      scratch_ = std::move(service.idle_.back());
      service.idle_.pop_back();
    }
  }
  ~ScratchLease() {
    MutexLock lock(service_.mutex_);
    service_.idle_.push_back(std::move(scratch_));
  }
  Scratch& operator*() { return *scratch_; }
  Scratch* operator->() { return scratch_.get(); }

 private:
  IngestService& service_;
  std::unique_ptr<Scratch> scratch_;
};

IngestService::IngestService(IngestOptions options, Dependencies dependencies)
    : options_(std::move(options)), with_(dependencies) {}

IngestService::~IngestService() = default;

uint64_t IngestService::OpenProducer() const { return RandomId(); }

IngestService::RequestPtr IngestService::Admit(Origin origin, Form form, std::string stream, size_t bytes, Done done) {
  auto request = std::make_shared<Request>();
  request->form = form;
  request->stream = std::move(stream);
  request->bytes = bytes;
  request->done = std::move(done);
  request->arrived = with_.clock.MonotonicNow();
  if (origin.deadline == absl::InfiniteFuture()) origin.deadline = with_.clock.Now() + options_.append_timeout;
  request->origin = std::move(origin);
  const auto refuse = [&](const absl::Status& status) {
    Finish(*request, status);
    return nullptr;
  };
  if (request->origin.producer_id != 0 && request->origin.sequence == 0) {
    return refuse(absl::InvalidArgumentError("sequence: a producer numbers its requests from 1"));
  }
  if (request->origin.producer_id > INT64_MAX) {
    return refuse(absl::InvalidArgumentError("producer_id: not one that OpenProducer gives"));
  }
  absl::StatusOr<ByteBudget::Share> share = with_.budget.Take(bytes);
  if (!share.ok()) return refuse(share.status());
  request->share = *std::move(share);
  with_.metrics.inflight_bytes.Increment(static_cast<double>(bytes));
  return request;
}

void IngestService::OnWorker(const RequestPtr& request, absl::AnyInvocable<absl::Status()> work) {
  const absl::Status submitted = with_.workers.Submit([this, request, work = std::move(work)]() mutable {
    if (const absl::Status status = work(); !status.ok()) Finish(*request, status);
  });
  if (!submitted.ok()) Finish(*request, submitted);
}

void IngestService::IngestBatch(Origin origin, std::string batch, Done done) {
  const RequestPtr request = Admit(std::move(origin), Form::kColumns, "", batch.size(), std::move(done));
  if (request == nullptr) return;
  request->batch = std::move(batch);
  ScratchLease scratch(*this);
  if (const absl::Status status = scratch->decoded.Parse(request->batch, scratch->rejections); !status.ok()) {
    return Finish(*request, status);
  }
  request->stream = scratch->decoded.view().stream;
  request->schema = with_.schemas.Find(request->origin.tenant, request->stream);
  if (request->schema != nullptr) {
    if (const absl::Status status = CheckBatch(request, *scratch); !status.ok()) Finish(*request, status);
    return;
  }
  OnWorker(request, [this, request]() -> absl::Status {
    ScratchLease own(*this);
    RM_RETURN_IF_ERROR(own->decoded.Parse(request->batch, own->rejections));
    RM_ASSIGN_OR_RETURN(request->schema, Resolve(*request, [&]() -> absl::StatusOr<events::v1::Stream> {
                          // A stream isn't made for events that all have to be refused.
                          if (own->rejections.count() == own->decoded.view().event_count()) return events::v1::Stream();
                          return events::InferStream(own->decoded.view());
                        }));
    if (request->schema != nullptr) return CheckBatch(request, *own);
    request->errors = own->rejections.errors();
    with_.metrics.Rejected(request->errors);
    Finish(*request, ReceiptOf(*request));
    return absl::OkStatus();
  });
}

// From a parsed batch and its schema to the appends.
absl::Status IngestService::CheckBatch(const RequestPtr& request, Scratch& scratch) {
  const events::BatchView& view = scratch.decoded.view();
  RM_RETURN_IF_ERROR(with_.quotas.Take(request->origin.tenant, view.event_count()));
  RM_ASSIGN_OR_RETURN(std::vector<events::BatchPart> parts,
                      scratch.checker.CheckAndSplit(view, *request->schema, {with_.clock.Now(), options_.max_future},
                                                    true, scratch.rejections));
  request->errors = scratch.rejections.errors();
  RM_RETURN_IF_ERROR(AddParts(*request, 0, std::move(parts), request->schema));
  Launch(request);
  return absl::OkStatus();
}

void IngestService::IngestRows(Origin origin, const RowsMessage& message, Done done) {
  const v1::IngestRowsRequest& rows = message.rows;
  const RequestPtr request = Admit(std::move(origin), Form::kRows, rows.stream(), rows.ByteSizeLong(), std::move(done));
  if (request == nullptr) return;
  if (!IsStreamName(rows.stream())) {
    return Finish(*request,
                  absl::InvalidArgumentError(ToAbsl(fmt::format("stream: {} is not a name like [a-z][a-z0-9_.]{{0,62}}",
                                                                events::Quoted(rows.stream())))));
  }
  Decode decode = [&message](const events::Schema* schema, events::ErrorList& errors, events::ChunkSink sink) {
    return DecodeRows(message, schema == nullptr ? 0 : schema->stream().version(), errors, sink);
  };
  request->schema = with_.schemas.Find(request->origin.tenant, request->stream);
  if (request->schema != nullptr) {
    if (const absl::Status status = RunDecoded(request, decode); !status.ok()) Finish(*request, status);
    return;
  }
  OnWorker(request, [this, request, decode = std::move(decode)]() mutable { return RunDecoded(request, decode); });
}

void IngestService::IngestRaw(Origin origin, const v1::IngestRawRequest& raw, Done done) {
  const absl::StatusOr<events::TextFormat> format = events::FormatOf(raw.content_type());
  const Form form = format.ok() ? FormOf(*format) : Form::kJson;
  const RequestPtr request = Admit(std::move(origin), form, raw.stream(), raw.body().size(), std::move(done));
  if (request == nullptr) return;
  if (!format.ok()) return Finish(*request, format.status());
  if (!IsStreamName(raw.stream())) {
    return Finish(*request,
                  absl::InvalidArgumentError(ToAbsl(fmt::format("stream: {} is not a name like [a-z][a-z0-9_.]{{0,62}}",
                                                                events::Quoted(raw.stream())))));
  }
  const int64_t arrival_us = absl::ToUnixMicros(with_.clock.Now());
  Decode decode = [this, &raw, format = *format, arrival_us](const events::Schema* schema, events::ErrorList& errors,
                                                             events::ChunkSink sink) {
    return events::DecodeText(format, raw.body(), {raw.stream(), schema, options_.max_fields, arrival_us}, errors,
                              sink);
  };
  request->schema = with_.schemas.Find(request->origin.tenant, request->stream);
  OnWorker(request, [this, request, decode = std::move(decode)]() mutable { return RunDecoded(request, decode); });
}

absl::StatusOr<SchemaPtr> IngestService::Resolve(const Request& request, Infer infer) {
  const Origin& origin = request.origin;
  const absl::Time deadline = std::min(origin.deadline, with_.clock.Now() + kCatalogTimeout);
  for (int attempt = 0; attempt < kCreationAttempts; ++attempt) {
    absl::StatusOr<SchemaPtr> loaded = with_.schemas.Load(origin.tenant, request.stream, deadline);
    if (loaded.ok()) return loaded;
    if (loaded.status().code() != absl::StatusCode::kNotFound) return AwayFrom(loaded.status());
    RM_ASSIGN_OR_RETURN(events::v1::Stream inferred, infer());
    // Nothing was sound enough to make a stream of.
    if (inferred.name().empty()) return SchemaPtr();
    inferred.set_partitions(options_.default_partitions);
    RM_RETURN_IF_ERROR(events::CheckDeclaration(inferred, options_.max_fields, with_.log.partitions()));
    const absl::StatusOr<events::v1::Stream> declared = with_.streams.Declare(origin.tenant, inferred, deadline);
    if (declared.ok()) {
      with_.metrics.streams_created.Increment();
      telemetry::Log(telemetry::Level::kInfo, "stream made by its first send",
                     {{"tenant", origin.tenant},
                      {"stream", request.stream},
                      {"fields", declared->fields_size()},
                      {"partitions", declared->partitions()},
                      {"traceparent", origin.traceparent}});
      return with_.schemas.Put(origin.tenant, *declared);
    }
    // Another ingest was first: take its schema.
    if (declared.status().code() != absl::StatusCode::kAborted) return AwayFrom(declared.status());
  }
  return absl::UnavailableError(ToAbsl(fmt::format("stream {} is being made and deleted: retry", request.stream)));
}

absl::Status IngestService::RunDecoded(const RequestPtr& request, Decode& decode) {
  if (request->schema == nullptr) {
    // The whole body says what the stream is; then it is decoded again as that.
    RM_ASSIGN_OR_RETURN(request->schema, Resolve(*request, [&]() -> absl::StatusOr<events::v1::Stream> {
                          events::v1::Stream inferred;
                          events::ErrorList ignored;
                          StringSet names;
                          RM_RETURN_IF_ERROR(decode(nullptr, ignored, [&](const events::DecodedChunk& chunk) {
                                               const events::v1::Stream seen = events::InferStream(*chunk.batch);
                                               inferred.set_name(seen.name());
                                               for (const events::v1::Field& field : seen.fields()) {
                                                 if (names.insert(field.name()).second) *inferred.add_fields() = field;
                                               }
                                               return absl::OkStatus();
                                             }).status());
                          return inferred;
                        }));
  }
  if (request->schema == nullptr) {
    RM_RETURN_IF_ERROR(decode(nullptr, request->errors, [](const events::DecodedChunk&) {
                         return absl::InternalError("a body without a sound event has one");
                       }).status());
    with_.metrics.Rejected(request->errors);
    Finish(*request, ReceiptOf(*request));
    return absl::OkStatus();
  }
  ScratchLease scratch(*this);
  events::ErrorList checked;
  RM_ASSIGN_OR_RETURN(
      const uint64_t events,
      decode(request->schema.get(), request->errors, [&](const events::DecodedChunk& chunk) -> absl::Status {
        scratch->rejections.Reset(chunk.batch->event_count(), chunk.source_index);
        RM_ASSIGN_OR_RETURN(
            std::vector<events::BatchPart> parts,
            scratch->checker.CheckAndSplit(*chunk.batch, *request->schema, {with_.clock.Now(), options_.max_future},
                                           false, scratch->rejections));
        checked.Merge(scratch->rejections.errors());
        return AddParts(*request, chunk.number, std::move(parts), request->schema);
      }));
  request->errors.Merge(checked);
  RM_RETURN_IF_ERROR(with_.quotas.Take(request->origin.tenant, events));
  Launch(request);
  return absl::OkStatus();
}

absl::Status IngestService::AddParts(Request& request, uint32_t chunk, std::vector<events::BatchPart> parts,
                                     const SchemaPtr& schema) {
  const events::v1::Stream& stream = schema->stream();
  for (events::BatchPart& part : parts) {
    PendingRecord& record = request.records.emplace_back();
    record.chunk = chunk;
    record.log_partition =
        events::LogPartitionOf(request.origin.tenant, stream.name(), part.partition, with_.log.partitions());
    record.header.set_stream_partition(part.partition);
    record.header.set_event_count(part.event_count);
    if (part.untouched) with_.metrics.untouched_records.Increment();
    record.payload = part.untouched ? std::move(request.batch) : std::move(part.bytes);
  }
  return absl::OkStatus();
}

// Starts the appends of a request that is checked; its receipt follows when all are durable.
void IngestService::Launch(const RequestPtr& request) {
  const events::v1::Stream& stream = request->schema->stream();
  with_.metrics.Rejected(request->errors);
  if (request->records.empty() && request->errors.total() > 0) {
    // What was rejected is in the ledger even when nothing was accepted.
    PendingRecord& record = request->records.emplace_back();
    record.log_partition = events::LogPartitionOf(request->origin.tenant, stream.name(), 0, with_.log.partitions());
  }
  if (request->records.empty()) return Finish(*request, ReceiptOf(*request));
  request->records.front().header.set_rejected_count(
      static_cast<uint32_t>(std::min<uint64_t>(request->errors.total(), UINT32_MAX)));

  const Origin& origin = request->origin;
  if (origin.producer_id == 0) request->own = lanes_.Take();
  for (PendingRecord& record : request->records) {
    events::v1::RecordHeader& header = record.header;
    header.set_tenant(origin.tenant);
    header.set_stream_id(stream.id());
    header.set_stream(stream.name());
    header.set_schema_version(stream.version());
    header.set_traceparent(origin.traceparent);
    if (stream.has_allowed_lateness()) header.set_allowed_lateness_us(LatenessUs(stream));
    header.set_sequence(request->own ? request->own->sequence : origin.sequence);
    if (!request->own) {
      header.set_producer_id(RecordProducer(origin.tenant, origin.producer_id, record.chunk));
    } else if (record.chunk == 0) {
      header.set_producer_id(request->own->producer_id);
    } else {
      header.set_producer_id(RecordProducer("", request->own->producer_id, record.chunk));
    }
  }
  // One more, so that the request doesn't end before all its appends are begun.
  request->waiting = request->records.size() + 1;
  CrashPoint("ingest.append.before_append");
  for (size_t i = 0; i < request->records.size(); ++i) AppendRecord(request, i);
  if (request->waiting.fetch_sub(1) == 1) Finish(*request, ReceiptOf(*request));
}

void IngestService::AppendRecord(const RequestPtr& request, size_t index) {
  PendingRecord& record = request->records[index];
  record.begun = with_.clock.MonotonicNow();
  eventlog::Record entry;
  entry.header = record.header.SerializeAsString();
  absl::Time deadline = request->origin.deadline;
  if (request->own && !record.retried) {
    // Nobody else can send it again under its number, so a copy stays for a second try in the second half of the time.
    entry.payload = record.payload;
    const absl::Time now = with_.clock.Now();
    deadline = now + std::max(absl::ZeroDuration(), (deadline - now) / 2);
  } else {
    entry.payload = std::move(record.payload);
  }
  with_.log.Append(record.log_partition, std::move(entry), deadline,
                   [this, request, index](absl::StatusOr<eventlog::Offset> offset) {
                     OnAppended(request, index, std::move(offset));
                   });
}

void IngestService::OnAppended(const RequestPtr& request, size_t index, absl::StatusOr<eventlog::Offset> offset) {
  PendingRecord& record = request->records[index];
  const bool unclear = offset.status().code() == absl::StatusCode::kDeadlineExceeded;
  if (unclear && request->own && !record.retried && with_.clock.Now() < request->origin.deadline) {
    record.retried = true;
    with_.metrics.append_retries.Increment();
    return AppendRecord(request, index);
  }
  if (offset.ok()) {
    with_.metrics.append_seconds.Observe(absl::ToDoubleSeconds(with_.clock.MonotonicNow() - record.begun));
    with_.metrics.record_events.Observe(record.header.event_count());
  }
  record.offset = std::move(offset);
  if (request->waiting.fetch_sub(1) != 1) return;
  CrashPoint("ingest.append.before_ack");
  Finish(*request, ReceiptOf(*request));
}

// The receipt, or why there is none.
absl::StatusOr<v1::Receipt> IngestService::ReceiptOf(Request& request) {
  v1::Receipt receipt;
  absl::Status failure;
  for (const PendingRecord& record : request.records) {
    if (!record.offset.ok()) {
      failure.Update(record.offset.status());
      continue;
    }
    v1::LogPosition* position = receipt.add_positions();
    position->set_partition(record.log_partition);
    position->set_offset(*record.offset);
    receipt.set_accepted(receipt.accepted() + record.header.event_count());
  }
  if (!failure.ok() && receipt.positions_size() > 0 && request.own) {
    return absl::AbortedError(ToAbsl(fmt::format(
        "{} of its events are durable, the rest not ({}): number requests with OpenProducer to resend safely",
        receipt.accepted(), absl::StatusCodeToString(failure.code()))));
  }
  RM_RETURN_IF_ERROR(failure);
  receipt.set_rejected(request.errors.total());
  for (const events::EventError& from : request.errors.Sorted()) {
    v1::EventError* error = receipt.add_errors();
    error->set_index(from.index);
    error->set_field(from.field);
    error->set_reason(from.message);
    error->set_code(std::string(events::ReasonName(from.reason)));
    if (from.byte_offset >= 0) error->set_byte_offset(from.byte_offset);
  }
  if (receipt.positions_size() == 0) return receipt;
  v1::VisibilityToken token;
  token.set_stream(request.stream);
  *token.mutable_positions() = receipt.positions();
  const int64_t now_us = absl::ToUnixMicros(with_.clock.Now());
  token.mutable_issued()->set_seconds(now_us / 1'000'000);
  token.mutable_issued()->set_nanos(static_cast<int32_t>(now_us % 1'000'000 * 1'000));
  receipt.set_visibility_token(with_.tokens.Issue(request.origin.tenant, token));
  return receipt;
}

// Ends a request, once.
void IngestService::Finish(Request& request, absl::StatusOr<v1::Receipt> outcome) {
  if (request.own) lanes_.Release(*request.own);
  if (outcome.ok()) with_.metrics.Accepted(request.form, outcome->accepted());
  with_.metrics.Finished(request.form, request.bytes, outcome.status(), with_.clock.MonotonicNow() - request.arrived);
  if (request.share.held()) with_.metrics.inflight_bytes.Decrement(static_cast<double>(request.bytes));
  request.share = {};
  Done done = std::move(request.done);
  done(std::move(outcome));
}

}  // namespace rivermeet::ingest
