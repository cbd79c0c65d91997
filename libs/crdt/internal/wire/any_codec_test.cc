#include "crdt/internal/wire/any_codec.h"

#include <bit>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "crdt/internal/wire/byte_writer.h"

namespace rivermeet::crdt::internal {
namespace {

using namespace std::literals;

constexpr int kDepth = 512;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    hex.push_back("0123456789abcdef"[static_cast<uint8_t>(byte) >> 4]);
    hex.push_back("0123456789abcdef"[static_cast<uint8_t>(byte) & 0xf]);
  }
  return hex;
}

struct Read {
  bool ok = false;
  bool canonical = false;
  std::string copy;
  std::string error;
  size_t error_offset = 0;
  size_t bytes = 0;
};

// Both ways to read a value, which must agree.
Read ReadAny(std::string_view bytes, AnySource source = AnySource::kPeer, int max_depth = kDepth) {
  ByteReader skipped(bytes);
  ByteReader copied(bytes);
  Read read;
  read.canonical = SkipAny(skipped, max_depth, source);
  read.ok = CopyAny(copied, max_depth, read.copy, source);
  CHECK(read.ok == skipped.ok());
  CHECK(skipped.offset() == copied.offset());
  CHECK((!read.canonical || read.ok));
  if (!read.ok) {
    CHECK(skipped.error() == std::string_view(copied.error()));
    CHECK(skipped.error_offset() == copied.error_offset());
    CHECK(read.copy.empty());
    read.error = copied.error();
    read.error_offset = copied.error_offset();
    return read;
  }
  read.bytes = copied.offset();
  CHECK((!read.canonical || read.copy == bytes.substr(0, read.bytes)));
  return read;
}

void CheckAny(std::string_view in, std::string_view canonical, std::string_view json) {
  const Read read = ReadAny(in);
  CHECK(read.ok);
  CHECK(read.bytes == in.size());
  CHECK(Hex(read.copy) == Hex(canonical));
  CHECK(read.canonical == (in == canonical));
  CHECK(ReadAny(canonical).canonical);
  std::string text;
  CHECK(AnyToJson(canonical, text) == (json != "-"));
  if (json != "-") CHECK(text == json);
}

void CheckJson(std::string_view json, std::string_view canonical) {
  std::string any = "before";
  const char* error = nullptr;
  size_t offset = 0;
  const bool ok = JsonToAny(json, kDepth, any, &error, &offset);
  CHECK(ok == (canonical != "-"));
  if (ok) {
    CHECK(Hex(any.substr(6)) == canonical);
  } else {
    CHECK(error != nullptr);
    CHECK(offset <= json.size());
  }
}

TEST_CASE("values, JSON and numbers are what lib0 and JavaScript make of them", "[crdt]") {
  std::ifstream file("libs/crdt/testdata/any_vectors.txt");
  REQUIRE(file);
  std::string line;
  int lines = 0;
  for (; std::getline(file, line); ++lines) {
    INFO(line);
    std::istringstream words(line);
    std::string kind;
    std::string in;
    std::string out;
    std::string rest;
    words >> kind >> in >> out;
    std::getline(words.ignore(1), rest);
    if (kind == "any") {
      CheckAny(FromHex(in), FromHex(out), rest);
    } else if (kind == "json") {
      // An empty text leaves its word out.
      CheckJson(line.starts_with("json  ") ? "" : FromHex(in), line.starts_with("json  ") ? in : out);
    } else {
      REQUIRE(kind == "number");
      std::string text;
      AppendJavaScriptNumber(ByteReader(FromHex(in)).ReadFloat64(), text);
      CHECK(text == out);
    }
  }
  CHECK(lines > 1500);
}

// {"a":1,"b":[0.5,"x",null],"c":bytes,"d":5n}
const std::string& Sample() {
  static const std::string sample = FromHex(
      "7604"
      "01617d01"
      "0162"
      "7503"
      "7c3f000000"
      "770178"
      "7e"
      "0163"
      "74020102"
      "0164"
      "7a0000000000000005");
  return sample;
}

TEST_CASE("a value cut short is an error at every byte", "[crdt]") {
  const std::string& bytes = Sample();
  CHECK(ReadAny(bytes).canonical);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Read read = ReadAny(std::string_view(bytes).substr(0, size));
    CHECK_FALSE(read.ok);
    CHECK(read.error_offset <= size);
  }
}

TEST_CASE("only one value is read, and what follows stays", "[crdt]") {
  const Read read = ReadAny(FromHex("7d01ff"));
  CHECK(read.ok);
  CHECK(read.bytes == 2);
  std::string copies;
  const std::string two = FromHex("7d017e");
  ByteReader reader(two);
  CHECK(CopyAny(reader, kDepth, copies));
  CHECK(CopyAny(reader, kDepth, copies));
  CHECK(copies == two);
}

TEST_CASE("every byte that is no tag is an error where it stands", "[crdt]") {
  for (int tag = 0; tag < 256; ++tag) {
    const std::string bytes = FromHex("7501") + std::string(1, static_cast<char>(tag)) + std::string(16, '\0');
    const Read read = ReadAny(bytes);
    CHECK(read.ok == (tag >= 116 && tag <= 127));
    if (!read.ok) {
      CHECK(read.error == "a value of an unknown type");
      CHECK(read.error_offset == 2);
    }
  }
}

TEST_CASE("values nest up to the limit, and a million deep are an error and no crash", "[crdt]") {
  const auto nested = [](size_t depth, std::string_view opening) {
    std::string bytes;
    for (size_t i = 0; i < depth; ++i) bytes += opening;
    return bytes + '\x7e';
  };
  for (const std::string_view opening : {"\x75\x01"sv,
                                         "\x76\x01\x01"
                                         "a"sv}) {
    CHECK(ReadAny(nested(kDepth, opening)).canonical);
    const Read deeper = ReadAny(nested(kDepth + 1, opening));
    CHECK(deeper.error == kNestsTooDeeply);
    CHECK(deeper.error_offset == kDepth * opening.size());
    CHECK(ReadAny(nested(1'000'000, opening)).error == kNestsTooDeeply);
    CHECK(ReadAny(nested(1'000'000, opening), AnySource::kPeer, 2'000'000).canonical);
    CHECK(ReadAny(nested(1, opening), AnySource::kPeer, 0).error == kNestsTooDeeply);
  }
  CHECK(ReadAny("\x7e", AnySource::kPeer, 0).canonical);
}

TEST_CASE("counts with nothing behind them are errors at once", "[crdt]") {
  for (const uint8_t tag : {116, 117, 118, 119}) {
    for (const uint64_t count : {uint64_t{2}, uint64_t{1} << 32, uint64_t{1} << 40, kMaxInteger}) {
      std::string bytes(1, static_cast<char>(tag));
      WriteVarUint(bytes, count);
      CHECK_FALSE(ReadAny(bytes + "\x7e").ok);
    }
  }
}

TEST_CASE("integers over 2^53 - 1 and text that isn't UTF-8 are errors in values", "[crdt]") {
  CHECK(ReadAny(FromHex("7dbfffffffffffff1f")).ok);
  CHECK(ReadAny(FromHex("7dffffffffffffff3f")).error == "an integer is over 2^53 - 1");
  CHECK(ReadAny(FromHex("7702c328")).error == "a text isn't UTF-8");
  CHECK(ReadAny(FromHex("7703eda080")).error == "a text isn't UTF-8");
  CHECK(ReadAny(FromHex("760101ff7e")).error == "a text isn't UTF-8");
}

TEST_CASE("lone surrogates and a key __proto__ are kept where the bytes are our own", "[crdt]") {
  const std::string lone = FromHex("7703eda080");
  CHECK(ReadAny(lone, AnySource::kOwn).canonical);
  CHECK_FALSE(ReadAny(FromHex("7706eda0bdedb880"), AnySource::kOwn).ok);
  const std::string proto = FromHex("7601095f5f70726f746f5f5f7d01");
  CHECK(ReadAny(proto, AnySource::kOwn).canonical);
  CHECK_FALSE(ReadAny(proto).canonical);
  CHECK(Hex(ReadAny(proto).copy) == "7600");
}

TEST_CASE("__proto__ vanishes even where another one was null", "[crdt]") {
  const std::string twice = FromHex(
      "7603"
      "095f5f70726f746f5f5f7e"
      "095f5f70726f746f5f5f7d05"
      "01617d01");
  CHECK(Hex(ReadAny(twice).copy) == "760101617d01");
}

TEST_CASE("objects inside values that vanish are not written", "[crdt]") {
  // {"b":{"z":1,"0":2},"b":[{"y":1,"1":2}],"1":0}: the first b's value goes, the second one's keys change places.
  const std::string bytes = FromHex(
      "7603"
      "0162"
      "7602"
      "017a7d01"
      "01307d02"
      "0162"
      "7501"
      "7602"
      "01797d01"
      "01317d02"
      "0131"
      "7d00");
  CHECK(Hex(ReadAny(bytes).copy) ==
        "7602"
        "0131"
        "7d00"
        "0162"
        "7501"
        "7602"
        "01317d02"
        "01797d01");
}

TEST_CASE("many keys are put in order, and equal ones are found among them", "[crdt]") {
  std::string bytes = "\x76";
  WriteVarUint(bytes, 100'001);
  for (int i = 0; i <= 100'000; ++i) {
    WriteVarBytes(bytes, "k" + std::to_string(i % 100'000));
    AppendAnyNumber(i, bytes);
  }
  const Read read = ReadAny(bytes);
  CHECK_FALSE(read.canonical);
  ByteReader reader(read.copy);
  reader.ReadByte();
  CHECK(reader.ReadVarUint() == 100'000);
  CHECK(reader.ReadVarString() == "k0");
  reader.ReadByte();
  CHECK(reader.ReadVarInt().value() == 100'000);
}

TEST_CASE("what is deep and out of order everywhere is copied in time that its size bounds", "[crdt]") {
  // {"b":{"b":...,"a":1,"a":2},"a":1,"a":2} with a megabyte inside.
  std::string bytes;
  for (int i = 0; i < kDepth - 1; ++i) bytes += FromHex("76030162");
  bytes += '\x74';
  WriteVarBytes(bytes, std::string(1'000'000, 'x'));
  for (int i = 0; i < kDepth - 1; ++i) bytes += FromHex("01617d0101617d02");
  const Read read = ReadAny(bytes);
  CHECK(read.ok);
  CHECK(ReadAny(read.copy).canonical);
  CHECK(read.copy.size() == bytes.size() - (kDepth - 1) * 4);
}

}  // namespace
}  // namespace rivermeet::crdt::internal
