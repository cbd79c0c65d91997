#include "base/ids.h"

#include <catch2/catch.hpp>
#include <set>

namespace rivermeet {
namespace {

TEST_CASE("stream names follow their grammar", "[base]") {
  for (const char* good : {"a", "host.metrics", "a1_b.c", "z"}) CHECK(IsStreamName(good));
  for (const char* bad : {"", "1a", "_a", "A", "a-b", "a/b", "a\n"}) CHECK_FALSE(IsStreamName(bad));
  CHECK(IsStreamName(std::string(63, 'a')));
  CHECK_FALSE(IsStreamName(std::string(64, 'a')));
}

TEST_CASE("identifiers are distinct and of their form", "[base]") {
  std::set<std::string> uuids;
  for (int i = 0; i < 1000; ++i) uuids.insert(NewUuid());
  CHECK(uuids.size() == 1000);
  const std::string uuid = NewUuid();
  CHECK(uuid.size() == 36);
  CHECK(uuid[14] == '7');
  CHECK(RandomToken(32).size() == 43);
  CHECK(static_cast<int64_t>(RandomId()) > 0);
}

}  // namespace
}  // namespace rivermeet
