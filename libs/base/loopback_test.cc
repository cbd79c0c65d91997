#include "base/loopback.h"

#include <catch2/catch.hpp>

namespace rivermeet {
namespace {

TEST_CASE("only addresses of this machine are loopback", "[base]") {
  for (const char* address : {"127.0.0.1:7400", "127.8.9.1", "localhost:1", "[::1]:80", "::1", "localhost"}) {
    INFO(address);
    CHECK(IsLoopback(address));
  }
  for (const char* address : {"10.0.0.1:7400", "127.evil.example.com", "127.0.0.1.example.com:80",
                              "localhost.example.com", "[::2]:80", "", "127.0.0.256"}) {
    INFO(address);
    CHECK_FALSE(IsLoopback(address));
  }
}

}  // namespace
}  // namespace rivermeet
