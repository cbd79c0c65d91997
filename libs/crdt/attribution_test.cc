#include "crdt/attribution.h"

#include <random>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "catch2/catch.hpp"

namespace rivermeet::crdt {
namespace {

using Removal = Attribution::Removal;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(seconds); }

Attribution Example() {
  Attribution table;
  table.NoteWritten(1, 0, 5, At(100));
  table.NoteWritten(1, 5, 8, At(100));
  table.NoteWritten(1, 10, 12, At(90));
  table.NoteWritten(7, 3, 4, At(200));
  table.NoteRemoved(1, 2, 4, Removal{7, At(300)});
  table.NoteRemoved(1, 1, 6, Removal{8, At(400)});
  table.NoteRemoved(1, 9, 10, Removal{});
  return table;
}

TEST_CASE("who wrote when is known for just the units that were noted", "[crdt]") {
  const Attribution table = Example();
  CHECK(table.WrittenAt(1, 0) == At(100));
  CHECK(table.WrittenAt(1, 7) == At(100));
  CHECK_FALSE(table.WrittenAt(1, 8).has_value());
  CHECK_FALSE(table.WrittenAt(1, 9).has_value());
  CHECK(table.WrittenAt(1, 11) == At(90));
  CHECK_FALSE(table.WrittenAt(1, 12).has_value());
  CHECK_FALSE(table.WrittenAt(7, 2).has_value());
  CHECK_FALSE(table.WrittenAt(2, 0).has_value());
}

TEST_CASE("what was noted first of a unit stays", "[crdt]") {
  Attribution table = Example();
  table.NoteWritten(1, 0, 13, At(999));
  CHECK(table.WrittenAt(1, 11) == At(90));
  CHECK(table.WrittenAt(1, 12) == At(999));
  CHECK(table.RemovedBy(1, 1) == Removal{8, At(400)});
  CHECK(table.RemovedBy(1, 2) == Removal{7, At(300)});
  CHECK(table.RemovedBy(1, 3) == Removal{7, At(300)});
  CHECK(table.RemovedBy(1, 4) == Removal{8, At(400)});
  CHECK_FALSE(table.RemovedBy(1, 6).has_value());
  CHECK(table.RemovedBy(1, 9) == Removal{});
  CHECK_FALSE(table.RemovedBy(7, 3).has_value());
}

TEST_CASE("units that end before they begin, or that no client has, are not noted", "[crdt]") {
  Attribution table = Example();
  table.NoteWritten(1, 20, 15, At(1));
  table.NoteWritten(5, 3, 3, At(1));
  table.NoteWritten(1, uint64_t{1} << 32, (uint64_t{1} << 32) + 5, At(1));
  table.NoteRemoved(1, 20, 15, Removal{7, At(1)});
  table.NoteRemoved(5, 3, 3, Removal{7, At(1)});
  table.NoteRemoved(1, uint64_t{1} << 32, (uint64_t{1} << 32) + 5, Removal{7, At(1)});
  CHECK(table == Example());
}

TEST_CASE("runs end where either answer changes", "[crdt]") {
  const Attribution table = Example();
  CHECK(table.SameUntil(1, 0, 20) == 1);
  CHECK(table.SameUntil(1, 2, 20) == 4);
  CHECK(table.SameUntil(1, 2, 3) == 3);
  CHECK(table.SameUntil(1, 6, 20) == 8);
  CHECK(table.SameUntil(1, 15, 20) == 20);
  CHECK(table.SameUntil(9, 0, 20) == 20);
}

TEST_CASE("neighbours that say the same are one run", "[crdt]") {
  Attribution joined, whole;
  for (const uint64_t at : {4, 0, 2, 6, 5, 1, 3}) joined.NoteRemoved(1, at, at + 1, Removal{2, At(5)});
  whole.NoteRemoved(1, 0, 7, Removal{2, At(5)});
  CHECK(joined == whole);
  CHECK(joined.Encode() == whole.Encode());
  CHECK(joined.Encode().size() < 20);
}

TEST_CASE("a table comes back from its bytes", "[crdt]") {
  const Attribution table = Example();
  CHECK(*Attribution::Decode(table.Encode()) == table);
  CHECK(*Attribution::Decode(Attribution().Encode()) == Attribution());
  CHECK(Attribution().Encode() == std::string_view("\x01\0\0", 3));
  CHECK(table.MemoryBytes() > Attribution().MemoryBytes());
}

TEST_CASE("times further than 2^52 milliseconds from 1970 are kept as just that far", "[crdt]") {
  Attribution table;
  table.NoteWritten(1, 0, 1, absl::InfinitePast());
  table.NoteWritten(1, 1, 2, absl::InfiniteFuture());
  table.NoteRemoved(1, 0, 1, Removal{std::nullopt, absl::InfinitePast()});
  CHECK(*Attribution::Decode(table.Encode()) == table);
}

TEST_CASE("a table agrees with one that notes each unit by itself", "[crdt]") {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Attribution table;
    std::vector<std::optional<Removal>> plain(60);
    for (int i = 0; i < 30; ++i) {
      const uint64_t from = random() % plain.size();
      const uint64_t to = std::min<uint64_t>(plain.size(), from + random() % 12);
      const Removal removal{random() % 3, At(random() % 2)};
      table.NoteRemoved(4, from, to, removal);
      for (uint64_t at = from; at < to; ++at) {
        if (!plain[at].has_value()) plain[at] = removal;
      }
    }
    for (size_t at = 0; at < plain.size(); ++at) {
      CHECK(table.RemovedBy(4, at) == plain[at]);
      const uint64_t end = table.SameUntil(4, at, plain.size());
      for (size_t i = at; i < end; ++i) CHECK(plain[i] == plain[at]);
      if (end < plain.size()) CHECK(plain[end] != plain[at]);
    }
    CHECK(*Attribution::Decode(table.Encode()) == table);
  }
}

TEST_CASE("a truncated or lengthened table is refused", "[crdt]") {
  const std::string bytes = Example().Encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const absl::Status refused = Attribution::Decode(std::string_view(bytes).substr(0, size)).status();
    CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
    CHECK(absl::StrContains(refused.message(), "at byte "));
  }
  CHECK_FALSE(Attribution::Decode(bytes + '\0').ok());
}

TEST_CASE("a table with a flipped bit is refused or comes out as it went in", "[crdt]") {
  const std::string bytes = Example().Encode();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const absl::StatusOr<Attribution> decoded = Attribution::Decode(flipped);
    if (decoded.ok()) CHECK(*Attribution::Decode(decoded->Encode()) == *decoded);
  }
}

TEST_CASE("counts that the bytes of a table don't have are refused without room for them", "[crdt]") {
  const auto code = [](std::string_view bytes) { return Attribution::Decode(bytes).status().code(); };
  CHECK(code("\x01\x80\x80\x80\x80\x80\x20") == absl::StatusCode::kResourceExhausted);
  CHECK(code("\x01\x01\x01\x80\x80\x80\x80\x80\x20") == absl::StatusCode::kResourceExhausted);
  CHECK(code("\x01\x01\x01\xff\xff\x7f") == absl::StatusCode::kInvalidArgument);
  CHECK(code("\x02") == absl::StatusCode::kInvalidArgument);
  // The runs of all clients count together.
  const std::string two = absl::HexStringToBytes("0102010101000201010000");
  CHECK(Attribution::Decode(two, {.max_structs = 2}).ok());
  CHECK(Attribution::Decode(two, {.max_structs = 1}).status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(Attribution::Decode(two, {.max_update_bytes = 3}).status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("what no table has is refused with its place", "[crdt]") {
  const auto refusal = [](std::string_view hex) {
    return std::string(Attribution::Decode(absl::HexStringToBytes({hex.data(), hex.size()})).status().message());
  };
  CHECK(refusal("020000") == "at byte 0: it is no attribution of a version that is known");
  CHECK(refusal("0102020101000101010000") == "at byte 6: clients are out of order");
  CHECK(refusal("0102010101000101010000") == "at byte 6: clients are out of order");
  CHECK(refusal("0101010180808080100000") == "at byte 4: a clock is over 2^32 - 1");
  CHECK(refusal("01010101010200") == "at byte 5: a byte that says yes or no is neither 0 nor 1");
  CHECK(refusal("010101010101808080808080801000") == "at byte 6: a time is over 2^52 milliseconds from 1970");
}

}  // namespace
}  // namespace rivermeet::crdt
