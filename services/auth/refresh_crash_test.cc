// kill -9 between making the next refresh token and answering with it: never two live children of one token.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "auth/auth_service.h"
#include "auth/first_start.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/postgres_fixture.h"
#include "testing/manual_clock.h"

namespace rivermeet::auth {
namespace {

absl::Time Soon() { return catalog::CatalogFixture::Soon(); }

// The service as a process of its own has it.
struct Service {
  explicit Service(const std::string& connection) : database({.connection = connection}) {
    RM_CHECK_OK(keys.Refresh(Soon()));
  }
  testing::ManualClock clock;
  catalog::Database database;
  KeyRing keys{database, {.seal_key = std::string(32, 'k')}, clock};
  AuthService service{database, keys, {}, clock};
};

// Run by the test below in a child, which dies at the crash point that its environment names.
TEST_CASE("child: refreshes once", "[.refresh-crash-child]") {
  const char* connection = std::getenv("REFRESH_CONNECTION");
  const char* token = std::getenv("REFRESH_TOKEN");
  REQUIRE(connection != nullptr);
  REQUIRE(token != nullptr);
  Service child(connection);
  CHECK(child.service.Refresh(token, Soon()).ok());
}

// How the child ended, as waitpid() says.
int RunChild(const std::string& connection, const std::string& token, const std::string& crash_at) {
  const pid_t pid = fork();
  if (pid == 0) {
    setenv("REFRESH_CONNECTION", connection.c_str(), 1);
    setenv("REFRESH_TOKEN", token.c_str(), 1);
    setenv("RIVERMEET_CRASH_AT", (crash_at + ":1").c_str(), 1);
    execl("/proc/self/exe", "auth_test", "[.refresh-crash-child]", nullptr);
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return status;
}

TEST_CASE("a process that is killed while it refreshes leaves one live token or none", "[auth]") {
  catalog::CatalogFixture catalog;
  catalog::ServerTempDir folder;
  Service parent(catalog.connection());
  const std::string password = *EnsureFirstAdmin(catalog.database(), KeyFiles(folder / "keys"), parent.clock, Soon());
  const auto unused = [&](const std::string& session) {
    return (*catalog.database().Execute(
        Soon(), "SELECT count(*) FROM refresh_tokens WHERE session_id = $1 AND used_at IS NULL", {session}))[0]
        .Int(0);
  };
  for (const std::string point : {"auth.refresh.before_commit", "auth.refresh.after_commit"}) {
    INFO(point);
    const SignedIn signed_in = *parent.service.Login("default", "admin", password, "here", Soon());
    const std::string session(
        (*catalog.database().Execute(Soon(), "SELECT id FROM sessions ORDER BY id DESC LIMIT 1"))[0].Text(0));
    const int ended = RunChild(catalog.connection(), signed_in.refresh_token, point);
    REQUIRE(WIFSIGNALED(ended));
    CHECK(WTERMSIG(ended) == SIGKILL);
    CHECK(unused(session) == 1);
    const auto again = parent.service.Refresh(signed_in.refresh_token, Soon());
    if (point == "auth.refresh.before_commit") {
      // Nothing had happened: the client's next try succeeds.
      CHECK(again.ok());
      CHECK(unused(session) == 1);
    } else {
      // The next try gets the token that the child made and gave to nobody; much later it is taken for theft.
      CHECK(again.ok());
      CHECK(unused(session) == 1);
      parent.clock.Advance(absl::Seconds(11));
      CHECK_FALSE(parent.service.Refresh(signed_in.refresh_token, Soon()).ok());
      CHECK(parent.service.Publish(Soon())->ended == std::vector<std::string>{session});
    }
  }
}

}  // namespace
}  // namespace rivermeet::auth
