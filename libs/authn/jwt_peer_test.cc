// Tokens made by another implementation, good and hostile: testdata/make_tokens.py.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "authn/jwt_verifier.h"
#include "testing/manual_clock.h"

namespace rivermeet::authn {
namespace {

std::string ReadTestData(const std::string& name) {
  std::ifstream file("libs/authn/testdata/" + name);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE("good tokens of another implementation pass and each hostile one is refused alike", "[authn]") {
  const std::string jwks = ReadTestData("jwks.json");
  const testing::ManualClock clock;
  JwtVerifier verifier(
      {}, [&](absl::Time) { return jwks; }, clock);
  std::istringstream lines(ReadTestData("tokens.txt"));
  std::string verdict, name, token;
  int good = 0, bad = 0;
  while (lines >> verdict >> name >> token) {
    INFO(name);
    const auto principal = verifier.Verify(token, absl::InfiniteFuture());
    if (verdict == "good") {
      ++good;
      REQUIRE(principal.ok());
      CHECK(principal->subject == "u1");
      CHECK(principal->tenant == "t1");
      CHECK(principal->role == Role::kEditor);
      CHECK(principal->session == "s1");
      CHECK(principal->expires == clock.Now() + absl::Minutes(10));
    } else {
      ++bad;
      CHECK(principal.status() == absl::UnauthenticatedError("the token is not valid"));
    }
  }
  CHECK(good >= 5);
  CHECK(bad >= 100);
}

TEST_CASE("every single changed character of a token is noticed", "[authn]") {
  const std::string jwks = ReadTestData("jwks.json");
  const testing::ManualClock clock;
  JwtVerifier verifier(
      {}, [&](absl::Time) { return jwks; }, clock);
  std::istringstream lines(ReadTestData("tokens.txt"));
  std::string verdict, name, token;
  REQUIRE(lines >> verdict >> name >> token);
  REQUIRE(verifier.Verify(token, absl::InfiniteFuture()).ok());
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (verifier.Verify(changed, absl::InfiniteFuture()).ok()) FAIL("changed at " << i);
    if (verifier.Verify(token.substr(0, i), absl::InfiniteFuture()).ok()) FAIL("cut at " << i);
  }
}

}  // namespace
}  // namespace rivermeet::authn
