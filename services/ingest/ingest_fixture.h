// What the tests of ingest's rules stand on: streams and a log in memory that fail when they are told to.
#ifndef RIVERMEET_INGEST_INGEST_FIXTURE_H_
#define RIVERMEET_INGEST_INGEST_FIXTURE_H_

#include <deque>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "events/batch_builder.h"
#include "events/decoded_batch.h"
#include "events/series_hash.h"
#include "ingest/ingest_service.h"
#include "ingest/stream_service.h"
#include "prometheus/registry.h"
#include "rivermeet/events/v1/event_batch.pb.h"
#include "testing/manual_clock.h"

namespace rivermeet::ingest {

// Thread-safe.
class MemoryStreams final : public StreamRepository {
 public:
  absl::StatusOr<events::v1::Stream> Get(std::string_view tenant, std::string_view name, absl::Time) override {
    MutexLock lock(mutex_);
    ++reads_;
    RM_RETURN_IF_ERROR(failure_);
    const auto found = streams_.find({std::string(tenant), std::string(name)});
    if (found == streams_.end()) return absl::NotFoundError("no such stream");
    return found->second;
  }
  absl::StatusOr<std::vector<TenantStream>> List(std::string_view tenant, absl::Time) override {
    MutexLock lock(mutex_);
    RM_RETURN_IF_ERROR(failure_);
    std::vector<TenantStream> listed;
    for (const auto& [key, stream] : streams_) {
      if (tenant.empty() || key.first == tenant) listed.push_back({key.first, stream});
    }
    return listed;
  }
  absl::StatusOr<events::v1::Stream> Declare(std::string_view tenant, const events::v1::Stream& stream,
                                             absl::Time) override {
    MutexLock lock(mutex_);
    RM_RETURN_IF_ERROR(failure_);
    const std::pair<std::string, std::string> key(tenant, stream.name());
    if (beaten_by_) {
      streams_[key] = *std::exchange(beaten_by_, std::nullopt);
      streams_[key].set_id(++ids_);
      streams_[key].set_version(1);
    }
    const auto found = streams_.find(key);
    const uint32_t current = found == streams_.end() ? 0 : found->second.version();
    if (current != stream.version()) return absl::AbortedError("another version");
    events::v1::Stream& held = streams_[key];
    const uint64_t id = current == 0 ? ++ids_ : held.id();
    held = stream;
    held.set_id(id);
    held.set_version(current + 1);
    ++version_;
    return held;
  }
  absl::Status Delete(std::string_view tenant, std::string_view name, absl::Time) override {
    MutexLock lock(mutex_);
    RM_RETURN_IF_ERROR(failure_);
    ++version_;
    return streams_.erase({std::string(tenant), std::string(name)}) == 1 ? absl::OkStatus()
                                                                         : absl::NotFoundError("no such stream");
  }
  absl::StatusOr<int64_t> Version(absl::Time) override {
    MutexLock lock(mutex_);
    RM_RETURN_IF_ERROR(failure_);
    return version_;
  }

  void FailWith(absl::Status status) {
    MutexLock lock(mutex_);
    failure_ = std::move(status);
  }
  // The next Declare() finds that another process has just made this stream.
  void BeatNextBy(events::v1::Stream stream) {
    MutexLock lock(mutex_);
    beaten_by_ = std::move(stream);
  }
  int reads() const {
    MutexLock lock(mutex_);
    return reads_;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::pair<std::string, std::string>, events::v1::Stream> streams_ ABSL_GUARDED_BY(mutex_);
  std::optional<events::v1::Stream> beaten_by_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  uint64_t ids_ ABSL_GUARDED_BY(mutex_) = 100;
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 1;
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Thread-safe. Answers on the thread that asked, but never inside Append(): call Settle().
class MemoryLog final : public eventlog::EventLog {
 public:
  explicit MemoryLog(uint32_t partitions) : partitions_(partitions), records_(partitions) {}

  struct Outcome {
    absl::Status status;
    // Whether the record is in the log all the same.
    bool appended = false;
  };

  uint32_t partitions() const override { return partitions_; }
  std::string identity() const override { return "a log in memory"; }
  void Append(eventlog::PartitionId partition, eventlog::Record record, absl::Time deadline, Done done) override {
    MutexLock lock(mutex_);
    Outcome outcome{absl::OkStatus(), true};
    if (!outcomes_.empty()) {
      outcome = outcomes_.front();
      outcomes_.pop_front();
    }
    deadlines_.push_back(deadline);
    eventlog::Offset offset = -1;
    if (outcome.appended) {
      offset = static_cast<eventlog::Offset>(records_[partition].size());
      records_[partition].push_back({offset, 0, std::move(record.header), std::move(record.payload)});
    }
    absl::StatusOr<eventlog::Offset> result = offset;
    if (!outcome.status.ok()) result = outcome.status;
    unsettled_.emplace_back(std::move(done), std::move(result));
  }
  absl::StatusOr<std::unique_ptr<eventlog::LogReader>> OpenReader(eventlog::PartitionId, eventlog::Offset) override {
    return absl::UnimplementedError("read records() instead");
  }
  absl::StatusOr<eventlog::OffsetRange> Range(eventlog::PartitionId partition, absl::Time) override {
    MutexLock lock(mutex_);
    return eventlog::OffsetRange{0, static_cast<eventlog::Offset>(records_[partition].size())};
  }
  absl::Status DeleteBefore(eventlog::PartitionId, eventlog::Offset) override { return absl::OkStatus(); }
  eventlog::LogStats Stats() const override { return {}; }
  void Stop(absl::Time) override {}

  // What the next appends end with, one each; then OK again.
  void Script(std::vector<Outcome> outcomes) {
    MutexLock lock(mutex_);
    outcomes_.assign(outcomes.begin(), outcomes.end());
  }
  // Answers the oldest append; false when there is none.
  bool Settle() {
    std::pair<Done, absl::StatusOr<eventlog::Offset>> next;
    {
      MutexLock lock(mutex_);
      if (unsettled_.empty()) return false;
      next = std::move(unsettled_.front());
      unsettled_.pop_front();
    }
    next.first(std::move(next.second));
    return true;
  }

  struct Stored {
    events::v1::RecordHeader header;
    std::string payload;
  };
  // What partition `partition` holds.
  std::vector<Stored> records(uint32_t partition) const {
    MutexLock lock(mutex_);
    std::vector<Stored> stored;
    for (const eventlog::LogRecord& record : records_[partition]) {
      Stored& one = stored.emplace_back();
      RM_CHECK(one.header.ParseFromString(record.header));
      one.payload = record.payload;
    }
    return stored;
  }
  std::vector<Stored> all() const {
    std::vector<Stored> stored;
    for (uint32_t p = 0; p < partitions(); ++p) {
      for (Stored& one : records(p)) stored.push_back(std::move(one));
    }
    return stored;
  }
  std::vector<absl::Time> deadlines() const {
    MutexLock lock(mutex_);
    return deadlines_;
  }

 private:
  const uint32_t partitions_;
  mutable Mutex mutex_;
  std::vector<std::vector<eventlog::LogRecord>> records_ ABSL_GUARDED_BY(mutex_);
  std::deque<Outcome> outcomes_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::pair<Done, absl::StatusOr<eventlog::Offset>>> unsettled_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Time> deadlines_ ABSL_GUARDED_BY(mutex_);
};

// The rules on top of both.
struct IngestFixture {
  testing::ManualClock clock{absl::FromUnixMicros(1'700'000'000'000'000)};
  MemoryStreams streams;
  MemoryLog log;
  prometheus::Registry registry;
  IngestMetrics metrics{registry};
  SchemaCache schemas{streams, clock};
  EventQuotas quotas;
  ByteBudget budget;
  visibility::VisibilityTokens tokens{"0123456789abcdef0123456789abcdef"};
  WorkerPool workers{2, 64};
  IngestService service;

  explicit IngestFixture(uint32_t partitions = 1, uint64_t events_per_second = 0, size_t max_bytes = 64 << 20)
      : log(partitions),
        quotas(events_per_second, clock),
        budget(max_bytes),
        service({.max_fields = 8, .default_partitions = partitions},
                {log, streams, schemas, quotas, budget, workers, tokens, metrics, clock}) {}
  ~IngestFixture() { workers.Stop(); }

  static constexpr int64_t kNowUs = 1'700'000'000'000'000;

  Origin From(uint64_t producer = 0, uint64_t sequence = 0) const {
    return {.tenant = "acme",
            .traceparent = "00-1-2-01",
            .deadline = clock.Now() + absl::Seconds(10),
            .producer_id = producer,
            .sequence = sequence};
  }

  // Answers the log's appends until the request has ended.
  absl::StatusOr<v1::Receipt> Await(std::future<absl::StatusOr<v1::Receipt>> ended) {
    while (ended.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      while (log.Settle()) {
      }
    }
    return ended.get();
  }
  std::pair<IngestService::Done, std::future<absl::StatusOr<v1::Receipt>>> Ending() {
    std::promise<absl::StatusOr<v1::Receipt>> promise;
    std::future<absl::StatusOr<v1::Receipt>> future = promise.get_future();
    return {[promise = std::move(promise)](absl::StatusOr<v1::Receipt> r) mutable { promise.set_value(std::move(r)); },
            std::move(future)};
  }

  absl::StatusOr<v1::Receipt> Send(std::string batch, uint64_t producer = 0, uint64_t sequence = 0) {
    auto [done, ended] = Ending();
    service.IngestBatch(From(producer, sequence), std::move(batch), std::move(done));
    return Await(std::move(ended));
  }
  absl::StatusOr<v1::Receipt> SendRaw(std::string type, std::string body, uint64_t producer = 0,
                                      uint64_t sequence = 0) {
    v1::IngestRawRequest raw;
    raw.set_stream("s");
    raw.set_content_type(std::move(type));
    raw.set_body(std::move(body));
    auto [done, ended] = Ending();
    service.IngestRaw(From(producer, sequence), raw, std::move(done));
    return Await(std::move(ended));
  }
  absl::StatusOr<v1::Receipt> SendRows(const v1::IngestRowsRequest& rows) { return SendRows(RowsMessage{rows, {}}); }
  absl::StatusOr<v1::Receipt> SendRows(const RowsMessage& rows) {
    auto [done, ended] = Ending();
    service.IngestRows(From(rows.rows.producer_id(), rows.rows.sequence()), rows, std::move(done));
    return Await(std::move(ended));
  }

  // A batch of `events` events on `hosts` hosts.
  static std::string Batch(int events = 3, int hosts = 1, std::string_view stream = "s") {
    events::BatchBuilder builder{std::string(stream)};
    const int host = builder.DimensionColumn("host"), cpu = builder.Float64Column("cpu");
    for (int i = 0; i < events; ++i) {
      const std::string name = fmt::format("h{}", i % hosts);
      builder.Begin(kNowUs + i);
      builder.SetDimension(host, name);
      builder.SetFloat64(cpu, i);
      builder.Commit();
    }
    return builder.Take();
  }
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_INGEST_FIXTURE_H_
