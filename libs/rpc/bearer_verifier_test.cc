#include "rpc/bearer_verifier.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "absl/time/clock.h"
#include "authn/signing_key.h"
#include "fmt/format.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/server.h"
#include "testing/eventually.h"
#include "testing/manual_clock.h"

namespace rivermeet::rpc {
namespace {

// Gives out tokens for one key, counts how often it is asked, and can be away.
class Auth final : public auth::v1::AuthService::Service {
 public:
  explicit Auth(const Clock& clock) : clock_(clock) {}

  grpc::Status GetJwks(grpc::ServerContext* context, const auth::v1::GetJwksRequest*,
                       auth::v1::GetJwksResponse* response) override {
    while (hangs && !context->IsCancelled()) std::this_thread::yield();
    if (away) return {grpc::StatusCode::UNAVAILABLE, "away"};
    response->set_jwks(authn::KeySetJson({key_->public_jwk()}));
    if (revoked) response->add_ended("key-1");
    return grpc::Status::OK;
  }
  grpc::Status ExchangeApiKey(grpc::ServerContext* context, const auth::v1::ExchangeApiKeyRequest* request,
                              auth::v1::ExchangeApiKeyResponse* response) override {
    ++exchanges;
    while (hangs && !context->IsCancelled()) std::this_thread::yield();
    if (away) return {grpc::StatusCode::UNAVAILABLE, "away"};
    if (revoked || request->api_key() != "rm_id_secret") return {grpc::StatusCode::UNAUTHENTICATED, "no such key"};
    response->set_access_token(Token());
    return grpc::Status::OK;
  }
  std::string Token() const {
    return authn::MakeAccessToken(
        *key_, {},
        {.subject = "key-1", .tenant = "t1", .role = authn::Role::kEditor, .expires = clock_.Now() + absl::Minutes(10)},
        clock_.Now());
  }

  std::atomic<int> exchanges = 0;
  std::atomic<bool> away = false;
  // Answers nothing, and not that either, until the caller gives up.
  std::atomic<bool> hangs = false;
  std::atomic<bool> revoked = false;

 private:
  const Clock& clock_;
  const std::shared_ptr<const authn::SigningKey> key_ = authn::SigningKey::Generate().value();
};

struct Fixture {
  // Deadlines of real calls are made from it: it starts at the real time.
  testing::ManualClock clock{absl::Now()};
  Auth auth{clock};
  std::unique_ptr<Server> server = Server::Start({}, {&auth}).value();
  ChannelSource channel = [this] { return server->InProcessChannel(); };
  authn::JwtVerifier tokens{{}, PublishedBy(channel), clock};
  // The tests say when it looks at what it watches.
  BearerVerifier verifier{{.recheck = absl::InfiniteDuration(), .answering_threads = 1}, tokens, channel, clock};

  absl::StatusOr<CredentialPtr> Verify(std::string_view bearer) {
    return verifier.Verify(bearer, absl::Now() + absl::Seconds(20));
  }
  // Until the verifier's own thread has let go of what it answered: it works on one bearer after the other.
  void Settle() { CHECK_FALSE(Verify(fmt::format("stranger {}", ++strangers)).ok()); }
  int strangers = 0;
  // As the second's look does after that time.
  void Pass(absl::Duration time) {
    clock.Advance(time);
    verifier.Recheck();
  }
};

TEST_CASE("an access token and an API key lead to their principal", "[rpc]") {
  Fixture fixture;
  CHECK((*fixture.Verify(fixture.auth.Token()))->principal().subject == "key-1");
  CHECK((*fixture.Verify("rm_id_secret"))->principal().tenant == "t1");
  CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_wrong").status()));
  CHECK(absl::IsUnauthenticated(fixture.Verify("nonsense").status()));
}

TEST_CASE("a key in use is asked about once a minute", "[rpc]") {
  Fixture fixture;
  for (int second = 0; second < 60; ++second) {
    CHECK(fixture.Verify("rm_id_secret").ok());
    fixture.verifier.Recheck();
    CHECK(fixture.auth.exchanges == 1);
    fixture.clock.Advance(absl::Seconds(1));
  }
  fixture.verifier.Recheck();
  REQUIRE(testing::Eventually([&] { return fixture.auth.exchanges >= 2; }));
  CHECK(fixture.Verify("rm_id_secret").ok());
}

TEST_CASE("a known bearer is answered on the caller's thread while the auth service hangs", "[rpc]") {
  Fixture fixture;
  const auto held = fixture.Verify("rm_id_secret");
  REQUIRE(held.ok());
  fixture.auth.hangs = true;
  fixture.clock.Advance(absl::Seconds(90));
  std::thread look([&] { fixture.verifier.Recheck(); });
  std::thread::id answered;
  fixture.verifier.Verify("rm_id_secret", [&](const auto& credential) {
    CHECK(credential.ok());
    answered = std::this_thread::get_id();
  });
  CHECK(answered == std::this_thread::get_id());
  look.join();
}

TEST_CASE("asking about a stranger does not hold up the one who asks", "[rpc]") {
  Fixture fixture;
  fixture.auth.hangs = true;
  std::atomic<int> answers = 0;
  for (int i = 0; i < 10; ++i) {
    fixture.verifier.Verify("rm_id_secret", [&](const auto& credential) {
      CHECK(credential.ok());
      ++answers;
    });
  }
  CHECK(answers == 0);
  fixture.auth.hangs = false;
  REQUIRE(testing::Eventually([&] { return answers >= 10; }));
  CHECK(fixture.auth.exchanges == 1);
}

TEST_CASE("whoever holds a revoked bearer is told at the next look", "[rpc]") {
  Fixture fixture;
  const auto key = fixture.Verify("rm_id_secret"), token = fixture.Verify(fixture.auth.Token());
  REQUIRE((key.ok() && token.ok()));
  int told = 0;
  const Ending first(*key, [&] { ++told; }), second(*token, [&] { ++told; });
  fixture.auth.revoked = true;
  CHECK((*key)->status().ok());
  fixture.Pass(absl::Seconds(1));
  CHECK(told == 2);
  CHECK(absl::IsUnauthenticated((*key)->status()));
  CHECK(absl::IsUnauthenticated((*token)->status()));
  CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_secret").status()));
  const Ending late(*key, [&] { ++told; });
  CHECK(told == 3);
}

TEST_CASE("whoever holds a token is told when it expires, and a key goes on", "[rpc]") {
  Fixture fixture;
  const auto key = fixture.Verify("rm_id_secret"), token = fixture.Verify(fixture.auth.Token());
  for (int minute = 1; minute <= 11; ++minute) {
    const int asked = fixture.auth.exchanges;
    fixture.clock.Advance(absl::Minutes(1));
    while (fixture.auth.exchanges == asked) fixture.verifier.Recheck();
    CHECK(fixture.Verify("rm_id_secret").ok());
  }
  CHECK(absl::IsUnauthenticated((*token)->status()));
  CHECK((*key)->status().ok());
}

TEST_CASE("what nobody uses or holds is not watched, and asked about when it comes back", "[rpc]") {
  Fixture fixture;
  REQUIRE(fixture.Verify("rm_id_secret").ok());
  CHECK(fixture.verifier.Knows("rm_id_secret"));
  fixture.Settle();
  fixture.Pass(absl::Seconds(10));
  CHECK_FALSE(fixture.verifier.Knows("rm_id_secret"));
  fixture.auth.revoked = true;
  CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_secret").status()));
}

TEST_CASE("a refused bearer is refused for a second without being asked about", "[rpc]") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_wrong").status()));
  CHECK(fixture.auth.exchanges == 1);
  fixture.clock.Advance(absl::Seconds(1));
  CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_wrong").status()));
  CHECK(fixture.auth.exchanges == 2);
}

TEST_CASE("once stopped nobody is asked, and who is known stays known", "[rpc]") {
  Fixture fixture;
  REQUIRE(fixture.Verify("rm_id_secret").ok());
  fixture.verifier.Stop();
  fixture.server->Stop(absl::Now());
  fixture.server.reset();
  CHECK(fixture.Verify("rm_id_secret").ok());
  CHECK(absl::IsUnavailable(fixture.Verify("rm_id_other").status()));
  CHECK(fixture.auth.exchanges == 1);
}

TEST_CASE("a flood of strangers is refused beyond its bound and costs nobody known anything", "[rpc]") {
  Fixture fixture;
  BearerVerifier verifier({.recheck = absl::InfiniteDuration(), .max_remembered = 20, .max_asking = 8}, fixture.tokens,
                          fixture.channel, fixture.clock);
  const auto held = verifier.Verify("rm_id_secret", absl::Now() + absl::Seconds(20));
  REQUIRE(held.ok());
  fixture.auth.hangs = true;
  std::atomic<int> refused = 0, answered = 0;
  for (int i = 0; i < 100; ++i) {
    verifier.Verify(fmt::format("rm_id_{}", i), [&](const auto& credential) {
      refused += absl::IsResourceExhausted(credential.status());
      ++answered;
    });
  }
  CHECK(refused == 92);
  CHECK(verifier.Knows("rm_id_secret"));
  fixture.auth.hangs = false;
  REQUIRE(testing::Eventually([&] { return answered >= 100; }));
}

TEST_CASE("while the auth service is away a known key is asked about seldom", "[rpc]") {
  Fixture fixture;
  const auto held = fixture.Verify("rm_id_secret");
  REQUIRE(held.ok());
  fixture.auth.away = true;
  fixture.clock.Advance(absl::Minutes(1));
  for (int i = 0; i < 50; ++i) {
    fixture.verifier.Recheck();
    CHECK(fixture.Verify("rm_id_secret").ok());
  }
  // gRPC repeats a call that found nobody.
  CHECK(fixture.auth.exchanges <= 5);
}

TEST_CASE("a good key outlives the auth service's absence by five minutes", "[rpc]") {
  Fixture fixture;
  const auto held = fixture.Verify("rm_id_secret");
  REQUIRE(held.ok());
  fixture.auth.away = true;
  fixture.Pass(absl::Minutes(4));
  CHECK(fixture.Verify("rm_id_secret").ok());
  CHECK(absl::IsUnavailable(fixture.Verify("rm_other_key").status()));
  fixture.Pass(absl::Minutes(2));
  CHECK(absl::IsUnavailable(fixture.Verify("rm_id_secret").status()));
  CHECK(absl::IsUnavailable((*held)->status()));
}

TEST_CASE("a good key that nobody used meanwhile outlives the auth service's absence too", "[rpc]") {
  Fixture fixture;
  REQUIRE(fixture.Verify("rm_id_secret").ok());
  fixture.Settle();
  fixture.auth.away = true;
  fixture.Pass(absl::Minutes(4));
  CHECK_FALSE(fixture.verifier.Knows("rm_id_secret"));
  CHECK(fixture.Verify("rm_id_secret").ok());
}

TEST_CASE("callers that still wait when the verifier goes are told so", "[rpc]") {
  Fixture fixture;
  fixture.auth.hangs = true;
  absl::Status told;
  {
    BearerVerifier verifier({}, fixture.tokens, fixture.channel, fixture.clock);
    verifier.Verify("rm_id_secret", [&](const auto& credential) { told = credential.status(); });
  }
  CHECK(absl::IsUnavailable(told));
}

}  // namespace
}  // namespace rivermeet::rpc
