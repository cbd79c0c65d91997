#include "rpc/bearer_verifier.h"

#include <atomic>
#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "authn/signing_key.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/server.h"
#include "testing/manual_clock.h"

namespace rivermeet::rpc {
namespace {

// Gives out tokens for one key, counts how often it is asked, and can be away.
class Auth final : public auth::v1::AuthService::Service {
 public:
  explicit Auth(const Clock& clock) : clock_(clock) {}

  grpc::Status GetJwks(grpc::ServerContext*, const auth::v1::GetJwksRequest*,
                       auth::v1::GetJwksResponse* response) override {
    if (away) return {grpc::StatusCode::UNAVAILABLE, "away"};
    response->set_jwks(authn::KeySetJson({key_->public_jwk()}));
    if (revoked) response->add_ended("key-1");
    return grpc::Status::OK;
  }
  grpc::Status ExchangeApiKey(grpc::ServerContext*, const auth::v1::ExchangeApiKeyRequest* request,
                              auth::v1::ExchangeApiKeyResponse* response) override {
    ++exchanges;
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
  BearerVerifier verifier{{}, [this] { return server->InProcessChannel(); }, clock};

  absl::StatusOr<authn::Principal> Verify(std::string_view bearer) {
    return verifier.Verify(bearer, absl::Now() + absl::Seconds(10));
  }
};

TEST_CASE("an access token and an API key lead to their principal", "[rpc]") {
  Fixture fixture;
  CHECK(fixture.Verify(fixture.auth.Token())->subject == "key-1");
  CHECK(fixture.Verify("rm_id_secret")->tenant == "t1");
  CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_wrong").status()));
  CHECK(absl::IsUnauthenticated(fixture.Verify("nonsense").status()));
}

TEST_CASE("a key is asked about once and again after its time", "[rpc]") {
  Fixture fixture;
  for (int i = 0; i < 5; ++i) CHECK(fixture.Verify("rm_id_secret").ok());
  CHECK(fixture.auth.exchanges == 1);
  fixture.clock.Advance(absl::Minutes(1));
  for (int i = 0; i < 5; ++i) CHECK(fixture.Verify("rm_id_secret").ok());
  CHECK(fixture.auth.exchanges == 2);
}

TEST_CASE("a revoked key works no longer than a second", "[rpc]") {
  Fixture fixture;
  const auto principal = fixture.Verify("rm_id_secret");
  REQUIRE(principal.ok());
  const std::string token = fixture.auth.Token();
  fixture.auth.revoked = true;
  CHECK(fixture.Verify("rm_id_secret").ok());
  fixture.clock.Advance(absl::Seconds(1));
  CHECK(absl::IsUnauthenticated(fixture.Verify("rm_id_secret").status()));
  CHECK(absl::IsUnauthenticated(fixture.Verify(token).status()));
  CHECK(absl::IsUnauthenticated(fixture.verifier.Recheck(*principal, absl::Now() + absl::Seconds(10))));
}

TEST_CASE("while the auth service is away a known key is asked about seldom", "[rpc]") {
  Fixture fixture;
  REQUIRE(fixture.Verify("rm_id_secret").ok());
  fixture.auth.away = true;
  fixture.clock.Advance(absl::Minutes(1));
  for (int i = 0; i < 50; ++i) CHECK(fixture.Verify("rm_id_secret").ok());
  // gRPC repeats a call that found nobody.
  CHECK(fixture.auth.exchanges <= 5);
}

TEST_CASE("a good key outlives the auth service's absence by five minutes", "[rpc]") {
  Fixture fixture;
  REQUIRE(fixture.Verify("rm_id_secret").ok());
  fixture.auth.away = true;
  fixture.clock.Advance(absl::Minutes(4));
  CHECK(fixture.Verify("rm_id_secret").ok());
  CHECK(absl::IsUnavailable(fixture.Verify("rm_other_key").status()));
  fixture.clock.Advance(absl::Minutes(2));
  CHECK_FALSE(fixture.Verify("rm_id_secret").ok());
}

}  // namespace
}  // namespace rivermeet::rpc
