#include "yjs/history_stream.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace rivermeet::yjs {
namespace {

// histories --shuffled --first-seed 2158
// histories --causal --ops 60 --first-seed 3 --for-yrs | ask_yrs
// histories --kind functions --ops 30 --first-seed 5
// histories --kind local --ops 120 --first-seed 8 --count 2
// histories --kind merges --updates 20 --first-seed 5
constexpr char kSample[] = "tests/conformance/yjs/testdata/sample.bin";

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File OpenSample() {
  File file(std::fopen(kSample, "rb"), std::fclose);
  REQUIRE(file != nullptr);
  return file;
}

File FileOf(const std::string& bytes) {
  File file(std::tmpfile(), std::fclose);
  REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size());
  std::rewind(file.get());
  return file;
}

std::string SampleBytes() {
  const File file = OpenSample();
  std::string bytes(200'000, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  return bytes;
}

TEST_CASE("long results are told by the hash that stream.md gives", "[yjs]") {
  CHECK(HashOf("") == 0x811c9dc597469c03);
  CHECK(HashOf("a") == 0xe40c292c143fac7c);
  CHECK(HashOf("Rivermeet") == 0xec634c3260827c41);
  CHECK(HashOf(std::string(1000, '\xff')) == 0xda53a9fd7c63fa5d);
}

TEST_CASE("a digest matches its bytes, or their size and hash", "[yjs]") {
  Digest whole;
  whole.bytes = "abc";
  whole.size = 3;
  CHECK(whole.Matches("abc"));
  CHECK_FALSE(whole.Matches("abd"));
  CHECK_FALSE(whole.Matches("abcd"));

  const std::string bytes(600, 'x');
  Digest hashed;
  hashed.size = bytes.size();
  hashed.hash = HashOf(bytes);
  CHECK_FALSE(hashed.whole());
  CHECK(hashed.Matches(bytes));
  CHECK_FALSE(hashed.Matches(std::string(599, 'x') + 'y'));
}

TEST_CASE("the sample holds each kind of history, as many steps as its trailers count", "[yjs]") {
  const File file = OpenSample();
  HistoryStream stream(file.get());
  std::set<History::Kind> kinds;
  uint64_t histories = 0;
  uint64_t steps = 0;
  while (true) {
    const absl::StatusOr<bool> found = stream.Next();
    REQUIRE(found.ok());
    if (!*found) break;
    kinds.insert(stream.history().kind);
    ++histories;
    for (const Step& step : stream.history().steps) steps += step.results.told ? 1 : 0;
    steps += stream.history().calls.size();
  }
  CHECK(kinds ==
        std::set{History::Kind::kApply, History::Kind::kFunctions, History::Kind::kLocal, History::Kind::kMerges});
  CHECK(histories == stream.totals().at("histories"));
  CHECK(steps == stream.totals().at("steps"));
}

TEST_CASE("a history says whether its writers were made not to agree what the roots are", "[yjs]") {
  std::string bytes = SampleBytes();
  // After the magic byte, the size and the seed.
  bytes[13] = static_cast<char>(bytes[13] | 128);
  const File file = FileOf(bytes);
  HistoryStream stream(file.get());
  REQUIRE(stream.Next().value());
  CHECK(stream.history().disputed);
  CHECK(stream.history().kind == History::Kind::kApply);
  REQUIRE(stream.Next().value());
  CHECK_FALSE(stream.history().disputed);
}

TEST_CASE("a history ends with a step that has every result", "[yjs]") {
  const File file = OpenSample();
  HistoryStream stream(file.get());
  REQUIRE(stream.Next().value());
  const Step& last = stream.history().steps.back();
  CHECK(last.messages.at(0).bytes == std::string_view("\0\0", 2));
  CHECK(last.results.state_v1.has_value());
  CHECK(last.results.state_v2.has_value());
  CHECK(last.results.state_vector.has_value());
  CHECK(last.results.snapshot_v2.has_value());
}

TEST_CASE("where yjs fell behind, the history says what it should have had", "[yjs]") {
  const File file = OpenSample();
  HistoryStream stream(file.get());
  REQUIRE(stream.Next().value());
  const History& history = stream.history();
  CHECK(history.behind);
  REQUIRE(history.causal_result.has_value());
  CHECK(history.causal_result->state_vector == history.steps.back().results.state_vector);
  REQUIRE(stream.Next().value());
  CHECK(stream.history().causal);
  CHECK_FALSE(stream.history().causal_result.has_value());
}

TEST_CASE("what yrs has comes with the history that it is about", "[yjs]") {
  const File file = OpenSample();
  HistoryStream stream(file.get());
  REQUIRE(stream.Next().value());
  CHECK(stream.history().yrs.empty());
  REQUIRE(stream.Next().value());
  const History& history = stream.history();
  REQUIRE_FALSE(history.yrs.empty());
  CHECK(history.yrs.back().step == history.steps.size() - 1);
  CHECK(history.yrs.back().contents.size() == history.roots.size());
  REQUIRE(stream.Next().value());
  CHECK(stream.history().yrs.empty());
}

TEST_CASE("answers of yrs that don't belong to the next history are refused", "[yjs]") {
  std::string bytes = SampleBytes();
  const auto end_of_record = [&](size_t at) {
    uint32_t size = 0;
    std::memcpy(&size, &bytes[at + 1], sizeof(size));
    return at + 5 + size;
  };
  // After the first history and its trailer; the magic byte, the size, the seed, how many answers, the first's step.
  const size_t at = end_of_record(end_of_record(0));
  REQUIRE(bytes[at] == '\xfb');
  SECTION("of another seed") {
    REQUIRE(bytes[at + 5] == 3);
    bytes[at + 5] = 4;
  }
  SECTION("of a step that there isn't") { bytes[at + 14] = 127; }
  SECTION("without a history") { bytes.resize(end_of_record(at)); }
  const File file = FileOf(bytes);
  HistoryStream stream(file.get());
  REQUIRE(stream.Next().value());
  CHECK(stream.Next().status().code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("edits name the type they change and what they put there", "[yjs]") {
  const File file = OpenSample();
  HistoryStream stream(file.get());
  std::set<EditKind> kinds;
  size_t nested = 0;
  while (stream.Next().value()) {
    for (const Step& step : stream.history().steps) {
      for (const Edit& edit : step.edits) {
        kinds.insert(edit.kind);
        nested += edit.path.empty() ? 0 : 1;
        if (edit.kind == EditKind::kMapSet) CHECK(edit.values.size() == 1);
        if (edit.kind == EditKind::kTextInsert) CHECK_FALSE(edit.text.empty());
      }
    }
  }
  CHECK(kinds.size() >= 8);
  CHECK(nested > 10);
}

TEST_CASE("a stream that is cut anywhere is an error, never a short one", "[yjs]") {
  const std::string bytes = SampleBytes();
  for (size_t size = 1; size < bytes.size(); size += 997) {
    const File file = FileOf(bytes.substr(0, size));
    HistoryStream stream(file.get());
    absl::StatusOr<bool> found = true;
    while (found.ok() && *found) found = stream.Next();
    INFO("cut at " << size);
    CHECK(found.status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("other bytes in a record are refused, or read without harm", "[yjs]") {
  const std::string bytes = SampleBytes();
  for (size_t at = 5; at < bytes.size(); at += 211) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0xff);
    const File file = FileOf(changed);
    HistoryStream stream(file.get());
    absl::StatusOr<bool> found = true;
    while (found.ok() && *found) found = stream.Next();
    if (!found.ok()) CHECK(found.status().code() == absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace rivermeet::yjs
