#include "auth/auth_service.h"

#include <catch2/catch.hpp>
#include <thread>

#include "auth/first_start.h"
#include "authn/api_key.h"
#include "authn/jwt_verifier.h"
#include "authn/password.h"
#include "base/ids.h"
#include "base/status.h"
#include "catalog/postgres_fixture.h"
#include "testing/manual_clock.h"

namespace rivermeet::auth {
namespace {

using authn::Principal;
using authn::Role;

constexpr char kAddress[] = "127.0.0.1";
constexpr char kPassword[] = "a river meets the sea";

absl::Time Soon() { return catalog::CatalogFixture::Soon(); }

struct World {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  testing::ManualClock clock;
  KeyFiles files{folder / "keys"};
  KeyRing keys{catalog.database(), {.seal_key = std::string(32, 'k')}, clock};
  AuthService service{catalog.database(), keys, {}, clock};
  authn::JwtVerifier verifier{{.refresh_after = absl::ZeroDuration(), .refetch_pause = absl::ZeroDuration()},
                              [this](absl::Time deadline) { return service.Publish(deadline); },
                              clock};
  std::string one_time_password;

  World() {
    RM_CHECK_OK(keys.Refresh(Soon()));
    one_time_password = *EnsureFirstAdmin(catalog.database(), files, clock, Soon());
  }
  absl::StatusOr<SignedIn> Login(std::string_view password, std::string_view name = "admin") {
    return service.Login("default", name, password, kAddress, Soon());
  }
  Principal Who(const SignedIn& signed_in) { return *verifier.Verify(signed_in.access.token, Soon()); }
  // Signed in with a password of the admin's own.
  SignedIn Admin() {
    const SignedIn first = *Login(one_time_password);
    return *service.ChangePassword(Who(first), one_time_password, kPassword, kAddress, Soon());
  }
  int64_t Count(const std::string& sql) { return (*catalog.database().Execute(Soon(), sql))[0].Int(0); }
};

absl::StatusCode CodeOf(const absl::Status& status) { return status.code(); }
template <typename T>
absl::StatusCode CodeOf(const absl::StatusOr<T>& result) {
  return result.status().code();
}

TEST_CASE("the first admin signs in with the one-time password and must change it", "[auth]") {
  World world;
  const auto first = world.Login(world.one_time_password);
  INFO(first.status().ToString());
  REQUIRE(first.ok());
  CHECK(first->must_change_password);
  const Principal principal = world.Who(*first);
  CHECK(principal.must_change_password);
  CHECK(principal.role == Role::kAdmin);
  CHECK(principal.tenant == "default");

  const auto change = [&](std::string_view current, std::string_view changed) {
    return world.service.ChangePassword(principal, current, changed, kAddress, Soon());
  };
  CHECK(CodeOf(change("wrong", kPassword)) == absl::StatusCode::kPermissionDenied);
  CHECK(CodeOf(change(world.one_time_password, "short")) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(change(world.one_time_password, world.one_time_password)) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(change(world.one_time_password, std::string(1025, 'x'))) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(change(world.one_time_password, "\xff\xff valid length")) == absl::StatusCode::kInvalidArgument);
  const auto changed = change(world.one_time_password, kPassword);
  REQUIRE(changed.ok());
  CHECK_FALSE(world.Who(*changed).must_change_password);

  CHECK(CodeOf(world.Login(world.one_time_password)) == absl::StatusCode::kUnauthenticated);
  CHECK(world.Login(kPassword).ok());
  CHECK(world.Login(kPassword, "ADMIN").ok());
  // The session of the one-time password has ended.
  CHECK(CodeOf(world.service.Refresh(first->refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(change(kPassword, "another good password")) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("a wrong name, tenant or password is told alike", "[auth]") {
  World world;
  const absl::Status wrong = world.Login("wrong").status();
  CHECK(wrong.code() == absl::StatusCode::kUnauthenticated);
  CHECK(world.Login("wrong", "nobody").status() == wrong);
  CHECK(world.service.Login("other", "admin", world.one_time_password, kAddress, Soon()).status() == wrong);
  CHECK(world.Login(std::string("a\0b", 3)).status() == wrong);
  CHECK(world.Login("x", "a' OR '1'='1").status() == wrong);
  CHECK(CodeOf(world.Login("x", "a\nb")) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(world.Login("x", std::string("a\0b", 3))) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(world.Login("x", std::string(129, 'a'))) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(world.Login(std::string(1025, 'a'))) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(world.service.Login("\xff", "admin", "x", kAddress, Soon())) == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("after too many failures even the right password waits", "[auth]") {
  World world;
  for (int i = 0; i < 10; ++i) CHECK(CodeOf(world.Login("wrong")) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.Login(world.one_time_password)) == absl::StatusCode::kResourceExhausted);
  // An account that does not exist is limited in the same way.
  for (int i = 0; i < 10; ++i) CHECK(CodeOf(world.Login("wrong", "nobody")) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.Login("wrong", "nobody")) == absl::StatusCode::kResourceExhausted);
  world.clock.Advance(absl::Minutes(1));
  CHECK(world.Login(world.one_time_password).ok());
}

TEST_CASE("a refresh token is rotated and the session goes on", "[auth]") {
  World world;
  SignedIn signed_in = world.Admin();
  const std::string session = world.Who(signed_in).session;
  for (int i = 0; i < 3; ++i) {
    world.clock.Advance(absl::Hours(24 * 10));
    RM_CHECK_OK(world.keys.Refresh(Soon()));
    const auto next = world.service.Refresh(signed_in.refresh_token, Soon());
    REQUIRE(next.ok());
    CHECK(next->refresh_token != signed_in.refresh_token);
    CHECK(world.Who(*next).session == session);
    CHECK(world.Who(*next).role == Role::kAdmin);
    signed_in = *next;
  }
  world.clock.Advance(absl::Hours(24 * 14));
  CHECK(CodeOf(world.service.Refresh(signed_in.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.service.Refresh("", Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.service.Refresh("nonsense", Soon())) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("100 concurrent uses of a refresh token all get its one successor", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  std::vector<absl::StatusOr<SignedIn>> results(100, absl::UnknownError("not run"));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 10; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < results.size(); i += 10) {
        results[i] = world.service.Refresh(signed_in.refresh_token, Soon());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) {
    REQUIRE(result.ok());
    CHECK(result->refresh_token == results[0]->refresh_token);
  }
  CHECK(world.service.Refresh(results[0]->refresh_token, Soon()).ok());
  CHECK(world.Count("SELECT count(*) FROM audit_log WHERE action = 'session.refresh'") == 2);
}

TEST_CASE("a refresh token whose answer was lost is answered alike for 10 s, then it ends the session", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  const SignedIn lost = *world.service.Refresh(signed_in.refresh_token, Soon());
  world.clock.Advance(absl::Seconds(10));
  const auto again = world.service.Refresh(signed_in.refresh_token, Soon());
  REQUIRE(again.ok());
  CHECK(again->refresh_token == lost.refresh_token);
  CHECK(again->refresh_expires == lost.refresh_expires);
  CHECK(world.Who(*again).session == world.Who(signed_in).session);

  world.clock.Advance(absl::Seconds(1));
  CHECK(CodeOf(world.service.Refresh(signed_in.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.service.Refresh(lost.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(world.Count("SELECT count(*) FROM audit_log WHERE action = 'session.reuse'") == 1);
}

TEST_CASE("a refresh token whose successor was used ends the session at once", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  const SignedIn second = *world.service.Refresh(signed_in.refresh_token, Soon());
  const SignedIn third = *world.service.Refresh(second.refresh_token, Soon());
  CHECK(CodeOf(world.service.Refresh(signed_in.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.service.Refresh(third.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(world.Count("SELECT count(*) FROM audit_log WHERE action = 'session.reuse'") == 1);
}

TEST_CASE("within its 10 s a used refresh token is no way back into a session that was ended", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  const SignedIn second = *world.service.Refresh(signed_in.refresh_token, Soon());
  RM_CHECK_OK(world.service.Logout(second.refresh_token, Soon()));
  CHECK(CodeOf(world.service.Refresh(signed_in.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("signing out ends the session and needs no session", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  CHECK(world.service.Logout(signed_in.refresh_token, Soon()).ok());
  CHECK(world.service.Logout(signed_in.refresh_token, Soon()).ok());
  CHECK(world.service.Logout("nonsense", Soon()).ok());
  CHECK(CodeOf(world.service.Refresh(signed_in.refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("an API key works until it is revoked or ends", "[auth]") {
  World world;
  const Principal admin = world.Who(world.Admin());
  const auto made = world.service.CreateApiKey(admin, "agent", Role::kEditor, std::nullopt, Soon());
  REQUIRE(made.ok());
  const auto token = world.service.ExchangeApiKey(made->secret, Soon());
  REQUIRE(token.ok());
  const auto principal = world.verifier.Verify(token->token, Soon());
  REQUIRE(principal.ok());
  CHECK(principal->subject == made->key.id);
  CHECK(principal->role == Role::kEditor);
  CHECK(principal->session.empty());
  CHECK(world.service.WhoAmI(*principal, Soon())->name == "agent");
  CHECK(world.service.ListApiKeys(admin, Soon())->front().last_used == world.clock.Now());

  const absl::Status refused = world.service.ExchangeApiKey("rm_x", Soon()).status();
  CHECK(refused.code() == absl::StatusCode::kUnauthenticated);
  const authn::ApiKey other = authn::ApiKey::Generate();
  CHECK(world.service.ExchangeApiKey(other.ToString(), Soon()).status() == refused);
  CHECK(world.service.ExchangeApiKey(authn::ApiKey{made->key.id, other.secret}.ToString(), Soon()).status() == refused);
  CHECK(world.Count("SELECT count(*) FROM api_keys WHERE encode(secret_hash, 'hex') LIKE '%" + other.secret + "%'") ==
        0);

  const auto short_lived =
      world.service.CreateApiKey(admin, "day", Role::kViewer, world.clock.Now() + absl::Minutes(2), Soon());
  CHECK(world.service.ExchangeApiKey(short_lived->secret, Soon())->expires == world.clock.Now() + absl::Minutes(2));
  world.clock.Advance(absl::Minutes(2));
  CHECK(world.service.ExchangeApiKey(short_lived->secret, Soon()).status() == refused);

  CHECK(world.service.RevokeApiKey(admin, made->key.id, Soon()).ok());
  CHECK(CodeOf(world.service.RevokeApiKey(admin, made->key.id, Soon())) == absl::StatusCode::kNotFound);
  CHECK(world.service.ExchangeApiKey(made->secret, Soon()).status() == refused);
  CHECK(CodeOf(world.service.WhoAmI(*principal, Soon())) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("nobody makes a key above their role, sees others' keys or another tenant's", "[auth]") {
  World world;
  const Principal admin = world.Who(world.Admin());
  Principal editor = admin;
  editor.subject = "ed";
  editor.role = Role::kEditor;
  Principal foreign = admin;
  foreign.tenant = "other";
  CHECK(CodeOf(world.service.CreateApiKey(editor, "k", Role::kAdmin, std::nullopt, Soon())) ==
        absl::StatusCode::kPermissionDenied);
  const std::string id = world.service.CreateApiKey(admin, "k", Role::kViewer, std::nullopt, Soon())->key.id;
  CHECK(world.service.ListApiKeys(editor, Soon())->empty());
  CHECK(world.service.ListApiKeys(foreign, Soon())->empty());
  const absl::Status unseen = world.service.RevokeApiKey(editor, id, Soon());
  CHECK(unseen.code() == absl::StatusCode::kNotFound);
  CHECK(world.service.RevokeApiKey(foreign, id, Soon()) == unseen);
  CHECK(world.service.RevokeApiKey(admin, "nonsense", Soon()) == unseen);
  CHECK(world.service.RevokeApiKey(admin, "\xff", Soon()) == unseen);
  CHECK(CodeOf(world.service.ResetPassword(foreign, "admin", Soon())) == absl::StatusCode::kNotFound);
  CHECK(world.service.ListUsers(foreign, Soon())->empty());
  CHECK(CodeOf(world.service.CreateApiKey(admin, "", Role::kViewer, std::nullopt, Soon())) ==
        absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(world.service.CreateApiKey(admin, "k", Role::kViewer, world.clock.Now(), Soon())) ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a ticket works once, for half a minute, and not after its session", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  const Principal admin = world.Who(signed_in);
  const std::string ticket = *world.service.CreateTicket(admin, Soon());
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { good += world.service.RedeemTicket(ticket, Soon()).ok(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 1);

  const std::string in_time = *world.service.CreateTicket(admin, Soon());
  const std::string late = *world.service.CreateTicket(admin, Soon());
  world.clock.Advance(absl::Seconds(29));
  const auto redeemed = world.service.RedeemTicket(in_time, Soon());
  REQUIRE(redeemed.ok());
  CHECK(world.verifier.Verify(redeemed->token, Soon())->session == admin.session);
  world.clock.Advance(absl::Seconds(1));
  CHECK(CodeOf(world.service.RedeemTicket(late, Soon())) == absl::StatusCode::kUnauthenticated);

  const std::string orphan = *world.service.CreateTicket(admin, Soon());
  RM_CHECK_OK(world.service.Logout(signed_in.refresh_token, Soon()));
  CHECK(CodeOf(world.service.RedeemTicket(orphan, Soon())) == absl::StatusCode::kUnauthenticated);

  const auto key = world.service.CreateApiKey(admin, "k", Role::kViewer, std::nullopt, Soon());
  const Principal by_key = *world.verifier.Verify(world.service.ExchangeApiKey(key->secret, Soon())->token, Soon());
  CHECK(world.service.RedeemTicket(*world.service.CreateTicket(by_key, Soon()), Soon()).ok());
  const std::string of_revoked = *world.service.CreateTicket(by_key, Soon());
  RM_CHECK_OK(world.service.RevokeApiKey(admin, key->key.id, Soon()));
  CHECK(CodeOf(world.service.RedeemTicket(of_revoked, Soon())) == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("an admin adds users and resets passwords, which ends their sessions", "[auth]") {
  World world;
  const Principal admin = world.Who(world.Admin());
  User created;
  const auto password = world.service.CreateUser(admin, "Ada", Role::kViewer, &created, Soon());
  REQUIRE(password.ok());
  CHECK(created.name == "ada");
  CHECK(CodeOf(world.service.CreateUser(admin, "ada", Role::kViewer, nullptr, Soon())) ==
        absl::StatusCode::kAlreadyExists);
  CHECK(world.service.ListUsers(admin, Soon())->size() == 2);
  const auto ada = world.Login(*password, "ada");
  REQUIRE(ada.ok());
  CHECK(ada->must_change_password);
  CHECK(world.Who(*ada).role == Role::kViewer);
  const auto reset = world.service.ResetPassword(admin, "ada", Soon());
  REQUIRE(reset.ok());
  CHECK(CodeOf(world.service.Refresh(ada->refresh_token, Soon())) == absl::StatusCode::kUnauthenticated);
  CHECK(CodeOf(world.Login(*password, "ada")) == absl::StatusCode::kUnauthenticated);
  CHECK(world.Login(*reset, "ada").ok());
}

TEST_CASE("a password stored with weaker parameters is stored anew at the next sign-in", "[auth]") {
  World world;
  const std::string weak = *authn::HashPassword(kPassword, {.memory_kib = 1024, .passes = 1});
  RM_CHECK_OK(world.catalog.database().Execute(Soon(), "UPDATE users SET password_hash = $1", {weak}).status());
  REQUIRE(world.Login(kPassword).ok());
  CHECK(world.Count("SELECT count(*) FROM users WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'") == 1);
  CHECK(world.Login(kPassword).ok());
}

TEST_CASE("every change leaves a row in the audit log, which nothing changes", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  const Principal admin = world.Who(signed_in);
  const std::string id = world.service.CreateApiKey(admin, "k", Role::kViewer, std::nullopt, Soon())->key.id;
  RM_CHECK_OK(world.service.RevokeApiKey(admin, id, Soon()));
  RM_CHECK_OK(world.service.CreateUser(admin, "ada", Role::kViewer, nullptr, Soon()).status());
  RM_CHECK_OK(world.service.ResetPassword(admin, "ada", Soon()).status());
  const SignedIn next = *world.service.Refresh(signed_in.refresh_token, Soon());
  RM_CHECK_OK(world.service.Logout(next.refresh_token, Soon()));
  for (const char* action : {"signing_key.make", "user.create", "session.open", "password.change", "api_key.create",
                             "api_key.revoke", "password.reset", "session.refresh", "session.close"}) {
    INFO(action);
    CHECK(world.Count(std::string("SELECT count(*) FROM audit_log WHERE action = '") + action + "'") > 0);
  }
  for (const char* sql : {"DELETE FROM audit_log", "UPDATE audit_log SET actor = 'x'", "TRUNCATE audit_log"}) {
    CHECK_FALSE(world.catalog.database().Execute(Soon(), sql).ok());
  }
}

TEST_CASE("no secret is in the catalog as it was given out", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  const auto key = world.service.CreateApiKey(world.Who(signed_in), "k", Role::kViewer, std::nullopt, Soon());
  const std::string ticket = *world.service.CreateTicket(world.Who(signed_in), Soon());
  const std::string secret = authn::ApiKey::Parse(key->secret)->secret;
  std::string everything;
  for (const char* table :
       {"users", "sessions", "refresh_tokens", "api_keys", "signing_keys", "tickets", "audit_log"}) {
    const auto rows = world.catalog.database().Execute(Soon(), std::string("SELECT t::text FROM ") + table + " t");
    for (const auto row : *rows) everything += row.Text(0);
  }
  for (const std::string& given : {std::string(kPassword), world.one_time_password, signed_in.refresh_token, secret,
                                   ticket, std::string("PRIVATE KEY")}) {
    CHECK(everything.find(given) == std::string::npos);
  }
}

TEST_CASE("what is ended is refused by every verifier within a second, sockets and streams too", "[auth]") {
  World world;
  const SignedIn one = world.Admin();
  const Principal admin = world.Who(one);
  const auto key = world.service.CreateApiKey(admin, "k", Role::kViewer, std::nullopt, Soon());
  const AccessToken by_key = *world.service.ExchangeApiKey(key->secret, Soon());
  const Principal key_holder = *world.verifier.Verify(by_key.token, Soon());
  const SignedIn stolen = *world.Login(kPassword);
  const SignedIn thief = *world.service.Refresh(stolen.refresh_token, Soon());
  world.clock.Advance(absl::Seconds(11));
  const Principal thief_principal = world.Who(thief);
  // A verifier as other processes have it.
  authn::JwtVerifier elsewhere(
      {}, [&](absl::Time deadline) { return world.service.Publish(deadline); }, world.clock);
  for (const std::string& token : {one.access.token, by_key.token, thief.access.token}) {
    REQUIRE(elsewhere.Verify(token, Soon()).ok());
  }
  REQUIRE(elsewhere.Recheck(key_holder, Soon()).ok());

  RM_CHECK_OK(world.service.RevokeApiKey(admin, key->key.id, Soon()));
  CHECK_FALSE(world.service.Refresh(stolen.refresh_token, Soon()).ok());
  world.clock.Advance(absl::Seconds(1));
  CHECK(elsewhere.Verify(by_key.token, Soon()).status().code() == absl::StatusCode::kUnauthenticated);
  CHECK(elsewhere.Recheck(key_holder, Soon()).code() == absl::StatusCode::kUnauthenticated);
  CHECK(elsewhere.Verify(thief.access.token, Soon()).status().code() == absl::StatusCode::kUnauthenticated);
  CHECK(elsewhere.Recheck(thief_principal, Soon()).code() == absl::StatusCode::kUnauthenticated);
  CHECK(elsewhere.Verify(one.access.token, Soon()).ok());

  RM_CHECK_OK(world.service.Logout(one.refresh_token, Soon()));
  world.clock.Advance(absl::Seconds(1));
  CHECK(elsewhere.Verify(one.access.token, Soon()).status().code() == absl::StatusCode::kUnauthenticated);
  // Once its tokens have expired by themselves, nobody needs to be told.
  CHECK(world.service.Publish(Soon())->ended.size() >= 3);
  world.clock.Advance(absl::Minutes(12));
  CHECK(world.service.Publish(Soon())->ended.empty());
}

TEST_CASE("without the catalog signing in is UNAVAILABLE, and tokens go on to be verified", "[auth]") {
  World world;
  const SignedIn signed_in = world.Admin();
  catalog::Database nowhere({.connection = "host=/nonexistent dbname=x"});
  AuthService cut_off(nowhere, world.keys, {}, world.clock);
  CHECK(CodeOf(cut_off.Login("default", "admin", kPassword, kAddress, Soon())) == absl::StatusCode::kUnavailable);
  CHECK(CodeOf(cut_off.Refresh(signed_in.refresh_token, Soon())) == absl::StatusCode::kUnavailable);
  CHECK(cut_off.Publish(Soon()).ok());
  CHECK(world.service.Refresh(signed_in.refresh_token, Soon()).ok());
}

}  // namespace
}  // namespace rivermeet::auth
