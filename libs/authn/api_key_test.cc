#include "authn/api_key.h"

#include <catch2/catch.hpp>
#include <set>

#include "authn/base64url.h"
#include "base/ids.h"

namespace rivermeet::authn {
namespace {

TEST_CASE("an API key is read back as it was made", "[authn]") {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const ApiKey key = ApiKey::Generate();
    CHECK(seen.insert(key.id).second);
    CHECK(seen.insert(key.secret).second);
    const auto read = ApiKey::Parse(key.ToString());
    REQUIRE(read);
    CHECK(read->id == key.id);
    CHECK(read->secret == key.secret);
    CHECK(DecodeBase64Url(key.secret)->size() == 32);
    CHECK(EqualSecrets(HashSecret(key.secret), HashSecret(read->secret)));
  }
}

TEST_CASE("what is not an API key is not taken for one", "[authn]") {
  const std::string good = ApiKey::Generate().ToString();
  for (size_t i = 0; i < good.size(); ++i) CHECK_FALSE(ApiKey::Parse(good.substr(0, i)));
  CHECK_FALSE(ApiKey::Parse(good + "A"));
  CHECK_FALSE(ApiKey::Parse("rm_" + std::string(20, 'g') + good.substr(23)));
  CHECK_FALSE(ApiKey::Parse("RM_" + good.substr(3)));
  CHECK_FALSE(ApiKey::Parse(good.substr(0, good.size() - 1) + "="));
}

TEST_CASE("secrets are equal only when every byte is", "[authn]") {
  CHECK(EqualSecrets("", ""));
  CHECK(EqualSecrets("abc", "abc"));
  CHECK_FALSE(EqualSecrets("abc", "abd"));
  CHECK_FALSE(EqualSecrets("abc", "ab"));
}

TEST_CASE("base64url has one form for each byte string", "[authn]") {
  for (size_t size = 0; size < 70; ++size) {
    const std::string bytes = RandomBytes(size);
    CHECK(DecodeBase64Url(EncodeBase64Url(bytes)) == bytes);
  }
  CHECK(EncodeBase64Url("\xfb\xff") == "-_8");
  for (const char* bad : {"A", "AB", "AAB", "AA==", "AA=", "A+AA", "A/AA", "AA A", "AAAA\n", "AAAAA"}) {
    INFO(bad);
    CHECK_FALSE(DecodeBase64Url(bad));
  }
}

}  // namespace
}  // namespace rivermeet::authn
