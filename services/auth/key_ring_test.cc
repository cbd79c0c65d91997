#include "auth/key_ring.h"

#include <catch2/catch.hpp>
#include <set>

#include "authn/jwks.h"
#include "authn/jwt_verifier.h"
#include "base/status.h"
#include "catalog/postgres_fixture.h"
#include "testing/manual_clock.h"

namespace rivermeet::auth {
namespace {

absl::Time Soon() { return catalog::CatalogFixture::Soon(); }

KeyRingOptions Options() { return {.rotation = absl::Hours(24), .seal_key = std::string(32, 'k')}; }

std::string SignerOf(const KeyRing& ring) { return (*ring.Signer())->kid(); }

TEST_CASE("processes that share a catalog share the keys", "[auth]") {
  catalog::CatalogFixture catalog;
  testing::ManualClock clock;
  KeyRing one(catalog.database(), Options(), clock), two(catalog.database(), Options(), clock);
  CHECK(one.Signer().status().code() == absl::StatusCode::kUnavailable);
  CHECK(one.Jwks().status().code() == absl::StatusCode::kUnavailable);
  REQUIRE(one.Refresh(Soon()).ok());
  REQUIRE(two.Refresh(Soon()).ok());
  CHECK(SignerOf(one) == SignerOf(two));
  CHECK(*one.Jwks() == *two.Jwks());
}

TEST_CASE("a new key is published before it signs, and the old one until its last token has ended", "[auth]") {
  catalog::CatalogFixture catalog;
  testing::ManualClock clock;
  KeyRing ring(catalog.database(), Options(), clock);
  REQUIRE(ring.Refresh(Soon()).ok());
  const std::string first = SignerOf(ring);
  const auto published = [&](const std::string& kid) {
    return (*authn::KeySet::Parse(*ring.Jwks()))->Find(kid) != nullptr;
  };

  clock.Advance(absl::Hours(24) - absl::Seconds(1));
  REQUIRE(ring.Refresh(Soon()).ok());
  CHECK((*authn::KeySet::Parse(*ring.Jwks()))->size() == 1);
  clock.Advance(absl::Seconds(1));
  REQUIRE(ring.Refresh(Soon()).ok());
  CHECK((*authn::KeySet::Parse(*ring.Jwks()))->size() == 2);
  CHECK(SignerOf(ring) == first);
  clock.Advance(absl::Minutes(3));
  const std::string second = SignerOf(ring);
  CHECK(second != first);
  CHECK(published(first));

  clock.Advance(absl::Hours(3));
  REQUIRE(ring.Refresh(Soon()).ok());
  CHECK_FALSE(published(first));
  CHECK(published(second));
  CHECK(SignerOf(ring) == second);
}

TEST_CASE("during a rotation every token verifies in a process with its own cache", "[auth]") {
  catalog::CatalogFixture catalog;
  testing::ManualClock clock;
  KeyRing ring(catalog.database(), Options(), clock);
  REQUIRE(ring.Refresh(Soon()).ok());
  authn::JwtVerifier verifier(
      {}, [&](absl::Time) { return ring.Jwks(); }, clock);
  std::string before;
  std::set<std::string> signers;
  for (int minute = 0; minute < 60 * 28; minute += 5) {
    REQUIRE(ring.Refresh(Soon()).ok());
    signers.insert(SignerOf(ring));
    const std::string token = authn::MakeAccessToken(**ring.Signer(), {},
                                                     {.subject = "u",
                                                      .tenant = "t",
                                                      .role = authn::Role::kViewer,
                                                      .session = "",
                                                      .must_change_password = false,
                                                      .expires = clock.Now() + absl::Minutes(10)},
                                                     clock.Now());
    CHECK(verifier.Verify(token, Soon()).ok());
    if (!before.empty()) CHECK(verifier.Verify(before, Soon()).ok());
    before = token;
    clock.Advance(absl::Minutes(5));
  }
  CHECK(signers.size() == 2);
}

TEST_CASE("a key sealed with a lost master key goes on to verify, and another signs", "[auth]") {
  catalog::CatalogFixture catalog;
  testing::ManualClock clock;
  KeyRing before(catalog.database(), Options(), clock);
  REQUIRE(before.Refresh(Soon()).ok());
  KeyRingOptions other = Options();
  other.seal_key = std::string(32, 'x');
  KeyRing after(catalog.database(), other, clock);
  REQUIRE(after.Refresh(Soon()).ok());
  CHECK(SignerOf(after) != SignerOf(before));
  CHECK((*authn::KeySet::Parse(*after.Jwks()))->Find(SignerOf(before)) != nullptr);
}

}  // namespace
}  // namespace rivermeet::auth
