#include "base/crc32c.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace rivermeet {
namespace {

TEST_CASE("the check values of RFC 3720 appendix B.4 come out", "[base]") {
  CHECK(Crc32c("123456789") == 0xe3069283);
  CHECK(Crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(Crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string ascending(32, '\0');
  for (size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<char>(i);
  CHECK(Crc32c(ascending) == 0x46dd794e);
}

TEST_CASE("the instruction and the tables agree on every length, start and cut", "[base]") {
  std::mt19937_64 random(20261121);
  std::string bytes(40'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (int i = 0; i < 3000; ++i) {
    const size_t from = random() % 64;
    const size_t size = i < 1000 ? static_cast<size_t>(i) : random() % (bytes.size() - from);
    const auto text = std::string_view(bytes).substr(from, size);
    const size_t cut = size == 0 ? 0 : random() % size;
    REQUIRE(Crc32c(text) == Crc32cByTable(text));
    REQUIRE(Crc32c(text.substr(cut), Crc32c(text.substr(0, cut))) == Crc32c(text));
  }
}

}  // namespace
}  // namespace rivermeet
