#include "authn/seal.h"

#include <catch2/catch.hpp>

#include "base/ids.h"

namespace rivermeet::authn {
namespace {

TEST_CASE("a sealed secret opens with its key and context only", "[authn]") {
  const std::string key = RandomBytes(kSealKeyBytes);
  for (const std::string& secret : {std::string(), std::string("a"), RandomBytes(4000)}) {
    const std::string sealed = Seal(key, "k1", secret);
    CHECK(Unseal(key, "k1", sealed).value() == secret);
    CHECK_FALSE(Unseal(RandomBytes(kSealKeyBytes), "k1", sealed).ok());
    CHECK_FALSE(Unseal(key, "k2", sealed).ok());
    CHECK_FALSE(Unseal("short", "k1", sealed).ok());
    CHECK(Seal(key, "k1", secret) != sealed);
  }
}

TEST_CASE("every changed or missing byte of a sealed secret is noticed", "[authn]") {
  const std::string key = RandomBytes(kSealKeyBytes);
  const std::string sealed = Seal(key, "k1", "secret");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(Unseal(key, "k1", changed).ok());
    CHECK_FALSE(Unseal(key, "k1", sealed.substr(0, i)).ok());
  }
}

}  // namespace
}  // namespace rivermeet::authn
