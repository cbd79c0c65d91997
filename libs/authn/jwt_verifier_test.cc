#include "authn/jwt_verifier.h"

#include <catch2/catch.hpp>
#include <thread>

#include "authn/base64url.h"
#include "authn/signing_key.h"
#include "testing/manual_clock.h"

namespace rivermeet::authn {
namespace {

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

// One for all tests: making a key takes a while.
const SigningKey& Key() {
  static const std::shared_ptr<const SigningKey> key = *SigningKey::Generate();
  return *key;
}

// An issuer whose keys can change and whose answer can fail, counting how often it is asked.
struct Source {
  std::vector<std::string> keys{Key().public_jwk()};
  std::vector<std::string> ended;
  bool down = false;
  std::atomic<int> asked = 0;

  KeySource Function() {
    return [this](absl::Time) -> absl::StatusOr<Published> {
      ++asked;
      if (down) return absl::UnavailableError("away");
      Published published(KeySetJson(keys));
      published.ended = ended;
      return published;
    };
  }
};

Principal Ada(absl::Time expires) {
  return {.subject = "ada",
          .tenant = "t1",
          .role = Role::kAdmin,
          .session = "s1",
          .must_change_password = true,
          .expires = expires};
}

TEST_CASE("a token says who it was made for", "[authn]") {
  const testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const Principal ada = Ada(clock.Now() + absl::Minutes(10));
  const auto principal = verifier.Verify(MakeAccessToken(Key(), {}, ada, clock.Now()), kNoDeadline);
  REQUIRE(principal.ok());
  CHECK(principal->subject == "ada");
  CHECK(principal->tenant == "t1");
  CHECK(principal->role == Role::kAdmin);
  CHECK(principal->session == "s1");
  CHECK(principal->must_change_password);
  CHECK(principal->expires == ada.expires);
}

TEST_CASE("names with quotes, controls and other scripts survive a token", "[authn]") {
  const testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  Principal odd = Ada(clock.Now() + absl::Minutes(1));
  odd.subject = "a\"b\\c\n\t\x01\xe6\xb2\xb3\xf0\x9f\x8c\x8a";
  CHECK(verifier.Verify(MakeAccessToken(Key(), {}, odd, clock.Now()), kNoDeadline)->subject == odd.subject);
}

TEST_CASE("a token begins and ends at its time, with the leeway and no more", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({.leeway = absl::Seconds(5)}, source.Function(), clock);
  const absl::Time start = clock.Now();
  const std::string token = MakeAccessToken(Key(), {}, Ada(start + absl::Seconds(600)), start);
  const auto good_at = [&](absl::Duration after) {
    clock.SetWall(start + after);
    return verifier.Verify(token, kNoDeadline).ok();
  };
  CHECK_FALSE(good_at(absl::Seconds(-6)));
  CHECK(good_at(absl::Seconds(-5)));
  CHECK(good_at(absl::Seconds(604)));
  CHECK_FALSE(good_at(absl::Seconds(605)));
  CHECK_FALSE(good_at(absl::Hours(24 * 365)));
  CHECK_FALSE(good_at(absl::Hours(-24 * 365)));
}

TEST_CASE("another issuer's or audience's token is refused", "[authn]") {
  const testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const Principal ada = Ada(clock.Now() + absl::Minutes(10));
  for (const AccessTokenOptions& options :
       {AccessTokenOptions{.issuer = "other"}, AccessTokenOptions{.audience = "other"}}) {
    CHECK_FALSE(verifier.Verify(MakeAccessToken(Key(), options, ada, clock.Now()), kNoDeadline).ok());
  }
}

TEST_CASE("a megabyte of token is refused unread", "[authn]") {
  const testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  for (const std::string& token :
       {std::string(1 << 20, 'A'), std::string(1 << 20, '.'), std::string(), std::string("..")}) {
    CHECK(verifier.Verify(token, kNoDeadline).status().code() == absl::StatusCode::kUnauthenticated);
  }
  CHECK(source.asked == 0);
}

TEST_CASE("a new key is fetched when a token names it, but not at every unknown name", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const Principal ada = Ada(clock.Now() + absl::Hours(1));
  REQUIRE(verifier.Verify(MakeAccessToken(Key(), {}, ada, clock.Now()), kNoDeadline).ok());
  CHECK(source.asked == 1);

  const auto next = *SigningKey::Generate();
  const std::string token = MakeAccessToken(*next, {}, ada, clock.Now());
  for (int i = 0; i < 100; ++i) CHECK_FALSE(verifier.Verify(token, kNoDeadline).ok());
  CHECK(source.asked == 1);
  source.keys.push_back(next->public_jwk());
  clock.Advance(absl::Seconds(5));
  CHECK(verifier.Verify(token, kNoDeadline).ok());
  CHECK(source.asked == 2);
}

TEST_CASE("keys serve five minutes without their source, then nothing passes", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const std::string token = MakeAccessToken(Key(), {}, Ada(clock.Now() + absl::Hours(1)), clock.Now());
  REQUIRE(verifier.Verify(token, kNoDeadline).ok());
  source.down = true;
  clock.Advance(absl::Minutes(4));
  CHECK(verifier.Verify(token, kNoDeadline).ok());
  clock.Advance(absl::Minutes(1));
  CHECK(verifier.Verify(token, kNoDeadline).ok());
  clock.Advance(absl::Seconds(1));
  CHECK(verifier.Verify(token, kNoDeadline).status().code() == absl::StatusCode::kUnavailable);
  source.down = false;
  clock.Advance(absl::Seconds(1));
  CHECK(verifier.Verify(token, kNoDeadline).ok());
}

TEST_CASE("a key that the issuer takes back stops within the refresh time", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const std::string token = MakeAccessToken(Key(), {}, Ada(clock.Now() + absl::Hours(1)), clock.Now());
  REQUIRE(verifier.Verify(token, kNoDeadline).ok());
  source.keys.clear();
  clock.Advance(absl::Seconds(1));
  CHECK_FALSE(verifier.Verify(token, kNoDeadline).ok());
}

TEST_CASE("an ended session or key is refused within the refresh time, others are not", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const Principal ada = Ada(clock.Now() + absl::Hours(1));
  Principal key = ada;
  key.subject = "key1";
  key.session.clear();
  const std::string by_ada = MakeAccessToken(Key(), {}, ada, clock.Now());
  const std::string by_key = MakeAccessToken(Key(), {}, key, clock.Now());
  REQUIRE(verifier.Verify(by_ada, kNoDeadline).ok());
  REQUIRE(verifier.Verify(by_key, kNoDeadline).ok());
  // A user's id ends nothing: sessions do.
  source.ended = {"s1", "ada"};
  clock.Advance(absl::Seconds(1));
  CHECK(verifier.Verify(by_ada, kNoDeadline).status().code() == absl::StatusCode::kUnauthenticated);
  CHECK(verifier.Recheck(ada, kNoDeadline).code() == absl::StatusCode::kUnauthenticated);
  CHECK(verifier.Verify(by_key, kNoDeadline).ok());
  CHECK(verifier.Recheck(key, kNoDeadline).ok());
  source.ended = {"key1"};
  clock.Advance(absl::Seconds(1));
  CHECK(verifier.Recheck(ada, kNoDeadline).ok());
  CHECK(verifier.Recheck(key, kNoDeadline).code() == absl::StatusCode::kUnauthenticated);
  // It is still known while the source is away.
  source.down = true;
  clock.Advance(absl::Minutes(2));
  CHECK(verifier.Recheck(key, kNoDeadline).code() == absl::StatusCode::kUnauthenticated);
  clock.Advance(absl::Minutes(4));
  CHECK(verifier.Recheck(ada, kNoDeadline).code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("a principal that has expired may not go on", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const Principal ada = Ada(clock.Now() + absl::Seconds(10));
  CHECK(verifier.Recheck(ada, kNoDeadline).ok());
  clock.Advance(absl::Seconds(15));
  CHECK(verifier.Recheck(ada, kNoDeadline).code() == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("a source that is away is asked seldom", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const std::string token = MakeAccessToken(Key(), {}, Ada(clock.Now() + absl::Hours(1)), clock.Now());
  REQUIRE(verifier.Verify(token, kNoDeadline).ok());
  source.down = true;
  source.asked = 0;
  for (int i = 0; i < 600; ++i) {
    clock.Advance(absl::Milliseconds(100));
    CHECK(verifier.Verify(token, kNoDeadline).ok());
  }
  CHECK(source.asked >= 10);
  CHECK(source.asked <= 14);
}

TEST_CASE("many threads verify while keys are fetched", "[authn]") {
  testing::ManualClock clock;
  Source source;
  JwtVerifier verifier({}, source.Function(), clock);
  const std::string token = MakeAccessToken(Key(), {}, Ada(clock.Now() + absl::Hours(10)), clock.Now());
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        good += verifier.Verify(token, kNoDeadline).ok();
        clock.Advance(absl::Seconds(1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 800);
  CHECK(source.asked > 1);
}

TEST_CASE("a key set with a weak key, a kid twice or too much in it is refused whole", "[authn]") {
  const std::string weak(128, '\xff');
  CHECK_FALSE(
      KeySet::Parse(R"({"keys":[{"kty":"RSA","kid":"w","e":"AQAB","n":")" + EncodeBase64Url(weak) + "\"}]}").ok());
  CHECK_FALSE(KeySet::Parse(KeySetJson({Key().public_jwk(), Key().public_jwk()})).ok());
  CHECK_FALSE(KeySet::Parse(std::string(300 << 10, ' ')).ok());
  CHECK_FALSE(KeySet::Parse("{}").ok());
  CHECK_FALSE(KeySet::Parse("").ok());
  CHECK(KeySet::Parse(KeySetJson({})).value()->size() == 0);
  CHECK(KeySet::Parse(KeySetJson({Key().public_jwk()})).value()->size() == 1);
}

TEST_CASE("a signing key comes back from its PEM, and nothing else does", "[authn]") {
  const auto again = SigningKey::FromPem(Key().private_pem());
  REQUIRE(again.ok());
  CHECK((*again)->kid() == Key().kid());
  CHECK((*again)->public_jwk() == Key().public_jwk());
  CHECK_FALSE(SigningKey::FromPem("").ok());
  CHECK_FALSE(SigningKey::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").ok());
}

}  // namespace
}  // namespace rivermeet::authn
