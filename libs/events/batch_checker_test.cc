#include "events/batch_checker.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "events/batch_builder.h"
#include "events/decoded_batch.h"
#include "events/series_hash.h"

namespace rivermeet::events {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

v1::Stream HostMetrics(uint32_t partitions) {
  v1::Stream stream;
  stream.set_name("s");
  stream.set_version(1);
  stream.set_partitions(partitions);
  const auto add = [&](const char* name, v1::FieldType type) {
    stream.add_fields()->set_name(name);
    stream.mutable_fields(stream.fields_size() - 1)->set_type(type);
  };
  add("host", v1::FIELD_TYPE_DIMENSION);
  add("cpu", v1::FIELD_TYPE_FLOAT64);
  add("count", v1::FIELD_TYPE_INT64);
  add("temperature", v1::FIELD_TYPE_FLOAT64);
  stream.mutable_fields(3)->set_allow_non_finite(true);
  return stream;
}

struct Checked {
  std::vector<BatchPart> parts;
  Rejections rejections;

  EventError only() const {
    REQUIRE(rejections.count() == 1);
    return rejections.errors().Sorted().at(0);
  }
};

Checked Check(BatchBuilder& builder, uint32_t partitions = 1) {
  Checked checked;
  const BatchView& batch = builder.View();
  checked.rejections.Reset(batch.event_count());
  BatchChecker checker;
  auto parts = checker.CheckAndSplit(batch, *Schema::Compile(HostMetrics(partitions)), {absl::FromUnixMicros(kNow)},
                                     true, checked.rejections);
  REQUIRE(parts.ok());
  checked.parts = *std::move(parts);
  return checked;
}

// Two good events around one that `fill` makes.
template <typename Fill>
Checked CheckOne(Fill fill, int64_t time_us = kNow) {
  BatchBuilder builder("s");
  const int host = builder.DimensionColumn("host");
  for (int i = 0; i < 3; ++i) {
    builder.Begin(i == 1 ? time_us : kNow);
    builder.SetDimension(host, "a");
    if (i == 1) fill(builder);
    builder.Commit();
  }
  Checked checked = Check(builder);
  if (checked.rejections.any()) {
    REQUIRE(checked.parts.size() == 1);
    CHECK(checked.parts[0].event_count == 2);
    DecodedBatch kept;
    CHECK(kept.Parse(checked.parts[0].bytes).ok());
    CHECK(kept.view().event_count() == 2);
    CHECK(checked.only().index == 1);
  }
  return checked;
}

TEST_CASE("a sound batch of one partition is passed on untouched", "[events]") {
  const Checked checked = CheckOne([](BatchBuilder& b) { b.SetFloat64(b.Float64Column("cpu"), 1); });
  REQUIRE(checked.parts.size() == 1);
  CHECK(checked.parts[0].untouched);
  CHECK(checked.parts[0].bytes.empty());
  CHECK(checked.parts[0].event_count == 3);
}

TEST_CASE("a batch that may not be stored as it came is encoded anew", "[events]") {
  BatchBuilder builder("s");
  builder.Begin(kNow);
  builder.SetDimension(builder.DimensionColumn("host"), "a");
  builder.Commit();
  BatchView batch = builder.View();
  batch.storable = false;
  Rejections rejections;
  rejections.Reset(1);
  BatchChecker checker;
  const auto parts =
      checker.CheckAndSplit(batch, *Schema::Compile(HostMetrics(1)), {absl::FromUnixMicros(kNow)}, true, rejections);
  REQUIRE(parts.ok());
  CHECK_FALSE(parts->at(0).untouched);
  DecodedBatch again;
  CHECK(again.Parse(parts->at(0).bytes).ok());
}

TEST_CASE("an event that breaks the schema is rejected by name, the others stay", "[events]") {
  const auto float64 = [](const char* name, double value) {
    return CheckOne([=](BatchBuilder& b) { b.SetFloat64(b.Float64Column(name), value); });
  };
  CHECK(float64("cpus", 1).only().reason == Reason::kUnknownField);
  CHECK(float64("cpus", 1).only().field == "cpus");
  CHECK(float64("cpu", kNan).only().reason == Reason::kNonFinite);
  CHECK(float64("cpu", -INFINITY).only().reason == Reason::kNonFinite);
  CHECK(float64("count", 1.5).only().reason == Reason::kWrongType);
  CHECK(float64("count", kNan).only().reason == Reason::kWrongType);
  CHECK(float64("count", 1e300).only().reason == Reason::kWrongType);
  CHECK(float64("host2", 1).only().reason == Reason::kUnknownField);
  CHECK_FALSE(float64("temperature", kNan).rejections.any());
  CHECK(CheckOne([](BatchBuilder& b) { b.SetDimension(b.DimensionColumn("rack"), "r"); }).only().reason ==
        Reason::kUnknownField);
  CHECK(CheckOne([](BatchBuilder& b) { b.SetDimension(b.DimensionColumn("cpu"), "r"); }).only().reason ==
        Reason::kWrongType);
  CHECK(CheckOne([](BatchBuilder& b) { b.SetInt64(b.Int64Column("cpu"), (int64_t{1} << 53) + 1); }).only().reason ==
        Reason::kOutOfRange);
  CHECK(CheckOne([](BatchBuilder& b) { b.SetInt64(b.Int64Column("cpu"), INT64_MAX); }).only().reason ==
        Reason::kOutOfRange);
}

TEST_CASE("whole float64s are taken for int64 and exact int64s for float64", "[events]") {
  const Checked to_int = CheckOne([](BatchBuilder& b) { b.SetFloat64(b.Float64Column("count"), -12); });
  REQUIRE_FALSE(to_int.rejections.any());
  CHECK_FALSE(to_int.parts.at(0).untouched);
  DecodedBatch decoded;
  REQUIRE(decoded.Parse(to_int.parts[0].bytes).ok());
  CHECK(decoded.view().measures[0].type == MeasureType::kInt64);
  CHECK(decoded.view().measures[0].int64[1] == -12);
  CHECK(decoded.view().measures[0].IsNull(0));
  const Checked to_float = CheckOne([](BatchBuilder& b) { b.SetInt64(b.Int64Column("cpu"), 7); });
  REQUIRE_FALSE(to_float.rejections.any());
  REQUIRE(decoded.Parse(to_float.parts[0].bytes).ok());
  CHECK(decoded.view().measures[0].float64[1] == 7);
}

TEST_CASE("times outside their limits are rejected, the limits themselves are taken", "[events]") {
  const auto at = [](int64_t time_us) { return CheckOne([](BatchBuilder&) {}, time_us); };
  CHECK(at(-1).only().reason == Reason::kTimeTooOld);
  CHECK(at(INT64_MIN).only().reason == Reason::kTimeTooOld);
  CHECK_FALSE(at(0).rejections.any());
  CHECK_FALSE(at(kNow + 300'000'000).rejections.any());
  CHECK(at(kNow + 300'000'001).only().reason == Reason::kTimeInFuture);
  CHECK(at(INT64_MAX).only().reason == Reason::kTimeInFuture);
}

TEST_CASE("attributes must be JSON objects, at most 32 deep", "[events]") {
  const auto attributes = [](std::string json) { return CheckOne([&](BatchBuilder& b) { b.SetAttributes(json); }); };
  const auto nested = [](int depth) { return std::string(depth - 1, '[') + std::string(depth - 1, ']'); };
  CHECK_FALSE(attributes("{\"a\":" + nested(32) + "}").rejections.any());
  CHECK(attributes("{\"a\":" + nested(33) + "}").only().reason == Reason::kTooDeep);
  CHECK(attributes("[1]").only().reason == Reason::kMalformed);
  CHECK(attributes("{\"a\":}").only().reason == Reason::kMalformed);
}

TEST_CASE("a batch of several partitions is split by the series hash, the same way each time", "[events]") {
  BatchBuilder builder("s");
  const int host = builder.DimensionColumn("host"), cpu = builder.Float64Column("cpu");
  for (int i = 0; i < 3'000; ++i) {
    builder.Begin(kNow + i);
    const std::string name = fmt::format("h{}", i % 100);
    builder.SetDimension(host, name);
    if (i % 5 != 0) builder.SetFloat64(cpu, i);
    builder.Commit();
  }
  const Checked checked = Check(builder, 4);
  REQUIRE(checked.parts.size() == 4);
  size_t events = 0;
  double sum = 0;
  for (const BatchPart& part : checked.parts) {
    DecodedBatch decoded;
    REQUIRE(decoded.Parse(part.bytes).ok());
    const BatchView& view = decoded.view();
    for (const uint64_t hash : HashSeries(view)) CHECK(hash % 4 == part.partition);
    CHECK(std::is_sorted(view.times_us.begin(), view.times_us.end()));
    CHECK(view.dimensions[0].values.size() == view.series_count);
    events += view.event_count();
    for (size_t i = 0; i < view.event_count(); ++i) sum += view.measures[0].IsNull(i) ? 0 : view.measures[0].float64[i];
  }
  CHECK(events == 3'000);
  CHECK(sum == 2999.0 * 1500 - 5 * (599.0 * 300));
  const Checked again = Check(builder, 4);
  for (size_t p = 0; p < 4; ++p) CHECK(again.parts[p].bytes == checked.parts[p].bytes);
}

TEST_CASE("nothing is left of a batch that is rejected whole", "[events]") {
  BatchBuilder builder("s");
  builder.Begin(-1);
  builder.Commit();
  const Checked checked = Check(builder);
  CHECK(checked.parts.empty());
  CHECK(checked.rejections.count() == 1);
}

TEST_CASE("a first batch declares the stream by what it holds", "[events]") {
  BatchBuilder builder("s");
  builder.DimensionColumn("unused");
  builder.Begin(kNow);
  builder.SetDimension(builder.DimensionColumn("host"), "a");
  builder.SetFloat64(builder.Float64Column("cpu"), 1);
  builder.SetInt64(builder.Int64Column("count"), 1);
  builder.Commit();
  const v1::Stream stream = InferStream(builder.View());
  CHECK(stream.name() == "s");
  REQUIRE(stream.fields_size() == 3);
  CHECK(stream.fields(0).type() == v1::FIELD_TYPE_DIMENSION);
  CHECK(stream.fields(1).type() == v1::FIELD_TYPE_FLOAT64);
  CHECK(stream.fields(2).type() == v1::FIELD_TYPE_INT64);
  CHECK(CheckDeclaration(stream, 512, 8).ok());
}

TEST_CASE("a declaration adds fields and never retypes or removes one", "[events]") {
  v1::Stream current = HostMetrics(2);
  v1::Stream declared;
  declared.set_name("s");
  declared.add_fields()->set_name("cpu");
  declared.mutable_fields(0)->set_type(v1::FIELD_TYPE_FLOAT64);
  declared.mutable_fields(0)->set_unit("percent");
  declared.add_fields()->set_name("rack");
  declared.mutable_fields(1)->set_type(v1::FIELD_TYPE_DIMENSION);
  const auto changed = ChangeStream(current, declared);
  REQUIRE(changed.ok());
  CHECK(changed->fields_size() == 5);
  CHECK(changed->fields(1).unit() == "percent");
  CHECK(changed->fields(4).name() == "rack");
  declared.mutable_fields(0)->set_type(v1::FIELD_TYPE_INT64);
  CHECK(ChangeStream(current, declared).status().code() == absl::StatusCode::kInvalidArgument);
  declared.mutable_fields(0)->set_type(v1::FIELD_TYPE_FLOAT64);
  declared.set_version(9);
  CHECK(ChangeStream(current, declared).status().code() == absl::StatusCode::kAborted);
  declared.set_version(1);
  declared.set_partitions(3);
  CHECK(ChangeStream(current, declared).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a declaration that makes no sense names what is wrong", "[events]") {
  const auto fault = [](auto change) {
    v1::Stream declared = HostMetrics(1);
    change(declared);
    return std::string(MessageOf(CheckDeclaration(declared, 5, 4)));
  };
  CHECK(fault([](v1::Stream&) {}).empty());
  CHECK_THAT(fault([](v1::Stream& s) { s.set_name("S"); }), Catch::Contains("name"));
  CHECK_THAT(fault([](v1::Stream& s) { s.mutable_fields(0)->set_name("id"); }), Catch::Contains("\"id\""));
  CHECK_THAT(fault([](v1::Stream& s) { s.mutable_fields(0)->set_name("cpu"); }), Catch::Contains("twice"));
  CHECK_THAT(fault([](v1::Stream& s) { s.mutable_fields(0)->clear_type(); }), Catch::Contains("type"));
  CHECK_THAT(fault([](v1::Stream& s) { s.mutable_fields(0)->set_kind(v1::MEASURE_KIND_COUNTER); }),
             Catch::Contains("kind"));
  CHECK_THAT(fault([](v1::Stream& s) { s.set_partitions(5); }), Catch::Contains("partitions"));
  CHECK_THAT(fault([](v1::Stream& s) { s.mutable_allowed_lateness()->set_seconds(3'601); }),
             Catch::Contains("lateness"));
  CHECK_THAT(fault([](v1::Stream& s) { s.mutable_retention()->set_seconds(-1); }), Catch::Contains("retention"));
  CHECK_THAT(fault([](v1::Stream& s) { *s.add_fields() = s.fields(0), *s.add_fields() = s.fields(0); }),
             Catch::Contains("limit"));
}

}  // namespace
}  // namespace rivermeet::events
