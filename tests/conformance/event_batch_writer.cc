// Writes batches, and beside each what is in it, for tests/conformance/event_batch_reader.py to compare.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/status.h"
#include "events/batch_builder.h"
#include "events/batch_checker.h"
#include "events/batch_encoder.h"
#include "events/decoded_batch.h"
#include "events/series_hash.h"

namespace rivermeet::events {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000;

// A float64 as Python's json reads it.
std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string Describe(const BatchView& batch) {
  std::string lines;
  const std::vector<uint64_t> hashes = HashSeries(batch);
  for (size_t i = 0; i < batch.event_count(); ++i) {
    std::string dimensions, measures;
    for (const DimensionView& d : batch.dimensions) {
      if (d.value_index[batch.series_index[i]] == 0) continue;
      dimensions +=
          fmt::format("{}\"{}\":\"{}\"", dimensions.empty() ? "" : ",", d.name, d.ValueOf(batch.series_index[i]));
    }
    for (const MeasureView& m : batch.measures) {
      if (m.IsNull(i)) continue;
      const std::string value = m.type == MeasureType::kInt64 ? std::to_string(m.int64[i]) : Number(m.float64[i]);
      measures += fmt::format("{}\"{}\":{}", measures.empty() ? "" : ",", m.name, value);
    }
    lines += fmt::format("{{\"time\":{},\"dimensions\":{{{}}},\"measures\":{{{}}},\"hash\":{}", batch.times_us[i],
                         dimensions, measures, hashes[batch.series_index[i]]);
    if (!batch.ids.empty() && !batch.ids[i].empty()) lines += fmt::format(",\"id\":\"{}\"", batch.ids[i]);
    if (!batch.attributes.empty() && !batch.attributes[i].empty())
      lines += fmt::format(",\"attributes\":{}", batch.attributes[i]);
    lines += "}\n";
  }
  return lines;
}

void Write(const std::string& folder, const std::string& name, const std::string& bytes) {
  DecodedBatch decoded;
  RM_CHECK_OK(decoded.Parse(bytes));
  std::ofstream(folder + "/" + name + ".batch", std::ios::binary) << bytes;
  std::ofstream(folder + "/" + name + ".ndjson") << Describe(decoded.view());
}

std::string Mixed() {
  std::mt19937_64 random(11);
  BatchBuilder builder("conformance", 3);
  const int host = builder.DimensionColumn("host"), region = builder.DimensionColumn("region");
  const int cpu = builder.Float64Column("cpu"), count = builder.Int64Column("count");
  for (int i = 0; i < 1'500; ++i) {
    const std::string name = fmt::format("h\xc3\xbc{}", random() % 40), place = fmt::format("r{}", random() % 5);
    const std::string id = fmt::format("e{}", i), attributes = fmt::format("{{\"n\":[{}]}}", i);
    builder.Begin(kNow + static_cast<int64_t>(random() % 2'000'000) - 1'000'000);
    if (random() % 10 != 0) builder.SetDimension(host, name);
    if (random() % 3 != 0) builder.SetDimension(region, random() % 20 == 0 ? std::string_view() : place);
    if (random() % 4 != 0)
      builder.SetFloat64(
          cpu, i % 100 == 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(random() % 10'000) / 100);
    if (random() % 5 != 0)
      builder.SetInt64(count, i % 50 == 0 ? INT64_MIN : static_cast<int64_t>(random() % 1'000'000) - 500'000);
    if (i % 7 == 0) builder.SetId(id);
    if (i % 11 == 0) builder.SetAttributes(attributes);
    builder.Commit();
  }
  return builder.Take();
}

void Run(const std::string& folder) {
  Write(folder, "empty", BatchBuilder("conformance").Encode());
  BatchBuilder bare("conformance");
  bare.Begin(0);
  bare.Commit();
  Write(folder, "bare", bare.Take());
  const std::string mixed = Mixed();
  Write(folder, "mixed", mixed);

  DecodedBatch decoded;
  Rejections rejections;
  RM_CHECK_OK(decoded.Parse(mixed, rejections));
  v1::Stream stream = InferStream(decoded.view());
  stream.set_partitions(4);
  for (v1::Field& field : *stream.mutable_fields()) field.set_allow_non_finite(field.type() == v1::FIELD_TYPE_FLOAT64);
  BatchChecker checker;
  const auto parts =
      checker.CheckAndSplit(decoded.view(), *Schema::Compile(stream), {absl::FromUnixMicros(kNow)}, true, rejections);
  RM_CHECK(parts.ok() && parts->size() == 4 && !rejections.any());
  for (const BatchPart& part : *parts) Write(folder, fmt::format("mixed-part-{}-of-4", part.partition), part.bytes);
}

}  // namespace
}  // namespace rivermeet::events

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: event_batch_writer FOLDER\n");
    return 2;
  }
  rivermeet::events::Run(argv[1]);
  return 0;
}
