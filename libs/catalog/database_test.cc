#include "catalog/database.h"

#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "base/disk_full.h"
#include "base/status.h"
#include "catalog/postgres_fixture.h"
#include "fmt/format.h"

namespace rivermeet::catalog {
namespace {

absl::Time Soon() { return CatalogFixture::Soon(); }

TEST_CASE("values come back from the database as they went in", "[catalog]") {
  CatalogFixture catalog(false);
  const std::string bytes("\0\x01\xff\\x'", 6);
  const absl::Time time = absl::FromUnixMicros(1767225600123456);
  const auto rows = catalog.database().Execute(
      Soon(), "SELECT $1::text, $2::bigint, $3::boolean, $4::bytea, $5::timestamptz, $6::text, $7::timestamptz",
      {"it's \xc3\xa9", INT64_MIN, true, Param::Blob(bytes), time, std::nullopt, absl::InfiniteFuture()});
  INFO(rows.status().ToString());
  REQUIRE(rows.ok());
  const Row row = (*rows)[0];
  CHECK(row.Text(0) == "it's \xc3\xa9");
  CHECK(row.Int(1) == INT64_MIN);
  CHECK(row.Bool(2));
  CHECK(row.Blob(3) == bytes);
  CHECK(row.Time(4) == time);
  CHECK(row.IsNull(5));
  CHECK(row.MaybeTime(5) == std::nullopt);
  CHECK(row.Time(6) == absl::InfiniteFuture());
}

TEST_CASE("what a body refuses is rolled back", "[catalog]") {
  CatalogFixture catalog(false);
  Database& database = catalog.database();
  REQUIRE(database.Execute(Soon(), "CREATE TABLE t (n bigint PRIMARY KEY)").ok());
  const absl::Status refused = database.Run(Soon(), [](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(transaction.Execute("INSERT INTO t VALUES (1)").status());
    return absl::FailedPreconditionError("no");
  });
  CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(database.Execute(Soon(), "SELECT * FROM t")->empty());
}

TEST_CASE("the database's errors have their own codes", "[catalog]") {
  CatalogFixture catalog(false);
  Database& database = catalog.database();
  REQUIRE(database.Execute(Soon(), "CREATE TABLE t (n integer PRIMARY KEY CHECK (n > 0), s text)").ok());
  const std::string insert = "INSERT INTO t VALUES ($1, $2)";
  CHECK(database.Execute(Soon(), insert, {1, "a"}).ok());
  CHECK(database.Execute(Soon(), insert, {1, "a"}).status().code() == absl::StatusCode::kAlreadyExists);
  CHECK(database.Execute(Soon(), insert, {-1, "a"}).status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(database.Execute(Soon(), insert, {INT64_MAX, "a"}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(database.Execute(Soon(), insert, {2, "\xff"}).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(database.Execute(Soon(), insert, {2, std::string("a\0b", 3)}).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(database.Execute(Soon(), "SELECT nonsense").status().code() == absl::StatusCode::kInternal);
  CHECK(database.Execute(Soon(), "SELECT count(*) FROM t")->size() == 1);
}

TEST_CASE("a server without room says that its disk is full, one without memory only that it can't now", "[catalog]") {
  CatalogFixture catalog(false);
  const auto fail_with = [&](std::string_view sqlstate) {
    return catalog.database()
        .Execute(Soon(), fmt::format("DO $$ BEGIN RAISE 'no room' USING ERRCODE = '{}'; END $$", sqlstate))
        .status();
  };
  CHECK(absl::IsResourceExhausted(fail_with("53100")));
  CHECK(IsDiskFull(fail_with("53100")));
  CHECK(absl::IsUnavailable(fail_with("53200")));
}

TEST_CASE("a body that hides a failed statement does not commit", "[catalog]") {
  CatalogFixture catalog(false);
  Database& database = catalog.database();
  REQUIRE(database.Execute(Soon(), "CREATE TABLE t (n integer PRIMARY KEY)").ok());
  const absl::Status status = database.Run(Soon(), [](Transaction& transaction) {
    (void)transaction.Execute("INSERT INTO t VALUES (1)");
    (void)transaction.Execute("INSERT INTO t VALUES (1)");
    return absl::OkStatus();
  });
  CHECK(status.code() == absl::StatusCode::kAlreadyExists);
  CHECK(database.Execute(Soon(), "SELECT * FROM t")->empty());
}

TEST_CASE("conflicting transactions are run again until all have happened", "[catalog]") {
  CatalogFixture catalog(false);
  Database& database = catalog.database();
  REQUIRE(database.Execute(Soon(), "CREATE TABLE t (id integer PRIMARY KEY, n bigint)").ok());
  REQUIRE(database.Execute(Soon(), "INSERT INTO t VALUES (1, 0)").ok());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        good +=
            database
                .Run(Soon(),
                     [](Transaction& transaction) -> absl::Status {
                       RM_RETURN_IF_ERROR(
                           transaction.Execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").status());
                       RM_ASSIGN_OR_RETURN(const Result rows, transaction.Execute("SELECT n FROM t WHERE id = 1"));
                       return transaction.Execute("UPDATE t SET n = $1 WHERE id = 1", {rows[0].Int(0) + 1}).status();
                     })
                .ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 40);
  CHECK((*database.Execute(Soon(), "SELECT n FROM t"))[0].Int(0) == 40);
}

TEST_CASE("a statement ends at its deadline", "[catalog]") {
  CatalogFixture catalog(false);
  const absl::Time start = absl::Now();
  const auto slept = catalog.database().Execute(start + absl::Milliseconds(200), "SELECT 1 FROM pg_sleep(30)");
  CHECK(slept.status().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(absl::Now() - start < absl::Seconds(10));
}

// Stops the process, and lets it go on.
void CheckCallerIsNotHeldBy(pid_t pid, Database& database) {
  kill(pid, SIGSTOP);
  const absl::Time start = absl::Now();
  const auto stalled = database.Execute(start + absl::Milliseconds(200), "SELECT 1");
  CHECK(stalled.status().code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(absl::Now() - start < absl::Seconds(10));
  kill(pid, SIGCONT);
  CHECK(database.Execute(Soon(), "SELECT 1").ok());
}

TEST_CASE("a server that stands still does not hold a caller beyond the deadline", "[catalog]") {
  ServerTempDir folder;
  auto postgres = PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  REQUIRE((*postgres)->Start(Soon()).ok());
  Database database({.connection = (*postgres)->connection()});
  const auto backend = database.Execute(Soon(), "SELECT pg_backend_pid()");
  REQUIRE(backend.ok());
  CheckCallerIsNotHeldBy(static_cast<pid_t>((*backend)[0].Int(0)), database);
}

TEST_CASE("a server that stands still while it is connected to does not hold a caller beyond the deadline",
          "[catalog]") {
  ServerTempDir folder;
  auto postgres = PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  REQUIRE((*postgres)->Start(Soon()).ok());
  pid_t pid = 0;
  std::ifstream(folder / "postgres/postmaster.pid") >> pid;
  REQUIRE(pid > 1);
  Database database({.connection = (*postgres)->connection(), .connect_timeout = absl::Seconds(60)});
  CheckCallerIsNotHeldBy(pid, database);
}

TEST_CASE("callers wait for a free connection, but not beyond their deadline", "[catalog]") {
  CatalogFixture catalog(false);
  Database database({.connection = catalog.connection(), .max_connections = 1});
  absl::Status starved;
  absl::StatusOr<Result> patient = absl::UnknownError("not asked");
  std::thread waiting;
  REQUIRE(database
              .Run(Soon(),
                   [&](Transaction&) {
                     starved = database.Execute(absl::Now() + absl::Milliseconds(20), "SELECT 1").status();
                     waiting = std::thread([&] { patient = database.Execute(Soon(), "SELECT 1"); });
                     return absl::OkStatus();
                   })
              .ok());
  waiting.join();
  CHECK(starved.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(patient.ok());
}

TEST_CASE("a transaction whose process stands still lets go of its locks", "[catalog]") {
  CatalogFixture catalog(false);
  REQUIRE(catalog.database().Execute(Soon(), "CREATE TABLE t (n bigint)").ok());
  REQUIRE(catalog.database().Execute(Soon(), "INSERT INTO t VALUES (1)").ok());
  Database still({.connection = catalog.connection(), .idle_transaction_timeout = absl::Milliseconds(100)});
  absl::Status other;
  int runs = 0;
  const absl::Status ran = still.Run(Soon(), [&](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(transaction.Execute("SELECT n FROM t FOR UPDATE").status());
    if (++runs == 1)
      other = catalog.database().Execute(absl::Now() + absl::Seconds(10), "UPDATE t SET n = 10").status();
    return transaction.Execute("UPDATE t SET n = n + 1").status();
  });
  INFO(other.ToString() << ran.ToString());
  CHECK(other.ok());
  CHECK(ran.ok());
  CHECK(runs == 2);
  CHECK((*catalog.database().Execute(Soon(), "SELECT n FROM t"))[0].Int(0) == 11);
}

TEST_CASE("connections that the server closed are made anew without the caller noticing", "[catalog]") {
  CatalogFixture catalog(false);
  Database other({.connection = catalog.connection()});
  REQUIRE(catalog.database().Execute(Soon(), "SELECT 1").ok());
  REQUIRE(other
              .Execute(Soon(),
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE datname = current_database() AND pid <> pg_backend_pid()")
              .ok());
  CHECK(catalog.database().Execute(Soon(), "SELECT 1").ok());
}

TEST_CASE("a server that is not there is UNAVAILABLE at once, and found again when it is back", "[catalog]") {
  ServerTempDir folder;
  auto postgres = PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  REQUIRE((*postgres)->Start(Soon()).ok());
  Database database({.connection = (*postgres)->connection()});
  REQUIRE(database.Execute(Soon(), "SELECT 1").ok());
  REQUIRE((*postgres)->Stop(Soon()).ok());
  CHECK(database.Execute(Soon(), "SELECT 1").status().code() == absl::StatusCode::kUnavailable);
  REQUIRE((*postgres)->Start(Soon()).ok());
  absl::StatusOr<Result> back = absl::UnknownError("not asked");
  for (const absl::Time deadline = Soon(); !back.ok() && absl::Now() < deadline;) {
    back = database.Execute(Soon(), "SELECT 1");
    if (!back.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(back.ok());
}

}  // namespace
}  // namespace rivermeet::catalog
