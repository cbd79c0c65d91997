#include "net/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <random>

namespace rivermeet::net {
namespace {

std::string Words(size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) text += std::to_string(random() % 1000) + ",host,";
  text.resize(size);
  return text;
}

std::string Deflate(std::string_view data, int window_bits) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, data.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = data.size();
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = out.size();
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(std::string_view data) {
  std::string out(ZSTD_compressBound(data.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3));
  return out;
}

TEST_CASE("each coding gives back what went in, at sizes around a step", "[net]") {
  for (const size_t size : {0, 1, 1000, 65535, 65536, 65537, 131072, 1000000}) {
    CAPTURE(size);
    const std::string text = Words(size);
    CHECK(Inflate("gzip", Deflate(text, 31), {}).value() == text);
    CHECK(Inflate("deflate", Deflate(text, 15), {}).value() == text);
    CHECK(Inflate("zstd", Zstd(text), {}).value() == text);
  }
  CHECK(Inflate("gzip", Deflate("a", 31) + Deflate("b", 31), {}).value() == "ab");
  CHECK(Inflate("zstd", Zstd("a") + Zstd("b"), {}).value() == "ab");
}

TEST_CASE("a stream cut off anywhere or followed by rubbish is refused", "[net]") {
  const std::string text = Words(300);
  const std::string gzip = Deflate(text, 31), zlib = Deflate(text, 15), zstd = Zstd(text);
  for (size_t size = 0; size < gzip.size(); ++size) CHECK_FALSE(Inflate("gzip", gzip.substr(0, size), {}).ok());
  for (size_t size = 0; size < zlib.size(); ++size) CHECK_FALSE(Inflate("deflate", zlib.substr(0, size), {}).ok());
  for (size_t size = 0; size < zstd.size(); ++size) CHECK_FALSE(Inflate("zstd", zstd.substr(0, size), {}).ok());
  CHECK_FALSE(Inflate("gzip", gzip + "x", {}).ok());
  CHECK_FALSE(Inflate("deflate", zlib + "x", {}).ok());
  CHECK_FALSE(Inflate("zstd", zstd + "x", {}).ok());
  CHECK(absl::IsUnimplemented(Inflate("br", gzip, {}).status()));
}

TEST_CASE("a bomb stops at the ratio and at the absolute limit", "[net]") {
  const std::string zeros(50 << 20, '\0');
  for (const auto& [coding, bomb] : {std::pair<const char*, std::string>("gzip", Deflate(zeros, 31)),
                                     std::pair<const char*, std::string>("zstd", Zstd(zeros))}) {
    CAPTURE(coding);
    CHECK(absl::IsResourceExhausted(Inflate(coding, bomb, {.max_bytes = 1 << 30}).status()));
    CHECK(
        absl::IsResourceExhausted(Inflate(coding, bomb, {.max_bytes = (50 << 20) - 1, .max_ratio = 1 << 20}).status()));
    CHECK(Inflate(coding, bomb, {.max_bytes = 50 << 20, .max_ratio = 1 << 20}).value().size() == zeros.size());
  }
}

TEST_CASE("responses are compressed only where a tenth is saved", "[net]") {
  const std::string text = Words(5000);
  CHECK(Inflate("gzip", GzipIfItPays(text).value(), {}).value() == text);
  CHECK_FALSE(GzipIfItPays("short").has_value());
  std::mt19937 random(7);
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  CHECK_FALSE(GzipIfItPays(noise).has_value());
}

TEST_CASE("what a client accepts is read from its list", "[net]") {
  CHECK(Accepts("gzip", "gzip"));
  CHECK(Accepts("deflate, GZIP;q=0.5", "gzip"));
  CHECK_FALSE(Accepts("gzip;q=0", "gzip"));
  CHECK_FALSE(Accepts("gzip; q=0.000, *", "gzip"));
  CHECK(Accepts("gzip;q=0.001", "gzip"));
  CHECK(Accepts("*", "gzip"));
  CHECK_FALSE(Accepts("", "gzip"));
  CHECK_FALSE(Accepts("br", "gzip"));
}

}  // namespace
}  // namespace rivermeet::net
