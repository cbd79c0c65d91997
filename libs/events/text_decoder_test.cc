#include "events/text_decoder.h"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>

#include "events/batch_encoder.h"
#include "events/time_text.h"

namespace rivermeet::events {
namespace {

// A decoded event as "name=value" by field, for comparing.
using Row = std::map<std::string, std::string>;

struct Decoded {
  absl::Status status;
  uint64_t events = 0;
  std::vector<Row> rows;
  std::vector<uint64_t> indexes;
  std::vector<size_t> chunks;
  ErrorList errors;

  EventError only() const {
    REQUIRE(errors.total() == 1);
    return errors.Sorted().at(0);
  }
};

void Collect(const BatchView& batch, Decoded& to) {
  for (size_t i = 0; i < batch.event_count(); ++i) {
    Row row{{"time", std::to_string(batch.times_us[i])}};
    for (const DimensionView& d : batch.dimensions) {
      if (d.value_index[batch.series_index[i]] != 0) row[std::string(d.name)] = d.ValueOf(batch.series_index[i]);
    }
    for (const MeasureView& m : batch.measures) {
      if (m.IsNull(i)) continue;
      row[std::string(m.name)] =
          m.type == MeasureType::kInt64 ? fmt::format("int {}", m.int64[i]) : fmt::format("{}", m.float64[i]);
    }
    if (!batch.ids.empty() && !batch.ids[i].empty()) row["id"] = batch.ids[i];
    if (!batch.attributes.empty() && !batch.attributes[i].empty()) row["attributes"] = batch.attributes[i];
    to.rows.push_back(row);
  }
}

Decoded Decode(TextFormat format, std::string_view body, const Schema* schema = nullptr, int64_t arrival_us = 0) {
  Decoded decoded;
  DecodeOptions options{.stream = "s", .schema = schema, .arrival_us = arrival_us};
  const auto events = DecodeText(format, body, options, decoded.errors, [&](const DecodedChunk& chunk) {
    Collect(*chunk.batch, decoded);
    decoded.chunks.push_back(chunk.number);
    decoded.indexes.insert(decoded.indexes.end(), chunk.source_index->begin(), chunk.source_index->end());
    CHECK(EncodeBatch(*chunk.batch).size() <= kMaxBatchBytes);
    return absl::OkStatus();
  });
  decoded.status = events.status();
  if (events.ok()) decoded.events = *events;
  if (events.ok()) CHECK(decoded.events == decoded.rows.size() + decoded.errors.total());
  return decoded;
}

Decoded Json(std::string_view body, const Schema* schema = nullptr) { return Decode(TextFormat::kJson, body, schema); }
Decoded Csv(std::string_view body, const Schema* schema = nullptr) { return Decode(TextFormat::kCsv, body, schema); }
Decoded Ndjson(std::string_view body) { return Decode(TextFormat::kNdjson, body); }

std::shared_ptr<const Schema> SomeSchema() {
  v1::Stream stream;
  stream.set_name("s");
  stream.set_version(2);
  const auto add = [&](const char* name, v1::FieldType type) {
    stream.add_fields()->set_name(name);
    stream.mutable_fields(stream.fields_size() - 1)->set_type(type);
  };
  add("host", v1::FIELD_TYPE_DIMENSION);
  add("cpu", v1::FIELD_TYPE_FLOAT64);
  add("count", v1::FIELD_TYPE_INT64);
  add("note", v1::FIELD_TYPE_ATTRIBUTE);
  add("heat", v1::FIELD_TYPE_FLOAT64);
  stream.mutable_fields(4)->set_allow_non_finite(true);
  return Schema::Compile(stream);
}

TEST_CASE("a flat event's strings are dimensions, numbers measures, objects attributes", "[events]") {
  const Decoded decoded = Json(R"({"time": 1700000000, "host": "a\u00fc", "up": true, "cpu": 12.5, "n": 3, "x": null,
                                   "geo": {"lat": 1}, "tags": [1, "b"], "id": "e1"})");
  REQUIRE(decoded.rows.size() == 1);
  CHECK(decoded.rows[0] == Row{{"time", "1700000000000000"},
                               {"host", "a\xc3\xbc"},
                               {"up", "true"},
                               {"cpu", "12.5"},
                               {"n", "3"},
                               {"id", "e1"},
                               {"attributes", R"({"geo":{"lat": 1},"tags":[1, "b"]})"}});
}

TEST_CASE("the long form says the same", "[events]") {
  const Decoded decoded =
      Json(R"([{"time": "2023-11-14T22:13:20Z", "dimensions": {"host": "a", "port": 80, "up": false},
      "measures": {"cpu": 12.5, "gone": null}, "attributes": {"k": {"x": [1]}, "e\n": 2}, "id": 7}])");
  REQUIRE(decoded.rows.size() == 1);
  CHECK(decoded.rows[0] == Row{{"time", "1700000000000000"},
                               {"host", "a"},
                               {"port", "80"},
                               {"up", "false"},
                               {"cpu", "12.5"},
                               {"id", "7"},
                               {"attributes", R"({"k":{"x": [1]},"e\n":2})"}});
}

TEST_CASE("a schema decides what a value is", "[events]") {
  const auto schema = SomeSchema();
  const auto one = [&](std::string_view fields) {
    return Json(fmt::format("{{\"time\":1,{}}}", fields), schema.get());
  };
  CHECK(one("\"host\":8080").rows.at(0)["host"] == "8080");
  CHECK(one("\"count\":12.0").rows.at(0)["count"] == "int 12");
  CHECK(one("\"count\":9007199254740993").rows.at(0)["count"] == "int 9007199254740993");
  CHECK(one("\"cpu\":true").rows.at(0)["cpu"] == "1");
  CHECK(one("\"note\":\"a\\\"b\"").rows.at(0)["attributes"] == "{\"note\":\"a\\\"b\"}");
  CHECK(one("\"heat\":\"NaN\"").rows.at(0)["heat"] == "nan");
  CHECK(one("\"cpu\":\"NaN\"").only().reason == Reason::kNonFinite);
  CHECK(one("\"cpu\":\"12\"").only().reason == Reason::kWrongType);
  CHECK(one("\"count\":12.5").only().reason == Reason::kWrongType);
  CHECK(one("\"count\":9223372036854775808").only().reason == Reason::kOutOfRange);
  CHECK(one("\"cpu\":9007199254740993").only().reason == Reason::kOutOfRange);
  CHECK(one("\"cpu\":1e400").only().reason == Reason::kOutOfRange);
  CHECK(one("\"cpu\":{}").only().reason == Reason::kWrongType);
  CHECK(one("\"rack\":\"r\"").only().reason == Reason::kUnknownField);
  CHECK(one("\"rack\":\"r\"").only().field == "rack");
  CHECK(one("\"dimensions\":{\"cpu\":1}").only().reason == Reason::kWrongType);
  CHECK(one("\"measures\":{\"host\":1}").only().reason == Reason::kWrongType);
  CHECK(one("\"measures\":3").only().reason == Reason::kWrongType);
}

TEST_CASE("a new field of numbers is float64, or int64 when float64 would lose digits", "[events]") {
  const Decoded kept = Json(R"([{"time":1,"n":1},{"time":2,"n":9007199254740993},{"time":3,"n":2}])");
  CHECK(kept.rows.at(0).at("n") == "int 1");
  CHECK(kept.rows.at(1).at("n") == "int 9007199254740993");
  CHECK(kept.rows.at(2).at("n") == "int 2");
  CHECK(Json(R"([{"time":1,"n":1.5},{"time":2,"n":9007199254740993}])").only().reason == Reason::kOutOfRange);
  CHECK(Json(R"([{"time":1,"n":1},{"time":2,"n":2.5}])").rows.at(1).at("n") == "2.5");
}

TEST_CASE("a bad event costs no other and is named by index and byte", "[events]") {
  const std::string body = R"([{"time":1,"a":"x"},{"time":2,"a":"y","a":"z"},{"time":3,"a":"x"}])";
  const Decoded decoded = Json(body);
  CHECK(decoded.indexes == std::vector<uint64_t>{0, 2});
  CHECK(decoded.only().index == 1);
  CHECK(decoded.only().reason == Reason::kDuplicateField);
  CHECK(decoded.only().field == "a");
  CHECK(decoded.only().byte_offset == static_cast<int64_t>(body.find("\"z\"")));
  // What an event lacks is missing where the event is.
  const std::string timeless = R"([{"time":1,"a":"x"}, {"a":"y"}])";
  CHECK(Json(timeless).only().byte_offset == static_cast<int64_t>(timeless.find("{\"a\"")));
  CHECK(Decode(TextFormat::kCsv, "time,a\n1,x\n,y\n").only().byte_offset == 11);
}

TEST_CASE("the same field twice is found wherever it is", "[events]") {
  for (const std::string_view event :
       {R"({"time":1,"time":2})", R"({"time":1,"a":1,"dimensions":{"a":"x"}})", R"({"time":1,"a":null,"a":1})",
        R"({"time":1,"attributes":{"k":1,"k":2}})", R"({"time":1,"k":{},"attributes":{"k":2}})",
        R"({"time":1,"measures":{},"measures":{}})", R"({"time":1,"\u0061":1,"a":1})"}) {
    INFO(event);
    CHECK(Json(event).only().reason == Reason::kDuplicateField);
  }
}

TEST_CASE("every other bad event has its reason", "[events]") {
  const auto reason = [](std::string_view event) { return Json(event).only().reason; };
  CHECK(reason(R"({"a":1})") == Reason::kBadTime);
  CHECK(reason(R"({"time":null})") == Reason::kBadTime);
  CHECK(reason(R"({"time":"yesterday"})") == Reason::kBadTime);
  CHECK(reason(R"({"time":true})") == Reason::kBadTime);
  CHECK(reason(R"({"time":1e30})") == Reason::kBadTime);
  CHECK(reason(R"({"time":1,"a b":1})") == Reason::kBadName);
  CHECK(reason(R"({"time":1,"dimensions":{"time":"x"}})") == Reason::kBadName);
  CHECK(reason(R"({"time":1,"a":")" + std::string(1'025, 'x') + "\"}") == Reason::kTooLong);
  CHECK(reason(R"({"time":1,"id":")" + std::string(129, 'x') + "\"}") == Reason::kTooLong);
  CHECK(reason(R"({"time":1,"a":[")" + std::string(17'000, 'x') + "\"]}") == Reason::kTooLong);
  CHECK(reason("[7]") == Reason::kWrongType);
  CHECK(reason("{\"time\":1,\"a\":\"\xff\"}") == Reason::kInvalidUtf8);
  CHECK(reason("{\"time\":1,\"\xff\":1}") == Reason::kBadName);
  CHECK(reason(R"({"time":1,"a":"\ud800"})") == Reason::kMalformed);
  CHECK(reason(R"({"time":1,"a":)" + std::string(40, '[') + std::string(40, ']') + "}") == Reason::kTooDeep);
  CHECK(reason(std::string(100'000, '[')) == Reason::kMalformed);
}

TEST_CASE("a JSON event that names no time happened when it arrived", "[events]") {
  const auto at_seven = [](std::string_view body) { return Decode(TextFormat::kJson, body, nullptr, 7'000'000); };

  CHECK(at_seven(R"([{"room":"kitchen","celsius":21.5},{"time":1,"celsius":20}])").rows ==
        std::vector<Row>{{{"time", "7000000"}, {"room", "kitchen"}, {"celsius", "21.5"}},
                         {{"time", "1000000"}, {"celsius", "20"}}});
  CHECK(Decode(TextFormat::kNdjson, "{\"n\":1}\n", nullptr, 7'000'000).rows.at(0).at("time") == "7000000");
  SECTION("but not one that has its time under another name, an empty one, or nothing at all") {
    for (const char* body : {R"({"timestamp":1700000000,"n":1})", R"({"TS":"2023-11-14T22:13:20Z","n":1})",
                             R"({"time":null,"n":1})", "{}"}) {
      INFO(body);
      CHECK(at_seven(body).only().reason == Reason::kBadTime);
    }
    CHECK(at_seven(R"({"time":1,"timestamp":2})").rows.size() == 1);
  }
  SECTION("nor a line of CSV, whose column may have been forgotten or misspelt") {
    CHECK(Decode(TextFormat::kCsv, "Time,n\n1,2\n", nullptr, 7'000'000).status.code() ==
          absl::StatusCode::kInvalidArgument);
    CHECK(Decode(TextFormat::kCsv, "time,n\n,2\n", nullptr, 7'000'000).only().reason == Reason::kBadTime);
  }
}

TEST_CASE("text that isn't UTF-8 costs its event alone", "[events]") {
  const Decoded decoded =
      Json("[{\"time\":1,\"a\":\"x\"},{\"time\":1,\"a\":\"\xc0\xaf\"},{\"time\":1,\"a\":\"\xc3\xbc\"}]");
  CHECK(decoded.indexes == std::vector<uint64_t>{0, 2});
}

TEST_CASE("an array that breaks off keeps the events before the break", "[events]") {
  const std::string body = R"([{"time":1,"a":"x"},{"time":2,"a":"y"},{"time":3,"a":"z"}])";
  for (size_t length = 1; length < body.size(); ++length) {
    const std::string cut = body.substr(0, length);
    const Decoded decoded = Json(cut);
    REQUIRE(decoded.status.ok());
    CHECK(decoded.errors.total() == 1);
    CHECK(decoded.only().reason == Reason::kMalformed);
    CHECK(decoded.only().byte_offset <= static_cast<int64_t>(length));
    CHECK(decoded.rows.size() == static_cast<size_t>(std::count(cut.begin(), cut.end(), '}')));
  }
}

TEST_CASE("NDJSON goes on at the next line", "[events]") {
  const Decoded decoded =
      Ndjson("{\"time\":1,\"a\":\"x\"}\r\n\n{\"time\":2,\n{\"time\":3,\"a\":\"y\"} {}\n[]\n  {\"time\":4,\"a\":\"z\"}");
  CHECK(decoded.indexes == std::vector<uint64_t>{0, 4});
  CHECK(decoded.errors.count(Reason::kMalformed) == 2);
  CHECK(decoded.errors.count(Reason::kWrongType) == 1);
  CHECK(decoded.events == 5);
}

TEST_CASE("CSV with quotes, CRLF, empty cells and ragged lines", "[events]") {
  const Decoded decoded =
      Csv("time,host,note,cpu\r\n1700000000,a,\"say \"\"hi\"\", then\r\nleave\",1.5\r\n1700000001,,x,\r\n1,a,b\r\n"
          "1700000002,b,c\"d,2\r\n1700000003,b,\"c\"d,2\r\n2023-11-14T22:13:20Z,b,c,3");
  CHECK(decoded.indexes == std::vector<uint64_t>{0, 1, 5});
  CHECK(decoded.rows.at(0) ==
        Row{{"time", "1700000000000000"}, {"host", "a"}, {"note", "say \"hi\", then\r\nleave"}, {"cpu", "1.5"}});
  CHECK(decoded.rows.at(1) == Row{{"time", "1700000001000000"}, {"note", "x"}});
  CHECK(decoded.rows.at(2).at("time") == "1700000000000000");
  CHECK(decoded.errors.count(Reason::kMalformed) == 3);
  CHECK(decoded.errors.Sorted()[0].index == 2);
}

TEST_CASE("a CSV column is a measure when all its cells are numbers", "[events]") {
  const Decoded decoded = Csv("time,code,value\n1,7,1\n2,7b,\n3,8,2\n");
  CHECK(decoded.rows.at(0) == Row{{"time", "1000000"}, {"code", "7"}, {"value", "1"}});
  CHECK(decoded.rows.at(2) == Row{{"time", "3000000"}, {"code", "8"}, {"value", "2"}});
  const auto schema = SomeSchema();
  CHECK(Csv("time,host,count\n1,80,x\n", schema.get()).only().reason == Reason::kWrongType);
  CHECK(Csv("time,host,count\n1,80,5\n", schema.get()).rows.at(0).at("host") == "80");
  CHECK(Csv("time,attributes\n1,\"{\"\"k\"\":[1]}\"\n2,[]\n").rows.at(0).at("attributes") == "{\"k\":[1]}");
}

TEST_CASE("a body that can't begin is refused whole", "[events]") {
  const auto refused = [](TextFormat format, std::string_view body) {
    return Decode(format, body).status.code() == absl::StatusCode::kInvalidArgument;
  };
  CHECK(refused(TextFormat::kJson, ""));
  CHECK(refused(TextFormat::kNdjson, " \n\n"));
  CHECK(refused(TextFormat::kCsv, "\xef\xbb\xbf"));
  CHECK(refused(TextFormat::kCsv, "host,cpu\na,1\n"));
  CHECK(refused(TextFormat::kCsv, "time,a,a\n1,1,1\n"));
  CHECK(refused(TextFormat::kCsv, "time,\"a\n1,1\n"));
  CHECK(refused(TextFormat::kJson, std::string(kMaxBodyBytes + 1, ' ')));
  CHECK(Json("[]").events == 0);
}

TEST_CASE("a byte order mark is no part of the text", "[events]") {
  CHECK(Json("\xef\xbb\xbf{\"time\":1}").rows.size() == 1);
  CHECK(Csv("\xef\xbb\xbf\"time\",a\n1,x\n").rows.size() == 1);
}

TEST_CASE("too many fields reject the event that names the next one", "[events]") {
  std::string body = "[{\"time\":1";
  for (int i = 0; i < 512; ++i) body += fmt::format(",\"f{}\":1", i);
  body += "},{\"time\":1,\"g\":1},{\"time\":1,\"f1\":2}]";
  const Decoded decoded = Json(body);
  CHECK(decoded.only().reason == Reason::kTooManyFields);
  CHECK(decoded.only().index == 1);
  CHECK(decoded.rows.size() == 2);
}

TEST_CASE("a body is cut at the same events whatever is rejected", "[events]") {
  std::string body = "time,host,cpu\n";
  for (int i = 0; i < 40'000; ++i)
    body += fmt::format("{},h{},{}\n", 1'700'000'000 + i, i % 1000, i % 7 == 0 ? "x" : "1");
  const auto schema = SomeSchema();
  const Decoded strict = Csv(body, schema.get());
  const Decoded loose = Csv(body);
  CHECK(strict.errors.total() == 40'000 / 7 + 1);
  CHECK(loose.errors.total() == 0);
  CHECK(strict.chunks == loose.chunks);
  CHECK(strict.chunks.size() >= 3);
  for (size_t i = 0; i < strict.chunks.size(); ++i) CHECK(strict.chunks[i] == i);
}

TEST_CASE("a rejected event's later fields count for the cut too", "[events]") {
  std::string body;
  for (int i = 0; i < 12'000; ++i) {
    const std::string text(i % 2 == 0 ? 10 : 150, 'x');
    body +=
        fmt::format("{{\"time\":1700000000,{}\"host\":\"{}{}\",\"cpu\":1}}\n", i % 2 == 0 ? "" : "\"odd\":1,", text, i);
  }
  const auto cuts = [&](const Schema* schema) {
    std::map<uint32_t, uint64_t> last_even;
    ErrorList errors;
    const auto events = DecodeText(TextFormat::kNdjson, body, {"s", schema}, errors, [&](const DecodedChunk& chunk) {
      for (const uint64_t index : *chunk.source_index)
        last_even[chunk.number] = index % 2 == 0 ? index : last_even[chunk.number];
      return absl::OkStatus();
    });
    CHECK(events.ok());
    CHECK(errors.total() == (schema == nullptr ? 0 : 6'000));
    return last_even;
  };
  const auto loose = cuts(nullptr);
  CHECK(loose.size() >= 2);
  CHECK(cuts(SomeSchema().get()) == loose);
}

TEST_CASE("names too long to keep apart are refused and nothing else", "[events]") {
  const std::string name(100'000, 'k');
  std::string body;
  for (int i = 0; i < 5; ++i) {
    body += fmt::format("{{\"time\":1,\"{}a\":1,\"{}b\":2,\"c\":3}}\n{{\"time\":1,\"c\":3}}\n", name, name);
  }
  const Decoded decoded = Ndjson(body);
  CHECK(decoded.rows.size() == 5);
  CHECK(decoded.errors.count(Reason::kBadName) == 5);
}

TEST_CASE("a body of sparse fields is cut before its columns outgrow a batch", "[events]") {
  std::string body;
  for (int i = 0; i < 20'000; ++i) body += fmt::format("{{\"time\":1,\"f{}\":1}}\n", i % 500);
  // Collect() checks each batch's size.
  CHECK_FALSE(Ndjson(body).status.ok());
  CHECK(Ndjson(body.substr(0, body.size() / 4 / 20 * 20)).rows.size() > 0);
}

TEST_CASE("content types are known by name, parameters aside", "[events]") {
  CHECK(FormatOf("application/json").value() == TextFormat::kJson);
  CHECK(FormatOf("Application/JSON; charset=UTF-8").value() == TextFormat::kJson);
  CHECK(FormatOf("application/x-ndjson").value() == TextFormat::kNdjson);
  CHECK(FormatOf("text/csv; header=present").value() == TextFormat::kCsv);
  CHECK_FALSE(FormatOf("text/csv; charset=latin1").ok());
  CHECK_FALSE(FormatOf("text/plain").ok());
  CHECK_FALSE(FormatOf("").ok());
}

TEST_CASE("RFC 3339 times", "[events]") {
  const auto parse = [](std::string_view text) -> std::optional<int64_t> {
    int64_t us = 0;
    return ParseRfc3339(text, us) ? std::optional(us) : std::nullopt;
  };
  CHECK(parse("1970-01-01T00:00:00Z") == 0);
  CHECK(parse("2023-11-14T22:13:20.1234567Z") == 1'700'000'000'123'456);
  CHECK(parse("2023-11-14 23:13:20.5+01:00") == 1'700'000'000'500'000);
  CHECK(parse("2024-02-29t00:00:00z") == 1'709'164'800'000'000);
  CHECK(parse("2016-12-31T23:59:60Z") == 1'483'228'800'000'000);
  CHECK(parse("9999-12-31T23:59:59.999999Z") == kMaxTimeUs);
  CHECK(parse("0000-01-01T00:00:00Z") == -62'167'219'200'000'000);
  for (const std::string_view bad :
       {"2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:60Z", "2023-01-01T00:00:00", "2023-01-01", "2023-01-01T00:00:00.Z",
        "2023-01-01T00:00:00+1:00", "2023-01-01T00:00:00Z ", "23-01-01T00:00:00Z", ""}) {
    INFO(bad);
    CHECK_FALSE(parse(bad).has_value());
  }
}

TEST_CASE("epoch times by magnitude, exact to the microsecond", "[events]") {
  const auto parse = [](std::string_view text) -> std::optional<int64_t> {
    JsonNumber number;
    int64_t us = 0;
    REQUIRE(JsonReader::ParseWhole(text, number));
    return ParseEpoch(number, us) ? std::optional(us) : std::nullopt;
  };
  CHECK(parse("1700000000") == 1'700'000'000'000'000);
  CHECK(parse("1700000000.123456") == 1'700'000'000'123'456);
  CHECK(parse("1700000000.1234569") == 1'700'000'000'123'456);
  CHECK(parse("1700000000123") == 1'700'000'000'123'000);
  CHECK(parse("1700000000123456") == 1'700'000'000'123'456);
  CHECK(parse("170000000012345678.9") == std::nullopt);
  CHECK(parse("170000000012345678") == 170'000'000'012'345);
  CHECK(parse("1.7e9") == 1'700'000'000'000'000);
  CHECK(parse("0") == 0);
  CHECK(parse("-1") == -1'000'000);
  CHECK(parse("-0.0000001") == -1);
  CHECK(parse("1e300") == std::nullopt);
}

TEST_CASE("no body breaks a decoder, and every event is taken or told", "[events]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string json =
      R"([{"time":1700000000,"a":"x","n":1.5,"o":{"k":[1,2]}},{"time":"2023-11-14T22:13:20Z","dimensions":{"a":"y"}}])";
  const std::string csv = "time,a,n\n1,\"x\"\"y\",2\n2,z,3\r\n";
  const auto schema = SomeSchema();
  for (int i = 0; i < 20'000; ++i) {
    std::string body = i % 3 == 2 ? csv : json;
    for (unsigned n = 1 + random() % 4; n > 0; --n)
      body[random() % body.size()] = static_cast<char>(random() % 2 ? random() : "{}[]\",:\n"[random() % 8]);
    Decode(static_cast<TextFormat>(i % 3), body, random() % 2 ? schema.get() : nullptr);
  }
}

}  // namespace
}  // namespace rivermeet::events
