// How fast values and text are read: what every update's decoder spends its time on.
#include <benchmark/benchmark.h>

#include "crdt/any.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {
namespace {

const std::string& SmallObject() {
  static const std::string object =
      Any(Any::Object{{"id", 17}, {"title", "quarterly"}, {"width", 0.5}, {"visible", true}}).Encode();
  return object;
}

void SkipSmallObject(benchmark::State& state) {
  const std::string& object = SmallObject();
  for (auto _ : state) {
    ByteReader reader(object);
    benchmark::DoNotOptimize(SkipAny(reader, 512));
  }
}
BENCHMARK(SkipSmallObject);

void SkipInteger(benchmark::State& state) {
  for (auto _ : state) {
    ByteReader reader("\x7d\x05");
    benchmark::DoNotOptimize(SkipAny(reader, 512));
  }
}
BENCHMARK(SkipInteger);

void CopySmallObject(benchmark::State& state) {
  // As it is, or with its first key last.
  std::string object = SmallObject();
  if (state.range(0) != 0)
    object =
        "\x76\x02\x01"
        "a\x7c\x3f\x80" +
        std::string(2, '\0') +
        "\x01"
        "1\x77\x09quarterly";
  std::string copy;
  for (auto _ : state) {
    copy.clear();
    ByteReader reader(object);
    benchmark::DoNotOptimize(CopyAny(reader, 512, copy));
  }
}
BENCHMARK(CopySmallObject)->Arg(0)->Arg(1);

void ReadJsonObject(benchmark::State& state) {
  const std::string json = R"({"id":17,"title":"quarterly","width":0.5,"visible":true})";
  std::string any;
  const char* error = nullptr;
  size_t offset = 0;
  for (auto _ : state) {
    any.clear();
    benchmark::DoNotOptimize(JsonToAny(json, 512, any, &error, &offset));
  }
}
BENCHMARK(ReadJsonObject);

void WriteJsonObject(benchmark::State& state) {
  std::string json;
  for (auto _ : state) {
    json.clear();
    benchmark::DoNotOptimize(AnyToJson(SmallObject(), json));
  }
}
BENCHMARK(WriteJsonObject);

std::string TextOf(std::string_view piece, int64_t bytes) {
  std::string text;
  while (static_cast<int64_t>(text.size()) < bytes) text += piece;
  return text;
}

template <typename Function>
void OverText(benchmark::State& state, Function function, std::string_view piece) {
  const std::string text = TextOf(piece, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(function(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(OverText, measure_ascii, Measure, "a")->Arg(12)->Arg(1 << 16)->Arg(1 << 24);
BENCHMARK_CAPTURE(OverText, measure_mixed, Measure, "na\xC3\xAFve \xE6\x97\xA5")->Arg(1 << 16);
BENCHMARK_CAPTURE(OverText, utf8_ascii, IsUtf8, "a")->Arg(12)->Arg(1 << 16);
BENCHMARK_CAPTURE(OverText, utf8_mixed, IsUtf8, "na\xC3\xAFve \xE6\x97\xA5")->Arg(1 << 16);

void FindInText(benchmark::State& state, std::string_view piece) {
  const std::string text = TextOf(piece, 1 << 16);
  const uint64_t unit = Measure(text).utf16 - 1;
  for (auto _ : state) benchmark::DoNotOptimize(FindUtf16(text, unit));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK_CAPTURE(FindInText, ascii, "a");
BENCHMARK_CAPTURE(FindInText, mixed, "na\xC3\xAFve \xE6\x97\xA5");

}  // namespace
}  // namespace rivermeet::crdt::internal

BENCHMARK_MAIN();
