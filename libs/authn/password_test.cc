#include "authn/password.h"

#include <catch2/catch.hpp>

namespace rivermeet::authn {
namespace {

TEST_CASE("a password matches what was stored of it and nothing else does", "[authn]") {
  const std::string stored = *HashPassword("correct horse battery");
  CHECK(stored.rfind("$argon2id$v=19$m=19456,t=2,p=1$", 0) == 0);
  CHECK(VerifyPassword("correct horse battery", stored));
  CHECK_FALSE(VerifyPassword("correct horse batterz", stored));
  CHECK_FALSE(VerifyPassword("", stored));
  CHECK_FALSE(VerifyPassword("correct horse battery", ""));
  CHECK_FALSE(VerifyPassword("correct horse battery", "$argon2id$v=19$m=1"));
  CHECK(*HashPassword("correct horse battery") != stored);
  CHECK_FALSE(NeedsRehash(stored));
  CHECK(NeedsRehash(stored, {.memory_kib = 64 * 1024}));
  CHECK(NeedsRehash("md5"));
}

TEST_CASE("the reference implementation's own vector verifies", "[authn]") {
  // phc-winner-argon2, src/test.c: argon2id, version 0x13, t=2, m=2^16, p=1, "password", "somesalt".
  CHECK(VerifyPassword("password",
                       "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"));
}

TEST_CASE("an over-long password is refused, a zero byte counts", "[authn]") {
  CHECK(HashPassword(std::string(1025, 'a')).status().code() == absl::StatusCode::kInvalidArgument);
  const std::string stored = *HashPassword(std::string("a\0b", 3));
  CHECK(VerifyPassword(std::string("a\0b", 3), stored));
  CHECK_FALSE(VerifyPassword(std::string("a\0c", 3), stored));
}

TEST_CASE("one-time passwords differ and have no look-alikes", "[authn]") {
  const std::string one = OneTimePassword();
  CHECK(one.size() == 24);
  CHECK(one != OneTimePassword());
  CHECK(one.find_first_of("01lo") == std::string::npos);
}

}  // namespace
}  // namespace rivermeet::authn
