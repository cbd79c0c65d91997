#include "catalog/private_postgres.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "catalog/database.h"
#include "catalog/internal/postgres_install.h"
#include "catalog/postgres_fixture.h"

namespace rivermeet::catalog {
namespace {

absl::Time Soon() { return absl::Now() + absl::Seconds(20); }

std::unique_ptr<PrivatePostgres> Started(const std::string& data) {
  auto postgres = PrivatePostgres::Open({.data = data, .user = "postgres", .on_trouble = nullptr});
  REQUIRE(postgres.ok());
  const absl::Status status = (*postgres)->Start(Soon());
  INFO(status.ToString());
  REQUIRE(status.ok());
  return *std::move(postgres);
}

int64_t One(PrivatePostgres& postgres, const std::string& sql) {
  Database database({.connection = postgres.connection()});
  const auto rows = database.Execute(Soon(), sql);
  INFO(rows.status().ToString());
  REQUIRE(rows.ok());
  return rows->empty() ? 0 : (*rows)[0].Int(0);
}

// A zombie counts as ended: in a container there may be nobody to wait for it.
bool Runs(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.compare(name_end, 3, ") Z") != 0;
}

// Starts a server in a process of its own that is then killed; returns the server's pid. The server gets
// `server_signal` before, where given.
pid_t StartAndKillOwner(const std::string& data, int server_signal = 0) {
  int answer[2];
  REQUIRE(pipe(answer) == 0);
  const pid_t owner = fork();
  if (owner == 0) {
    auto postgres = PrivatePostgres::Open({.data = data, .user = "postgres", .on_trouble = nullptr});
    int pid = postgres.ok() && (*postgres)->Start(Soon()).ok() ? (*postgres)->pid() : 0;
    [[maybe_unused]] ssize_t ignored = write(answer[1], &pid, sizeof pid);
    for (;;) pause();
  }
  int pid = 0;
  REQUIRE(read(answer[0], &pid, sizeof pid) == sizeof pid);
  REQUIRE(pid != 0);
  if (server_signal != 0) kill(pid, server_signal);
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  close(answer[0]);
  close(answer[1]);
  return pid;
}

TEST_CASE("a private PostgreSQL keeps its data over restarts and never runs as root", "[catalog]") {
  ServerTempDir folder;
  {
    auto postgres = Started(folder / "data");
    One(*postgres, "CREATE TABLE kept (n bigint)");
    One(*postgres, "INSERT INTO kept VALUES (7)");
    CHECK(One(*postgres, "SELECT (current_setting('fsync') = 'on')::int") == 1);
    CHECK(One(*postgres, "SELECT (current_setting('listen_addresses') = '')::int") == 1);
    CHECK(One(*postgres, "SELECT (current_setting('shared_buffers') = '32MB')::int") == 1);
    std::ifstream status("/proc/" + std::to_string(postgres->pid()) + "/status");
    const std::string text{std::istreambuf_iterator<char>(status), std::istreambuf_iterator<char>()};
    CHECK(text.find("\nUid:\t0\t") == std::string::npos);
    const int pid = postgres->pid();
    CHECK(postgres->Stop(Soon()).ok());
    CHECK_FALSE(Runs(pid));
  }
  auto again = Started(folder / "data");
  CHECK(One(*again, "SELECT n FROM kept") == 7);
}

TEST_CASE("after its owner is killed, the server ends and the next start has the data", "[catalog]") {
  ServerTempDir folder;
  {
    auto first = Started(folder.path());
    One(*first, "CREATE TABLE kept AS SELECT 8::bigint AS n");
  }
  const pid_t left = StartAndKillOwner(folder.path());
  auto next = Started(folder.path());
  CHECK_FALSE(Runs(left));
  CHECK(One(*next, "SELECT n FROM kept") == 8);
}

TEST_CASE("a server that was frozen when its owner was killed does not keep the next one from starting", "[catalog]") {
  ServerTempDir folder;
  { auto first = Started(folder.path()); }
  const pid_t left = StartAndKillOwner(folder.path(), SIGSTOP);
  auto next = Started(folder.path());
  CHECK(next->pid() != left);
  CHECK(One(*next, "SELECT 1") == 1);
}

TEST_CASE("a server that is killed is started again", "[catalog]") {
  ServerTempDir folder;
  std::atomic<int> troubles = 0;
  auto postgres = PrivatePostgres::Open(
      {.data = folder.path(), .user = "postgres", .on_trouble = [&](std::string_view) { ++troubles; }});
  REQUIRE((*postgres)->Start(Soon()).ok());
  One(**postgres, "CREATE TABLE kept AS SELECT 9::bigint AS n");
  Database database({.connection = (*postgres)->connection()});
  REQUIRE(database.Execute(Soon(), "SELECT 1").ok());
  kill((*postgres)->pid(), SIGKILL);
  // Its children answer a moment longer than it lives.
  for (const absl::Time deadline = Soon(); troubles == 0 && absl::Now() < deadline;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  absl::StatusOr<Result> rows = absl::UnknownError("not asked");
  for (const absl::Time deadline = Soon(); !rows.ok() && absl::Now() < deadline;) {
    rows = database.Execute(Soon(), "SELECT n FROM kept");
    if (!rows.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE(rows.ok());
  CHECK((*rows)[0].Int(0) == 9);
  CHECK(troubles == 1);
}

TEST_CASE("two owners never share a folder", "[catalog]") {
  ServerTempDir folder;
  auto first = Started(folder.path());
  auto second = PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  REQUIRE(second.ok());
  const absl::Status refused = (*second)->Start(Soon());
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(refused.ToString().find(folder.path()) != std::string::npos);
  CHECK(One(*first, "SELECT 1") == 1);
}

TEST_CASE("a long data path still gets a socket", "[catalog]") {
  ServerTempDir folder;
  auto postgres = Started(folder / std::string(60, 'a') + "/" + std::string(60, 'b'));
  CHECK(One(*postgres, "SELECT 1") == 1);
}

TEST_CASE("what a killed first start left behind is made anew", "[catalog]") {
  ServerTempDir folder;
  std::filesystem::create_directories(folder / "postgres.new/base");
  std::ofstream(folder / "postgres.new/PG_VERSION") << "15\n";
  auto postgres = Started(folder.path());
  CHECK(One(*postgres, "SELECT 1") == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "postgres.new"));
}

TEST_CASE("a missing package is told with the command that installs it", "[catalog]") {
  ServerTempDir empty;
  const auto found = FindPostgres("99", empty.path());
  CHECK(found.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(found.status().ToString().find("sudo apt-get install postgresql-99") != std::string::npos);
  ServerTempDir folder;
  std::filesystem::create_directories(folder / "postgres");
  std::ofstream(folder / "postgres/PG_VERSION") << "99\n";
  auto postgres = PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  CHECK((*postgres)->Start(Soon()).code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a folder that the server's account can't reach is named", "[catalog]") {
  if (geteuid() != 0) return;  // Only root starts the server as somebody else.
  ServerTempDir folder;
  std::filesystem::create_directories(folder / "closed/data");
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_all);
  auto postgres = PrivatePostgres::Open({.data = folder / "closed/data", .user = "postgres", .on_trouble = nullptr});
  REQUIRE(postgres.ok());
  const absl::Status refused = (*postgres)->Start(Soon());
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(refused.ToString().find(folder / "closed ") != std::string::npos);
}

}  // namespace
}  // namespace rivermeet::catalog
