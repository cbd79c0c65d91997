// The fold's cost an event: 10,000 series of three dimensions, shuffled, two measures, batches of 8,192 events.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "base/status.h"
#include "windows/partition_state.h"
#include "windows/rollup.h"
#include "windows/state_image.h"

namespace rivermeet::windows {
namespace {

constexpr int kSeries = 10'000;
constexpr int kEvents = 8'192;
constexpr int kBatches = 64;

// `hosts` distinct values in the first dimension; the others share out the rest.
std::vector<std::string> EncodedBatches(int hosts) {
  std::mt19937_64 random(7);
  std::vector<std::string> encoded;
  for (int b = 0; b < kBatches; ++b) {
    events::v1::EventBatch batch;
    batch.set_stream("bench");
    batch.set_base_time_us(1'700'000'000'000'000 + b * 40'000);
    std::map<int, int> rows;
    std::vector<int> order;
    for (int e = 0; e < kEvents; ++e) {
      const int series = static_cast<int>(random() % kSeries);
      const auto [row, made] = rows.try_emplace(series, static_cast<int>(order.size()));
      if (made) order.push_back(series);
      batch.add_series_index(row->second);
      batch.add_time_offset_us(static_cast<int64_t>(random() % 1'000'000));
    }
    batch.mutable_series()->set_count(order.size());
    const int others = kSeries / hosts;
    const auto add = [&](const char* name, auto value_of) {
      auto& column = *batch.mutable_series()->add_dimensions();
      column.set_name(name);
      std::map<int, int> values;
      for (const int series : order) {
        const int value = value_of(series);
        const auto [index, made] = values.try_emplace(value, static_cast<int>(values.size()) + 1);
        if (made) column.add_values(std::string(name) + "-" + std::to_string(value));
        column.add_value_index(index->second);
      }
    };
    const int inner = std::max(1, static_cast<int>(std::sqrt(others)));
    add("host", [&](int s) { return s % hosts; });
    add("region", [&](int s) { return s / hosts / inner; });
    add("device", [&](int s) { return s / hosts % inner; });
    auto& percent = *batch.add_measures();
    percent.set_name("percent");
    auto& counter = *batch.add_measures();
    counter.set_name("counter");
    for (int e = 0; e < kEvents; ++e) {
      percent.add_float64_values(static_cast<double>(random() % 10'000) / 100);
      counter.add_int64_values(b * 1'000 + e);
    }
    encoded.push_back(batch.SerializeAsString());
  }
  return encoded;
}

events::v1::RecordHeader Header() {
  events::v1::RecordHeader header;
  header.set_tenant("t");
  header.set_stream_id(1);
  header.set_stream("bench");
  header.set_producer_id(9);
  header.set_event_count(kEvents);
  return header;
}

void Fold(benchmark::State& bench, bool decode) {
  const std::vector<std::string> encoded = EncodedBatches(static_cast<int>(bench.range(0)));
  std::vector<events::v1::EventBatch> batches(encoded.size());
  for (size_t b = 0; b < encoded.size(); ++b) batches[b].ParseFromString(encoded[b]);
  PartitionState state{FoldOptions()};
  events::v1::RecordHeader header = Header();
  events::v1::EventBatch parsed;
  int64_t offset = 0;
  for (auto _ : bench) {
    const size_t b = static_cast<size_t>(offset) % encoded.size();
    header.set_sequence(++offset);
    if (decode) parsed.ParseFromString(encoded[b]);
    state.Fold(header, decode ? &parsed : &batches[b], offset, 1'700'000'000'000'000);
  }
  RM_CHECK(state.Find(1)->ledger().too_late == 0);
  bench.SetItemsProcessed(bench.iterations() * kEvents);
  bench.counters["ns_per_event"] = benchmark::Counter(static_cast<double>(bench.iterations()) * kEvents * 1e-9,
                                                      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
void BM_Fold(benchmark::State& bench) { Fold(bench, false); }
void BM_DecodeAndFold(benchmark::State& bench) { Fold(bench, true); }
BENCHMARK(BM_Fold)->Arg(100)->Arg(10'000);
BENCHMARK(BM_DecodeAndFold)->Arg(100)->Arg(10'000);

std::unique_ptr<PartitionState> Filled() {
  const std::vector<std::string> encoded = EncodedBatches(100);
  auto state = std::make_unique<PartitionState>(FoldOptions());
  events::v1::RecordHeader header = Header();
  events::v1::EventBatch batch;
  for (int64_t b = 0; b < 1'600; ++b) {
    header.set_sequence(b + 1);
    batch.ParseFromString(encoded[b % kBatches]);
    batch.set_base_time_us(1'700'000'000'000'000 + b * 40'000);
    state->Fold(header, &batch, b, batch.base_time_us());
  }
  return state;
}

void BM_Capture(benchmark::State& bench) {
  const auto state = Filled();
  for (auto _ : bench) benchmark::DoNotOptimize(StateImage::Capture(*state));
}
BENCHMARK(BM_Capture)->Unit(benchmark::kMicrosecond);

void BM_EncodeState(benchmark::State& bench) {
  const auto state = Filled();
  size_t bytes = 0;
  for (auto _ : bench) bytes = EncodeState(StateImage::Capture(*state)).size();
  bench.counters["blob_mb"] = static_cast<double>(bytes) / 1e6;
  bench.counters["state_mb"] = static_cast<double>(state->bytes()) / 1e6;
}
BENCHMARK(BM_EncodeState)->Unit(benchmark::kMillisecond);

void BM_DecodeState(benchmark::State& bench) {
  const std::string blob = EncodeState(StateImage::Capture(*Filled()));
  for (auto _ : bench) benchmark::DoNotOptimize(DecodeState(blob, FoldOptions()));
}
BENCHMARK(BM_DecodeState)->Unit(benchmark::kMillisecond);

// One minute of 10,000 series, in steps of 10 s.
void BM_Rollup(benchmark::State& bench) {
  const auto state = Filled();
  RollupQuery query;
  query.step_us = 10'000'000;
  query.measures = {"percent", "counter"};
  if (bench.range(0) != 0) query.group_by = {"host"};
  uint64_t rows = 0;
  for (auto _ : bench) {
    const StreamView view = state->Find(1)->View();
    Grouping grouping(query);
    grouping.Extend(view.series);
    Rollup(view, query, grouping, [&](const RollupRow&) { ++rows; });
  }
  benchmark::DoNotOptimize(rows);
}
BENCHMARK(BM_Rollup)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// One batch, then what it changed for a watch of all series by host: a subscriber's tick under load.
void BM_FoldAndWatch(benchmark::State& bench) {
  const auto state = Filled();
  const std::vector<std::string> encoded = EncodedBatches(100);
  RollupQuery query;
  query.step_us = bench.range(0) * 1'000'000;
  query.measures = {"percent"};
  query.group_by = {"host"};
  RollupWatch watch(query);
  uint64_t rows = 0;
  const auto count = [&](const RollupRow&) { ++rows; };
  watch.Update(state->Find(1)->View(), count);
  events::v1::RecordHeader header = Header();
  events::v1::EventBatch batch;
  int64_t next = 1'600;
  for (auto _ : bench) {
    bench.PauseTiming();
    header.set_sequence(next + 1);
    batch.ParseFromString(encoded[next % kBatches]);
    batch.set_base_time_us(1'700'000'000'000'000 + next * 5'000 + 56'000'000);
    state->Fold(header, &batch, next, batch.base_time_us());
    ++next;
    bench.ResumeTiming();
    watch.Update(state->Find(1)->View(), count);
  }
  benchmark::DoNotOptimize(rows);
}
BENCHMARK(BM_FoldAndWatch)->Arg(1)->Arg(10)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rivermeet::windows

BENCHMARK_MAIN();
