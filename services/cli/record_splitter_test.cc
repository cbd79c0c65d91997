#include "cli/record_splitter.h"

#include <catch2/catch.hpp>
#include <random>

namespace rivermeet::cli {
namespace {

// All bodies of `input`, fed in pieces of `piece` bytes.
std::vector<EventBody> Split(const std::string& input, InputFormat format, size_t piece,
                             RecordSplitter::Limits limits = {}, uint64_t offset = 0, const std::string& header = "") {
  RecordSplitter splitter(format, limits, offset, header);
  std::vector<EventBody> bodies;
  const auto drain = [&] {
    while (true) {
      auto body = splitter.Next();
      REQUIRE(body.ok());
      if (!*body) return;
      bodies.push_back(**std::move(body));
    }
  };
  for (size_t at = offset; at < input.size(); at += piece) {
    splitter.Feed(std::string_view(input).substr(at, piece));
    drain();
  }
  splitter.End();
  drain();
  return bodies;
}

std::vector<std::string> Events(const std::vector<EventBody>& bodies) {
  std::vector<std::string> events;
  for (const EventBody& body : bodies) {
    for (size_t i = 0; i < body.begin.size(); ++i) events.emplace_back(body.Event(i));
  }
  return events;
}

using Texts = std::vector<std::string>;

TEST_CASE("a file is cut alike however it is read", "[split]") {
  const std::string json = R"([{"a":"}\"]"},{"b":[1,{"c":2}]} , {"d":"\\"}])";
  const std::string ndjson = "{\"a\":1}\r\n\n{\"b\":2}\n{\"c\":3}";
  const std::string csv = "h,x\n1,\"a\nb\"\n\n2,\"say \"\"hi\"\"\"\n3,c";
  for (size_t piece = 1; piece < 60; ++piece) {
    INFO("pieces of " << piece);
    CHECK(Events(Split(json, InputFormat::kJson, piece)) ==
          Texts{R"({"a":"}\"]"})", R"({"b":[1,{"c":2}]})", R"({"d":"\\"})"});
    CHECK(Events(Split(ndjson, InputFormat::kNdjson, piece)) == Texts{R"({"a":1})", R"({"b":2})", R"({"c":3})"});
    const auto bodies = Split(csv, InputFormat::kCsv, piece);
    CHECK(Events(bodies) == Texts{"1,\"a\nb\"", "2,\"say \"\"hi\"\"\"", "3,c"});
    CHECK(bodies[0].text.substr(0, 4) == "h,x\n");
  }
}

TEST_CASE("JSON goes out as NDJSON, one event a line", "[split]") {
  const auto bodies = Split("[\n  {\n \"a\": 1\n },\n {\"b\":2}\n]\n", InputFormat::kJson, 100);
  REQUIRE(bodies.size() == 1);
  CHECK(bodies[0].content_type == "application/x-ndjson");
  CHECK(bodies[0].text == "{  \"a\": 1  }\n{\"b\":2}\n");
}

TEST_CASE("events one after the other and a single one are read without an array", "[split]") {
  CHECK(Events(Split("{\"a\":1}{\"b\":2}\n{\"c\":3}", InputFormat::kJson, 3)) ==
        Texts{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"});
  CHECK(Events(Split("", InputFormat::kJson, 3)).empty());
  CHECK(Events(Split("[]", InputFormat::kJson, 3)).empty());
}

TEST_CASE("what isn't an event goes out by itself, for the server to reject", "[split]") {
  CHECK(Events(Split("[{\"a\":1}, nonsense, {\"b\":2}, 7]", InputFormat::kJson, 4)) ==
        Texts{"{\"a\":1}", "nonsense", "{\"b\":2}", "7"});
  CHECK(Events(Split("[{\"a\":1},{\"b\":", InputFormat::kJson, 4)) == Texts{"{\"a\":1}", "{\"b\":"});
}

TEST_CASE("bodies keep to their limits", "[split]") {
  std::string input;
  for (int i = 0; i < 1000; ++i) input += "{\"number\":" + std::to_string(i) + "}\n";
  const auto by_count = Split(input, InputFormat::kNdjson, 97, {.max_events = 100});
  CHECK(by_count.size() == 10);
  CHECK(by_count.back().end_offset == input.size());
  const auto by_bytes = Split(input, InputFormat::kNdjson, 97, {.max_body_bytes = 500});
  CHECK(by_bytes.size() > 20);
  for (const EventBody& body : by_bytes) CHECK(body.text.size() <= 500);
  CHECK(Events(by_bytes) == Events(by_count));
}

TEST_CASE("going on at the end of any body gives the same bodies again", "[split]") {
  std::string ndjson;
  std::string json = "[";
  std::string csv = "number,text\n";
  for (int i = 0; i < 200; ++i) {
    ndjson += "{\"number\":" + std::to_string(i) + "}\n";
    json += (i > 0 ? ",\n" : "") + std::string("{\"number\":") + std::to_string(i) + "}";
    csv += std::to_string(i) + ",\"a\nb\"\n";
  }
  json += "]";
  const RecordSplitter::Limits limits{.max_events = 17, .max_body_bytes = 300};
  for (const auto& [input, format] : std::vector<std::pair<std::string, InputFormat>>{
           {ndjson, InputFormat::kNdjson}, {json, InputFormat::kJson}, {csv, InputFormat::kCsv}}) {
    const auto all = Split(input, format, 50, limits);
    for (size_t done = 1; done < all.size(); ++done) {
      const auto rest =
          Split(input, format, 33, limits, all[done - 1].end_offset, format == InputFormat::kCsv ? "number,text" : "");
      REQUIRE(rest.size() == all.size() - done);
      for (size_t i = 0; i < rest.size(); ++i) {
        CHECK(rest[i].text == all[done + i].text);
        CHECK(rest[i].end_offset == all[done + i].end_offset);
      }
    }
  }
}

TEST_CASE("an event over the limit is said with its place", "[split]") {
  RecordSplitter splitter(InputFormat::kCsv, {.max_event_bytes = 1000});
  splitter.Feed("h\n1\n\"" + std::string(2000, 'x'));
  const auto body = splitter.Next();
  CHECK(absl::IsInvalidArgument(body.status()));
  CHECK(std::string(body.status().message()).find("byte 4") != std::string::npos);
}

TEST_CASE("a byte order mark is not part of the first event", "[split]") {
  CHECK(Events(Split("\xEF\xBB\xBF{\"a\":1}", InputFormat::kNdjson, 100)) == Texts{"{\"a\":1}"});
  CHECK(Split("\xEF\xBB\xBFh\n1\n", InputFormat::kCsv, 100)[0].text == "h\n1\n");
}

TEST_CASE("any bytes at all are cut without loss of what is an event", "[split]") {
  const uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string alphabet = "{}[]\",\\\n\r ab1:";
  for (int round = 0; round < 3000; ++round) {
    std::string input(random() % 60, ' ');
    for (char& c : input) c = alphabet[random() % alphabet.size()];
    for (const InputFormat format : {InputFormat::kJson, InputFormat::kNdjson, InputFormat::kCsv}) {
      const auto whole = Split(input, format, 1000);
      const auto pieces = Split(input, format, 1 + random() % 5);
      CHECK(Events(whole) == Events(pieces));
      for (const EventBody& body : whole) CHECK(body.end_offset <= input.size());
    }
  }
}

TEST_CASE("the format comes from the flag or the name", "[split]") {
  CHECK(FormatOfInput("", "a.csv").value() == InputFormat::kCsv);
  CHECK(FormatOfInput("", "A.JSONL").value() == InputFormat::kNdjson);
  CHECK(FormatOfInput("", "a.json").value() == InputFormat::kJson);
  CHECK(FormatOfInput("ndjson", "a.csv").value() == InputFormat::kNdjson);
  CHECK(absl::IsInvalidArgument(FormatOfInput("", "-").status()));
  CHECK(absl::IsInvalidArgument(FormatOfInput("xml", "a.csv").status()));
}

}  // namespace
}  // namespace rivermeet::cli
