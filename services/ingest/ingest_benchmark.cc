// What an event costs from a request in memory to its durable append: checked or decoded, split over two partitions,
// appended to the built-in log on a disk. 32 requests under way; no gRPC.
#include <benchmark/benchmark.h>

#include <atomic>
#include <random>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eventlog/local_event_log.h"
#include "events/series_hash.h"
#include "ingest/ingest_fixture.h"
#include "testing/temp_dir.h"

namespace rivermeet::ingest {
namespace {

constexpr int kEvents = 8'192;
constexpr int kDistinct = 16;
constexpr uint32_t kPartitions = 2;
constexpr size_t kInFlight = 32;

struct Row {
  int64_t time_us;
  std::string host, region, service;
  double cpu;
  int64_t requests;
};

// The benches' event: three dimensions, 10,000 series, a percentage and a counter.
std::vector<Row> Rows(unsigned seed) {
  std::mt19937_64 random(seed);
  const int64_t now_us = absl::ToUnixMicros(absl::Now());
  std::vector<Row> rows;
  for (int i = 0; i < kEvents; ++i) {
    const auto series = static_cast<int>(random() % 10'000);
    rows.push_back({now_us - static_cast<int64_t>(random() % 1'000'000), fmt::format("host-{:04}", series),
                    fmt::format("eu-west-{}", series % 4), fmt::format("service-{:02}", series % 25),
                    static_cast<double>(random() % 10'000) / 100, static_cast<int64_t>(random() % 1'000'000)});
  }
  return rows;
}

// `only`: the partition whose series go in; -1 for all.
std::string Batch(const std::vector<Row>& rows, int only) {
  events::BatchBuilder builder("bench");
  const int host = builder.DimensionColumn("host"), region = builder.DimensionColumn("region"),
            service = builder.DimensionColumn("service");
  const int cpu = builder.Float64Column("cpu"), requests = builder.Int64Column("requests");
  const uint64_t seeds[] = {events::HashDimensionName("host"), events::HashDimensionName("region"),
                            events::HashDimensionName("service")};
  for (const Row& row : rows) {
    events::SeriesHash hash;
    hash.Add(events::HashDimensionValue(seeds[0], row.host));
    hash.Add(events::HashDimensionValue(seeds[1], row.region));
    hash.Add(events::HashDimensionValue(seeds[2], row.service));
    if (only >= 0 && hash.Finish() % kPartitions != static_cast<uint64_t>(only)) continue;
    builder.Begin(row.time_us);
    builder.SetDimension(host, row.host);
    builder.SetDimension(region, row.region);
    builder.SetDimension(service, row.service);
    builder.SetFloat64(cpu, row.cpu);
    builder.SetInt64(requests, row.requests);
    builder.Commit();
  }
  return builder.Take();
}

v1::IngestRowsRequest AsRows(const std::vector<Row>& rows) {
  v1::IngestRowsRequest request;
  request.set_stream("bench");
  for (const char* name : {"host", "region", "service"}) request.add_dimensions(name);
  request.add_float64_measures("cpu");
  request.add_int64_measures("requests");
  for (const Row& row : rows) {
    v1::Event* event = request.add_events();
    event->set_time_us(row.time_us);
    for (const std::string* value : {&row.host, &row.region, &row.service}) event->add_dimensions(*value);
    event->add_float64_measures(row.cpu);
    event->add_int64_measures(row.requests);
  }
  return request;
}

v1::IngestRawRequest AsJson(const std::vector<Row>& rows) {
  v1::IngestRawRequest request;
  request.set_stream("bench");
  request.set_content_type("application/x-ndjson");
  std::string* body = request.mutable_body();
  for (const Row& row : rows) {
    *body += fmt::format(R"({{"time":{},"host":"{}","region":"{}","service":"{}","cpu":{:.2f},"requests":{}}})"
                         "\n",
                         row.time_us, row.host, row.region, row.service, row.cpu, row.requests);
  }
  return request;
}

struct Bench {
  testing::TempDir folder;
  std::unique_ptr<eventlog::LocalEventLog> log =
      eventlog::LocalEventLog::Open({.folder = folder.path(), .partitions = kPartitions, .retention_bytes = 256 << 20})
          .value();
  MemoryStreams streams;
  prometheus::Registry registry;
  IngestMetrics metrics{registry};
  const Clock& clock = Clock::System();
  SchemaCache schemas{streams, clock};
  EventQuotas quotas{0, clock};
  ByteBudget budget{size_t{1} << 30};
  visibility::VisibilityTokens tokens{RandomBytes(32)};
  WorkerPool workers{2, 1'024};
  IngestService service{{.default_partitions = kPartitions},
                        {*log, streams, schemas, quotas, budget, workers, tokens, metrics, clock}};
  std::atomic<size_t> under_way{0};
  std::atomic<uint64_t> accepted{0};
  uint64_t sequence = 0;

  ~Bench() {
    workers.Stop();
    log->Stop(absl::Now() + absl::Seconds(10));
  }

  Origin From() { return {.tenant = "bench", .producer_id = 7, .sequence = ++sequence}; }
  IngestService::Done Done() {
    ++under_way;
    return [this](absl::StatusOr<v1::Receipt> receipt) {
      RM_CHECK(receipt.ok() && receipt->rejected() == 0);
      accepted += receipt->accepted();
      --under_way;
      under_way.notify_one();
    };
  }
  void WaitBelow(size_t limit) {
    for (size_t now = under_way; now >= limit; now = under_way) under_way.wait(now);
  }
};

template <typename Send>
void Run(benchmark::State& state, Bench& bench, Send send) {
  send(bench, 0);
  bench.WaitBelow(1);
  const uint64_t before = bench.accepted;
  size_t next = 0;
  for (auto _ : state) {
    bench.WaitBelow(kInFlight);
    send(bench, next++ % kDistinct);
  }
  bench.WaitBelow(1);
  state.SetItemsProcessed(static_cast<int64_t>(bench.accepted - before));
}

// Split by the sender, as our clients do: stored byte for byte.
void ColumnsOfOnePartition(benchmark::State& state) {
  Bench bench;
  std::vector<std::string> batches;
  for (int i = 0; i < kDistinct; ++i) batches.push_back(Batch(Rows(static_cast<unsigned>(i)), i % 2));
  Run(state, bench, [&](Bench& b, size_t i) { b.service.IngestBatch(b.From(), batches[i], b.Done()); });
}
BENCHMARK(ColumnsOfOnePartition)->UseRealTime()->MeasureProcessCPUTime();

// Of both partitions: split here.
void ColumnsOfTwoPartitions(benchmark::State& state) {
  Bench bench;
  std::vector<std::string> batches;
  for (int i = 0; i < kDistinct; ++i) batches.push_back(Batch(Rows(static_cast<unsigned>(i)), -1));
  Run(state, bench, [&](Bench& b, size_t i) { b.service.IngestBatch(b.From(), batches[i], b.Done()); });
}
BENCHMARK(ColumnsOfTwoPartitions)->UseRealTime()->MeasureProcessCPUTime();

void RowsOfTwoPartitions(benchmark::State& state) {
  Bench bench;
  std::vector<RowsMessage> requests;
  for (int i = 0; i < kDistinct; ++i) requests.push_back({AsRows(Rows(static_cast<unsigned>(i))), {}});
  Run(state, bench, [&](Bench& b, size_t i) { b.service.IngestRows(b.From(), requests[i], b.Done()); });
}
BENCHMARK(RowsOfTwoPartitions)->UseRealTime()->MeasureProcessCPUTime();

void NdjsonOfTwoPartitions(benchmark::State& state) {
  Bench bench;
  std::vector<v1::IngestRawRequest> requests;
  for (int i = 0; i < kDistinct; ++i) requests.push_back(AsJson(Rows(static_cast<unsigned>(i))));
  Run(state, bench, [&](Bench& b, size_t i) { b.service.IngestRaw(b.From(), requests[i], b.Done()); });
}
BENCHMARK(NdjsonOfTwoPartitions)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace rivermeet::ingest

BENCHMARK_MAIN();
