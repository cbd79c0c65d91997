#include "crdt/internal/wire/byte_reader.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "crdt/internal/wire/byte_writer.h"

namespace rivermeet::crdt::internal {
namespace {

using namespace std::literals;

// Little-endian groups of seven bits, `size` of them.
std::string PaddedVarUint(uint64_t value, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i, value >>= 7) {
    bytes.push_back(static_cast<char>((value & 0x7f) | (i + 1 < size ? 0x80 : 0)));
  }
  return bytes;
}

TEST_CASE("integers are read as they were written", "[crdt]") {
  for (int bits = 0; bits <= 53; ++bits) {
    for (const uint64_t value : {(uint64_t{1} << bits) - 1, uint64_t{1} << bits, (uint64_t{1} << bits) / 3 * 2}) {
      if (value > kMaxInteger) continue;
      std::string bytes;
      WriteVarUint(bytes, value);
      WriteVarInt(bytes, value, false);
      WriteVarInt(bytes, value, true);
      ByteReader reader(bytes);
      CHECK(reader.ReadVarUint() == value);
      CHECK(reader.ReadVarInt().value() == static_cast<int64_t>(value));
      const auto negative = reader.ReadVarInt();
      CHECK(negative.value() == -static_cast<int64_t>(value));
      CHECK(negative.negative);
      CHECK(reader.AtEnd());
      CHECK(reader.ok());
    }
  }
}

TEST_CASE("an integer that is known is read as any other, up to the last byte", "[crdt]") {
  const std::vector<uint64_t> values = {7, 7, 300, 300, 44, 300, kMaxInteger, kMaxInteger, 300, kMaxInteger - 1, 7, 7};
  for (const bool overlong : {false, true}) {
    std::string bytes;
    for (const uint64_t value : values) {
      if (overlong) {
        bytes += PaddedVarUint(value, 10);
      } else {
        WriteVarUint(bytes, value);
      }
    }
    ByteReader reader(bytes);
    ByteReader::Known known;
    for (const uint64_t value : values) REQUIRE(reader.ReadVarUint(known) == value);
    CHECK(reader.AtEnd());
    CHECK(reader.ReadVarUint(known) == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.ReadVarUint(known) == 0);
  }
  // One that is none is known to no other reader.
  const std::string too_large = PaddedVarUint(uint64_t{1} << 53, 8);
  ByteReader::Known known;
  for (int i = 0; i < 2; ++i) {
    ByteReader reader(too_large);
    CHECK(reader.ReadVarUint(known) == 0);
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("minus zero is not zero", "[crdt]") {
  ByteReader reader("\x40\x00"sv);
  CHECK(reader.ReadVarInt().negative);
  CHECK_FALSE(reader.ReadVarInt().negative);
}

TEST_CASE("overlong integers are accepted up to ten bytes", "[crdt]") {
  for (const uint64_t value : {uint64_t{0}, uint64_t{5}, uint64_t{300}, kMaxInteger}) {
    for (size_t size = 8; size <= 10; ++size) {
      const std::string bytes = PaddedVarUint(value, size);
      ByteReader reader(bytes);
      CHECK(reader.ReadVarUint() == value);
      CHECK(reader.ok());
      CHECK(reader.AtEnd());
    }
    const std::string eleven = PaddedVarUint(value, 11);
    ByteReader reader(eleven, 100);
    CHECK(reader.ReadVarUint() == 0);
    CHECK(reader.error() == "an integer is over 2^53 - 1"sv);
    CHECK(reader.error_offset() == 100);
  }
  ByteReader negative("\xc0\x80\x80\x00"sv);
  const auto zero = negative.ReadVarInt();
  CHECK(zero.magnitude == 0);
  CHECK(zero.negative);
  CHECK(negative.ok());
}

TEST_CASE("integers over 2^53 - 1 are errors, wherever their bits are", "[crdt]") {
  for (int bit = 53; bit < 64; ++bit) {
    const std::string bytes = PaddedVarUint(uint64_t{1} << bit, 10);
    ByteReader reader(bytes);
    CHECK(reader.ReadVarUint() == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.error_offset() == 0);
  }
  // Of a signed one, the first byte holds six bits.
  for (int byte = 1; byte < 10; ++byte) {
    for (int bit = 0; bit < 7; ++bit) {
      std::string bytes(10, '\x80');
      bytes[static_cast<size_t>(byte)] = static_cast<char>(0x80 | (1 << bit));
      bytes[9] = static_cast<char>(bytes[9] & 0x7f);
      ByteReader reader(bytes);
      const auto value = reader.ReadVarInt();
      const int place = 6 + 7 * (byte - 1) + bit;
      CHECK(reader.ok() == (place < 53));
      CHECK(value.magnitude == (place < 53 ? uint64_t{1} << place : 0));
    }
  }
}

TEST_CASE("what ends early is an error at every byte", "[crdt]") {
  std::string bytes;
  WriteVarUint(bytes, kMaxInteger);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view cut = std::string_view(bytes).substr(0, size);
    ByteReader reader(cut);
    CHECK(reader.ReadVarUint() == 0);
    CHECK(reader.error() == "it ends too early"sv);
    CHECK(reader.error_offset() == size);
    ByteReader signed_reader(cut);
    CHECK(signed_reader.ReadVarInt().magnitude == 0);
    CHECK_FALSE(signed_reader.ok());
    ByteReader float_reader(cut);
    CHECK(float_reader.ReadFloat64() == 0);
    CHECK_FALSE(float_reader.ok());
  }
}

TEST_CASE("a length past the end is an error, however large", "[crdt]") {
  std::string bytes;
  WriteVarUint(bytes, uint64_t{1} << 40);
  bytes += "abc";
  ByteReader reader(bytes);
  CHECK(reader.ReadVarBytes().empty());
  CHECK(reader.error() == "a length reaches past the end"sv);
  CHECK(reader.AtEnd());
}

TEST_CASE("a count over the most is an error at its first byte, and no count", "[crdt]") {
  for (const std::string_view bytes : {"\x01\x03"sv, "\x01\xac\x02"sv}) {
    ByteReader reader(bytes, 7);
    CHECK(reader.ReadCount(2, "too many") == 1);
    CHECK(reader.ReadCount(2, "too many") == 0);
    CHECK(reader.error() == "too many"sv);
    CHECK(reader.error_offset() == 8);
  }
}

TEST_CASE("the first error stays, and reads after it give nothing", "[crdt]") {
  ByteReader reader(
      "\x05"
      "ab"sv,
      7);
  CHECK(reader.ReadVarString().empty());
  CHECK(reader.error_offset() == 8);
  CHECK(reader.ReadByte() == 0);
  CHECK(reader.ReadVarUint() == 0);
  reader.Fail("another");
  CHECK(reader.error() == "a length reaches past the end"sv);
  CHECK(reader.error_offset() == 8);
}

TEST_CASE("text must be UTF-8, and the error says where it starts", "[crdt]") {
  ByteReader good(
      "\x09h\xC3\xA9\xF0\x9F\x98\x80"
      "a\x00"sv);
  CHECK(good.ReadVarString() ==
        "h\xC3\xA9\xF0\x9F\x98\x80"
        "a\x00"sv);
  for (const std::string_view bad : {"\x02"
                                     "a\xff"sv,
                                     "\x02\xC3\x28"sv, "\x03\xED\xA0\x80"sv, "\x01\xC3"sv}) {
    ByteReader reader(bad, 10);
    CHECK(reader.ReadVarString().empty());
    CHECK(reader.error() == "a text isn't UTF-8"sv);
    CHECK(reader.error_offset() == 11);
    CHECK(ByteReader(bad).ReadVarBytes() == bad.substr(1));
  }
}

TEST_CASE("floats are big-endian", "[crdt]") {
  ByteReader reader("\x3F\xC0\x00\x00\x3F\xB9\x99\x99\x99\x99\x99\x9A\x7F\x80\x00\x01"sv);
  CHECK(reader.ReadFloat32() == 1.5);
  CHECK(reader.ReadFloat64() == 0.1);
  CHECK(std::isnan(reader.ReadFloat32()));
  CHECK(reader.AtEnd());
}

TEST_CASE("a copy reads on by itself", "[crdt]") {
  ByteReader reader("\x01\x02"sv);
  CHECK(reader.ReadByte() == 1);
  ByteReader copy = reader;
  CHECK(copy.ReadByte() == 2);
  CHECK(reader.ReadByte() == 2);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
