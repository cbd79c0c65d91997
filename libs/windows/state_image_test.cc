#include "windows/state_image.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "base/crc32c.h"
#include "windows/batch_builder.h"
#include "windows/internal/blob.h"

namespace rivermeet::windows {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'700'000'040 * kSecond;

void FoldRandom(PartitionState& state, std::mt19937_64& random, int records, int64_t first_offset) {
  for (int r = 0; r < records; ++r) {
    const int64_t offset = first_offset + r;
    std::vector<TestEvent> events;
    for (uint64_t e = 0; e < random() % 40; ++e) {
      TestEvent event{kStart + offset * kSecond / 4 - static_cast<int64_t>(random() % 5) * kSecond, {}, {}, {}};
      event.dimensions["host"] = std::to_string(random() % 50);
      if (offset > 20 && random() % 2 == 0) event.dimensions["core"] = std::to_string(random() % 4);
      if (random() % 3 != 0) event.float64["cpu"] = static_cast<double>(random() % 1000) / 7;
      if (offset > 30) event.int64["bytes"] = static_cast<int64_t>(random());
      events.push_back(event);
    }
    const auto batch = MakeBatch(events);
    auto header = MakeHeader(random() % 100 == 0 ? 1 : static_cast<uint64_t>(offset + 1),
                             static_cast<uint32_t>(events.size()), 1 + random() % 3);
    header.set_stream_id(1 + random() % 2);
    state.Fold(header, &batch, offset, kStart + offset * kSecond / 4);
  }
}

std::string Bytes(const PartitionState& state) { return EncodeState(StateImage::Capture(state)); }

TEST_CASE("a snapshot of the format's first version is read too", "[snapshot]") {
  std::ifstream file("libs/windows/corpus/state_image/blob", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  REQUIRE(bytes.size() > 40);
  // The fuzzer's choice is before it.
  const std::string blob = bytes.substr(1);
  REQUIRE(blob[4] == 1);
  const auto state = DecodeState(blob, FoldOptions());
  REQUIRE(state.ok());
  REQUIRE((*state)->streams().size() == 2);
  for (const auto& [id, stream] : (*state)->streams()) {
    CHECK(stream->ledger().balanced());
    CHECK(stream->ledger().folded > 0);
    CHECK(stream->ledger().over_series_limit == 0);
    CHECK(stream->series().count() > 0);
  }
}

TEST_CASE("a restored state is the same, byte for byte, and goes on the same", "[snapshot]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  PartitionState state{FoldOptions()};
  FoldRandom(state, random, 300, 0);
  const std::string blob = Bytes(state);
  const auto restored = DecodeState(blob, FoldOptions());
  REQUIRE(restored.ok());
  CHECK(Bytes(**restored) == blob);
  std::mt19937_64 again = random;
  FoldRandom(state, random, 200, 300);
  FoldRandom(**restored, again, 200, 300);
  CHECK(Bytes(**restored) == Bytes(state));
  CHECK((*restored)->Find(1)->ledger().balanced());
}

TEST_CASE("an empty state can be stored and restored", "[snapshot]") {
  PartitionState state{FoldOptions()};
  const auto restored = DecodeState(Bytes(state), FoldOptions());
  REQUIRE(restored.ok());
  CHECK((*restored)->through_offset() == -1);
}

TEST_CASE("one flipped bit, anywhere, is detected", "[snapshot]") {
  const uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  PartitionState state{FoldOptions()};
  FoldRandom(state, random, 100, 0);
  const std::string blob = Bytes(state);
  for (int i = 0; i < 1'000; ++i) {
    std::string damaged = blob;
    const size_t at = i < 32 ? static_cast<size_t>(i) : random() % blob.size();
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << random() % 8);
    CAPTURE(at);
    REQUIRE_FALSE(DecodeState(damaged, FoldOptions()).ok());
  }
}

TEST_CASE("a blob cut anywhere is detected", "[snapshot]") {
  std::mt19937_64 random(1);
  PartitionState state{FoldOptions()};
  FoldRandom(state, random, 50, 0);
  const std::string blob = Bytes(state);
  for (int i = 0; i < 200; ++i) {
    REQUIRE(DecodeState(std::string_view(blob).substr(0, random() % blob.size()), FoldOptions()).status().code() ==
            absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("a snapshot that names more series than it has values for is refused", "[snapshot]") {
  for (const uint64_t base : {uint64_t{2}, uint64_t{1} << 31, uint64_t{1} << 60}) {
    BlobWriter content;
    for (const int64_t offset_and_time : {0, 0}) content.Fixed(offset_and_time);
    content.Varint(0);  // producers
    content.Varint(1);  // streams
    content.Varint(1);
    content.Text("t1");
    content.Text("s");
    for (const int64_t time : {0, 0, 0, 0}) content.Fixed(time);
    for (const uint64_t count : {0, 0, 0, 0, 0, 0}) content.Varint(count);
    // So many series, and their one dimension begins after the last of them.
    content.Varint(base);
    content.Varint(1);
    content.Text("host");
    content.Varint(base);
    content.Varint(0);
    for (const uint64_t measures_carried_and_panes : {0, 0, 0}) content.Varint(measures_carried_and_panes);
    CHECK(DecodeState(content.Finish(), FoldOptions()).status().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("the checksum is CRC-32C", "[snapshot]") {
  CHECK(Crc32c("123456789") == 0xe3069283u);  // the check value of the CRC catalogue
}

}  // namespace
}  // namespace rivermeet::windows
