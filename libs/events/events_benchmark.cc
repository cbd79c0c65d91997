// What an event costs in each decoder and in the check: the benches' event, three dimensions and two measures.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "base/status.h"
#include "events/batch_builder.h"
#include "events/batch_checker.h"
#include "events/decoded_batch.h"
#include "events/series_hash.h"
#include "events/text_decoder.h"
#include "simdjson.h"

namespace rivermeet::events {
namespace {

constexpr int kEvents = 8'192;
constexpr int64_t kNow = 1'700'000'000'000'000;

struct Row {
  int64_t time_us;
  std::string host, region, service;
  double cpu;
  int64_t requests;
};

std::vector<Row> Rows() {
  std::mt19937_64 random(7);
  std::vector<Row> rows;
  for (int i = 0; i < kEvents; ++i) {
    const auto series = static_cast<int>(random() % 10'000);
    rows.push_back({kNow + static_cast<int64_t>(random() % 1'000'000), fmt::format("host-{:04}", series),
                    fmt::format("eu-west-{}", series % 4), fmt::format("service-{:02}", series % 25),
                    static_cast<double>(random() % 10'000) / 100, static_cast<int64_t>(random() % 1'000'000)});
  }
  return rows;
}

void Build(const std::vector<Row>& rows, BatchBuilder& builder) {
  const int host = builder.DimensionColumn("host"), region = builder.DimensionColumn("region"),
            service = builder.DimensionColumn("service");
  const int cpu = builder.Float64Column("cpu"), requests = builder.Int64Column("requests");
  for (const Row& row : rows) {
    builder.Begin(row.time_us);
    builder.SetDimension(host, row.host);
    builder.SetDimension(region, row.region);
    builder.SetDimension(service, row.service);
    builder.SetFloat64(cpu, row.cpu);
    builder.SetInt64(requests, row.requests);
    builder.Commit();
  }
}

std::string Batch() {
  BatchBuilder builder("bench");
  Build(Rows(), builder);
  return builder.Take();
}

std::string Ndjson() {
  std::string body;
  for (const Row& row : Rows()) {
    body += fmt::format(R"({{"time":{},"host":"{}","region":"{}","service":"{}","cpu":{:.2f},"requests":{}}})"
                        "\n",
                        row.time_us, row.host, row.region, row.service, row.cpu, row.requests);
  }
  return body;
}

std::string JsonArray() {
  std::string body = Ndjson();
  body.pop_back();
  for (char& c : body) c = c == '\n' ? ',' : c;
  return "[" + body + "]";
}

std::string Csv() {
  std::string body = "time,host,region,service,cpu,requests\n";
  for (const Row& row : Rows()) {
    body +=
        fmt::format("{},{},{},{},{:.2f},{}\n", row.time_us, row.host, row.region, row.service, row.cpu, row.requests);
  }
  return body;
}

std::shared_ptr<const Schema> SchemaOf(uint32_t partitions) {
  DecodedBatch batch;
  const std::string bytes = Batch();
  RM_CHECK_OK(batch.Parse(bytes));
  v1::Stream stream = InferStream(batch.view());
  stream.set_version(1);
  stream.set_partitions(partitions);
  return Schema::Compile(stream);
}

void PerEvent(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(state.iterations() * kEvents);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
  state.counters["ns_per_event"] = benchmark::Counter(static_cast<double>(state.iterations()) * kEvents * 1e-9,
                                                      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void ParseBatch(benchmark::State& state) {
  const std::string bytes = Batch();
  DecodedBatch batch;
  Rejections rejections;
  for (auto _ : state) RM_CHECK_OK(batch.Parse(bytes, rejections));
  PerEvent(state, bytes.size());
}
BENCHMARK(ParseBatch);

void ParseAndCheckBatch(benchmark::State& state) {
  const std::string bytes = Batch();
  const auto schema = SchemaOf(static_cast<uint32_t>(state.range(0)));
  DecodedBatch batch;
  Rejections rejections;
  BatchChecker checker;
  for (auto _ : state) {
    RM_CHECK_OK(batch.Parse(bytes, rejections));
    auto parts = checker.CheckAndSplit(batch.view(), *schema, {absl::FromUnixMicros(kNow)}, true, rejections);
    RM_CHECK(parts.ok() && !rejections.any());
    benchmark::DoNotOptimize(parts);
  }
  PerEvent(state, bytes.size());
}
// One partition: the bytes are passed on. Two: every batch is split.
BENCHMARK(ParseAndCheckBatch)->Arg(1)->Arg(2);

void HashBatchSeries(benchmark::State& state) {
  const std::string bytes = Batch();
  DecodedBatch batch;
  RM_CHECK_OK(batch.Parse(bytes));
  for (auto _ : state) benchmark::DoNotOptimize(HashSeries(batch.view()));
  PerEvent(state, bytes.size());
}
BENCHMARK(HashBatchSeries);

void BuildBatch(benchmark::State& state) {
  const std::vector<Row> rows = Rows();
  BatchBuilder builder("bench");
  size_t bytes = 0;
  for (auto _ : state) {
    Build(rows, builder);
    bytes = builder.Take().size();
  }
  PerEvent(state, bytes);
}
BENCHMARK(BuildBatch);

void Decode(benchmark::State& state, TextFormat format, const std::string& body) {
  const auto schema = SchemaOf(1);
  uint64_t decoded = 0;
  for (auto _ : state) {
    ErrorList errors;
    const DecodeOptions options{"bench", schema.get()};
    const auto events = DecodeText(format, body, options, errors, [&](const DecodedChunk& chunk) {
      decoded += chunk.batch->event_count();
      return absl::OkStatus();
    });
    RM_CHECK(events.ok() && *events == kEvents && errors.total() == 0);
  }
  PerEvent(state, body.size());
}
void DecodeJsonArray(benchmark::State& state) { Decode(state, TextFormat::kJson, JsonArray()); }
void DecodeNdjson(benchmark::State& state) { Decode(state, TextFormat::kNdjson, Ndjson()); }
void DecodeCsv(benchmark::State& state) { Decode(state, TextFormat::kCsv, Csv()); }
BENCHMARK(DecodeJsonArray);
BENCHMARK(DecodeNdjson);
BENCHMARK(DecodeCsv);

// simdjson's DOM over the same body, its fields visited and nothing done with them: what a decoder on it would pay
// before its first own instruction.
void SimdjsonDom(benchmark::State& state) {
  const simdjson::padded_string body(JsonArray());
  simdjson::dom::parser parser;
  size_t texts = 0;
  double numbers = 0;
  for (auto _ : state) {
    for (const simdjson::dom::element event : simdjson::dom::array(parser.parse(body))) {
      for (const auto field : simdjson::dom::object(event)) {
        texts += field.key.size();
        if (field.value.is_string()) {
          texts += std::string_view(field.value).size();
        } else {
          numbers += double(field.value);
        }
      }
    }
  }
  benchmark::DoNotOptimize(texts);
  benchmark::DoNotOptimize(numbers);
  PerEvent(state, body.size());
}
BENCHMARK(SimdjsonDom);

void SimdjsonOnDemand(benchmark::State& state) {
  const simdjson::padded_string body(JsonArray());
  simdjson::ondemand::parser parser;
  size_t texts = 0;
  double numbers = 0;
  for (auto _ : state) {
    simdjson::ondemand::document document = parser.iterate(body);
    for (simdjson::ondemand::object event : document.get_array()) {
      for (auto field : event) {
        texts += std::string_view(field.unescaped_key()).size();
        simdjson::ondemand::value value = field.value();
        if (value.type() == simdjson::ondemand::json_type::string) {
          texts += std::string_view(value.get_string()).size();
        } else {
          numbers += double(value.get_double());
        }
      }
    }
  }
  benchmark::DoNotOptimize(texts);
  benchmark::DoNotOptimize(numbers);
  PerEvent(state, body.size());
}
BENCHMARK(SimdjsonOnDemand);

}  // namespace
}  // namespace rivermeet::events

BENCHMARK_MAIN();
