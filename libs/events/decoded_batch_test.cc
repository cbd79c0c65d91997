#include "events/decoded_batch.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "base/strings.h"
#include "events/batch_builder.h"
#include "events/batch_encoder.h"
#include "rivermeet/events/v1/event_batch.pb.h"

namespace rivermeet::events {
namespace {

// Three events of two series with everything a batch can have.
v1::EventBatch Sample() {
  v1::EventBatch batch;
  batch.set_stream("host.metrics");
  batch.set_schema_version(3);
  batch.mutable_series()->set_count(2);
  v1::DimensionColumn* host = batch.mutable_series()->add_dimensions();
  host->set_name("host");
  host->add_values("ada");
  host->add_values("bob");
  host->add_value_index(1);
  host->add_value_index(2);
  v1::DimensionColumn* zone = batch.mutable_series()->add_dimensions();
  zone->set_name("zone");
  zone->add_values("z");
  zone->add_value_index(0);
  zone->add_value_index(1);
  for (const uint32_t s : {0, 1, 0}) batch.add_series_index(s);
  batch.set_base_time_us(1'700'000'000'000'000);
  for (const int64_t t : {0, -5, 1'000'000}) batch.add_time_offset_us(t);
  v1::MeasureColumn* cpu = batch.add_measures();
  cpu->set_name("cpu");
  for (const double v : {1.5, 2.5, -0.25}) cpu->add_float64_values(v);
  v1::MeasureColumn* bytes = batch.add_measures();
  bytes->set_name("bytes");
  for (const int64_t v : {int64_t{1}, INT64_MIN, INT64_MAX}) bytes->add_int64_values(v);
  bytes->set_nulls(std::string("\x02", 1));
  for (const char* id : {"a", "", "c"}) batch.add_ids(id);
  for (const char* json : {"{}", "", "{\"x\":1}"}) batch.add_attributes(json);
  return batch;
}

// The message and, where it is one event's, its reason.
std::string FaultOf(const v1::EventBatch& batch) {
  const std::string bytes = batch.SerializeAsString();
  DecodedBatch decoded;
  return std::string(MessageOf(decoded.Parse(bytes)));
}

TEST_CASE("a batch from generated code is read as it was filled", "[events]") {
  const std::string bytes = Sample().SerializeAsString();
  DecodedBatch decoded;
  REQUIRE(decoded.Parse(bytes).ok());
  const BatchView& view = decoded.view();
  CHECK(view.stream == "host.metrics");
  CHECK(view.schema_version == 3);
  REQUIRE(view.event_count() == 3);
  CHECK(view.times_us[1] == 1'699'999'999'999'995);
  REQUIRE(view.dimensions.size() == 2);
  CHECK(view.dimensions[0].ValueOf(view.series_index[2]) == "ada");
  CHECK(view.dimensions[1].ValueOf(0).data() == nullptr);
  CHECK(view.dimensions[1].ValueOf(1) == "z");
  REQUIRE(view.measures.size() == 2);
  CHECK(view.measures[0].float64[2] == -0.25);
  CHECK(view.measures[1].int64[2] == INT64_MAX);
  CHECK(view.measures[1].IsNull(1));
  CHECK_FALSE(view.measures[1].IsNull(2));
  CHECK(view.ids[2] == "c");
  CHECK(view.attributes[2] == "{\"x\":1}");
}

TEST_CASE("what the encoder writes, generated code reads the same", "[events]") {
  const std::string bytes = Sample().SerializeAsString();
  DecodedBatch decoded;
  REQUIRE(decoded.Parse(bytes).ok());
  v1::EventBatch again;
  REQUIRE(again.ParseFromString(EncodeBatch(decoded.view())));
  CHECK(again.SerializeAsString() == bytes);
}

TEST_CASE("arrays may come unpacked or in pieces, as the wire format allows", "[events]") {
  // series_index unpacked: tag 4<<3|0; then the rest packed again.
  v1::EventBatch batch = Sample();
  batch.clear_series_index();
  std::string bytes = batch.SerializeAsString();
  bytes += std::string("\x20\x00\x20\x01", 4) + std::string("\x22\x01\x00", 3);
  DecodedBatch decoded;
  REQUIRE(decoded.Parse(bytes).ok());
  CHECK(decoded.view().series_index[1] == 1);
}

TEST_CASE("what is wrong with a whole batch is said with the field", "[events]") {
  v1::EventBatch batch = Sample();
  SECTION("a bad stream name") {
    batch.set_stream("Host");
    CHECK_THAT(FaultOf(batch), Catch::Contains("stream"));
  }
  SECTION("a time missing") {
    batch.mutable_time_offset_us()->RemoveLast();
    CHECK_THAT(FaultOf(batch), Catch::Contains("series_index"));
  }
  SECTION("a measure too short") {
    batch.mutable_measures(0)->mutable_float64_values()->RemoveLast();
    CHECK_THAT(FaultOf(batch), Catch::Contains("\"cpu\""));
  }
  SECTION("a measure of both types") {
    for (int i = 0; i < 3; ++i) batch.mutable_measures(0)->add_int64_values(1);
    CHECK_THAT(FaultOf(batch), Catch::Contains("both"));
  }
  SECTION("a measure twice") {
    batch.mutable_measures(1)->set_name("cpu");
    CHECK_THAT(FaultOf(batch), Catch::Contains("cpu: occurs twice"));
  }
  SECTION("a measure named as a dimension") {
    batch.mutable_measures(1)->set_name("host");
    CHECK_THAT(FaultOf(batch), Catch::Contains("host: occurs twice"));
  }
  SECTION("a name that is taken") {
    batch.mutable_measures(1)->set_name("time");
    CHECK_THAT(FaultOf(batch), Catch::Contains("\"time\""));
  }
  SECTION("no series") {
    batch.clear_series();
    CHECK_THAT(FaultOf(batch), Catch::Contains("series.count"));
  }
  SECTION("a dimension shorter than the table") {
    batch.mutable_series()->mutable_dimensions(0)->mutable_value_index()->RemoveLast();
    CHECK_THAT(FaultOf(batch), Catch::Contains("\"host\""));
  }
  SECTION("nulls of the wrong length") {
    batch.mutable_measures(1)->set_nulls("xy");
    CHECK_THAT(FaultOf(batch), Catch::Contains("nulls"));
  }
  SECTION("an id too few") {
    batch.mutable_ids()->RemoveLast();
    CHECK_THAT(FaultOf(batch), Catch::Contains("ids"));
  }
  SECTION("one event over the limit") {
    for (size_t i = 3; i <= kMaxBatchEvents; ++i) batch.add_time_offset_us(0);
    CHECK_THAT(FaultOf(batch), Catch::Contains("time_offset_us"));
  }
  SECTION("one byte over the limit") {
    const size_t room = kMaxBatchBytes - batch.ByteSizeLong();
    batch.set_attributes(0, std::string(room + 1, ' '));
    CHECK_THAT(FaultOf(batch), Catch::Contains("size"));
  }
}

TEST_CASE("what is wrong with single events costs only them", "[events]") {
  v1::EventBatch batch = Sample();
  Rejections rejections;
  DecodedBatch decoded;
  const auto parse = [&] {
    const std::string bytes = batch.SerializeAsString();
    REQUIRE(decoded.Parse(bytes, rejections).ok());
    REQUIRE(rejections.count() == 1);
    return rejections.errors().Sorted().at(0);
  };
  SECTION("a series that isn't in the table") {
    batch.set_series_index(1, 2);
    const EventError error = parse();
    CHECK(error.index == 1);
    CHECK(error.reason == Reason::kBadIndex);
  }
  SECTION("a value that isn't in the dictionary") {
    batch.mutable_series()->mutable_dimensions(0)->set_value_index(1, 3);
    const EventError error = parse();
    CHECK(error.index == 1);
    CHECK(error.field == "host");
  }
  SECTION("a value that is too long") {
    batch.mutable_series()->mutable_dimensions(0)->set_values(1, std::string(1'025, 'x'));
    CHECK(parse().reason == Reason::kTooLong);
  }
  SECTION("an id that is too long") {
    batch.set_ids(2, std::string(129, 'x'));
    CHECK(parse().index == 2);
  }
  CHECK(decoded.view().series_index[1] < decoded.view().series_count);
}

TEST_CASE("a table with what no event uses but generated code refuses is not stored as it came", "[events]") {
  v1::EventBatch batch = Sample();
  REQUIRE(batch.series().dimensions(0).values(1) == "bob");
  SECTION("a text that is not UTF-8") {
    batch.mutable_series()->mutable_dimensions(0)->add_values("carl");
    std::string bytes = batch.SerializeAsString();
    bytes.replace(bytes.find("carl"), 4, "\xff\xff\xff\xff");
    DecodedBatch decoded;
    REQUIRE(decoded.Parse(bytes).ok());
    CHECK_FALSE(batch.ParseFromString(bytes));
    CHECK_FALSE(decoded.view().storable);
  }
  SECTION("an index outside the dictionary, of a series without events") {
    batch.mutable_series()->set_count(batch.series().count() + 1);
    for (auto& dimension : *batch.mutable_series()->mutable_dimensions()) dimension.add_value_index(77);
    const std::string bytes = batch.SerializeAsString();
    DecodedBatch decoded;
    REQUIRE(decoded.Parse(bytes).ok());
    CHECK_FALSE(decoded.view().storable);
  }
  SECTION("nor is a name given twice taken at all") {
    const std::string twice = batch.SerializeAsString() + std::string("\x0a\x01s", 3);
    DecodedBatch decoded;
    CHECK_FALSE(decoded.Parse(twice).ok());
  }
}

TEST_CASE("overlong and broken UTF-8 in values, ids and attributes is found", "[events]") {
  const std::string good = Sample().SerializeAsString();
  for (const std::string bad : {"\xc0\xaf!", "\xed\xa0\x80",
                                "a\xff"
                                "b"}) {
    std::string bytes = good;
    bytes.replace(bytes.find("bob"), 3, bad);
    Rejections rejections;
    DecodedBatch decoded;
    REQUIRE(decoded.Parse(bytes, rejections).ok());
    REQUIRE(rejections.count() == 1);
    CHECK(rejections.errors().Sorted()[0].reason == Reason::kInvalidUtf8);
    CHECK_FALSE(decoded.Parse(bytes).ok());
  }
}

TEST_CASE("a batch cut at any byte is an error or a smaller batch, never a crash", "[events]") {
  const std::string good = Sample().SerializeAsString();
  for (size_t length = 0; length < good.size(); ++length) {
    // A copy of its own, so that the sanitizer sees every byte read beyond it.
    const std::string cut(good, 0, length);
    DecodedBatch decoded;
    const absl::Status status = decoded.Parse(cut);
    v1::EventBatch message;
    if (!message.ParseFromString(cut)) CHECK_FALSE(status.ok());
  }
}

TEST_CASE("no damaged batch breaks the reader, and what it takes generated code takes too", "[events]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string good = Sample().SerializeAsString();
  DecodedBatch decoded;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (unsigned n = 1 + random() % 4; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (!decoded.Parse(bytes).ok()) continue;
    v1::EventBatch message;
    if (decoded.view().storable) REQUIRE(message.ParsePartialFromString(bytes));
    for (const uint32_t s : decoded.view().series_index) REQUIRE(s < decoded.view().series_count);
  }
}

TEST_CASE("times that overflow stay outside every limit", "[events]") {
  v1::EventBatch batch = Sample();
  batch.set_base_time_us(INT64_MAX);
  const std::string bytes = batch.SerializeAsString();
  DecodedBatch decoded;
  REQUIRE(decoded.Parse(bytes).ok());
  CHECK(decoded.view().times_us[2] == INT64_MAX);
}

TEST_CASE("rows built in any order of fields come back from the batch", "[events]") {
  BatchBuilder builder("s");
  const int host = builder.DimensionColumn("host");
  const int cpu = builder.Float64Column("cpu"), count = builder.Int64Column("count");
  for (int i = 0; i < 1'000; ++i) {
    builder.Begin(1'000'000 + i);
    if (i % 3 != 0) builder.SetFloat64(cpu, i * 0.5);
    const std::string name = fmt::format("h{}", i % 50), id = fmt::format("id{}", i);
    if (i % 7 != 0) builder.SetDimension(host, name);
    if (i > 500) builder.SetInt64(count, -i);
    if (i % 10 == 0) builder.SetId(id);
    builder.Commit();
  }
  const std::string bytes = builder.Take();
  CHECK(builder.event_count() == 0);
  DecodedBatch decoded;
  REQUIRE(decoded.Parse(bytes).ok());
  const BatchView& view = decoded.view();
  REQUIRE(view.event_count() == 1'000);
  CHECK(view.series_count == 51);
  for (size_t i = 0; i < 1'000; ++i) {
    CHECK(view.times_us[i] == static_cast<int64_t>(1'000'000 + i));
    const std::string name = i % 7 == 0 ? "" : fmt::format("h{}", i % 50);
    CHECK(view.dimensions[0].ValueOf(view.series_index[i]) == name);
    CHECK(view.measures[0].IsNull(i) == (i % 3 == 0));
    if (i % 3 != 0) CHECK(view.measures[0].float64[i] == static_cast<double>(i) * 0.5);
    CHECK(view.measures[1].IsNull(i) == (i <= 500));
    CHECK(view.ids[i] == (i % 10 == 0 ? fmt::format("id{}", i) : ""));
  }
}

}  // namespace
}  // namespace rivermeet::events
