#include "crdt/internal/wire/run_columns.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "crdt/internal/wire/update_writer.h"

namespace rivermeet::crdt::internal {
namespace {

TEST_CASE("a column's strings are what JavaScript cuts of its text, in any lengths", "[crdt]") {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (uint32_t runs = random() % 4; runs > 0; --runs) {
      text += std::string(random() % 40, 'a');
      for (uint32_t size = random() % 4; size > 0; --size) {
        text += std::vector<std::string>{"\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80"}[random() % 3];
      }
    }
    const uint64_t units = Measure(text).utf16;
    std::string bytes;
    WriteVarBytes(bytes, text);
    std::vector<uint64_t> lengths;
    UintWriter written;
    for (uint64_t left = units; left > 0; left -= lengths.back()) {
      lengths.push_back(random() % (std::min<uint64_t>(left, 9) + 1));
      written.Write(lengths.back());
    }
    written.Write(1);
    bytes += written.Finish();

    StringColumn column{ByteReader(bytes)};
    uint64_t at = 0;
    for (const uint64_t length : lengths) {
      std::string scratch, slice;
      uint64_t read_units;
      const std::string_view read = column.Read(scratch, &read_units);
      AppendSlice(text, at, at + length, slice);
      REQUIRE(read == slice);
      REQUIRE(read_units == length);
      at += length;
    }
    REQUIRE(column.reader().ok());
    std::string scratch;
    uint64_t past;
    CHECK(column.Read(scratch, &past).empty());
    CHECK_FALSE(column.reader().ok());
  }
}

TEST_CASE("differences that add up to no clock are an error and no clock", "[crdt]") {
  const auto check = [](const std::string& bytes, const std::vector<uint64_t>& clocks) {
    DiffColumn column{ByteReader(bytes)};
    for (const uint64_t clock : clocks) {
      CHECK(column.Read() == clock);
      CHECK(column.reader().ok());
    }
    CHECK(column.Read() == 0);
    CHECK_FALSE(column.reader().ok());
  };
  std::string below, above;
  WriteVarInt(below, 2 * 5, false);
  WriteVarInt(below, 2 * 6, true);
  check(below, {5});
  WriteVarInt(above, kMaxInteger, false);  // three times 2^52 - 1
  WriteVarUint(above, 3 - 2);
  check(above, {kMaxInteger / 2, kMaxInteger - 1});
}

}  // namespace
}  // namespace rivermeet::crdt::internal
