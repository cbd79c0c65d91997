#include "catalog/migrations.h"

#include <catch2/catch.hpp>
#include <thread>

#include "catalog/postgres_fixture.h"

namespace rivermeet::catalog {
namespace {

absl::Time Soon() { return CatalogFixture::Soon(); }

TEST_CASE("an empty database and every earlier one come to the newest schema", "[catalog]") {
  const auto all = BuiltinMigrations();
  for (size_t from = 0; from <= all.size(); ++from) {
    CatalogFixture catalog(false);
    REQUIRE(Migrate(catalog.database(), Soon(), all.first(from)).ok());
    if (from > 0) {
      REQUIRE(catalog.database()
                  .Execute(Soon(),
                           "INSERT INTO streams (tenant, name, version, partitions, compatibility,"
                           " allowed_lateness_us) VALUES ('default', 'kept', 1, 2, 1, 0)")
                  .ok());
    }
    REQUIRE(Migrate(catalog.database(), Soon()).ok());
    CHECK(Migrate(catalog.database(), Soon()).ok());
    const auto kept = catalog.database().Execute(Soon(), "SELECT count(*) FROM streams WHERE name = 'kept'");
    CHECK((*kept)[0].Int(0) == (from > 0 ? 1 : 0));
    const auto applied = catalog.database().Execute(Soon(), "SELECT count(*) FROM migrations");
    CHECK((*applied)[0].Int(0) == static_cast<int64_t>(all.size()));
  }
}

TEST_CASE("processes that start together migrate once", "[catalog]") {
  CatalogFixture catalog(false);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      Database database({.connection = catalog.connection(), .max_connections = 1});
      good += Migrate(database, Soon()).ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 6);
}

TEST_CASE("a migration that fails leaves nothing behind", "[catalog]") {
  CatalogFixture catalog(false);
  const Migration broken[] = {{1, "0001_good", "CREATE TABLE a (n integer)"},
                              {2, "0002_bad", "CREATE TABLE a (n text)"}};
  const absl::Status status = Migrate(catalog.database(), Soon(), broken);
  CHECK(status.ToString().find("0002_bad") != std::string::npos);
  CHECK(Migrate(catalog.database(), Soon()).ok());
}

TEST_CASE("a changed migration and a newer database are refused by name", "[catalog]") {
  CatalogFixture catalog(false);
  const Migration two[] = {{1, "0001_a", "CREATE TABLE a (n integer)"}, {2, "0002_b", "CREATE TABLE b (n integer)"}};
  const Migration changed[] = {{1, "0001_a", "CREATE TABLE a (n bigint)"}, two[1]};
  REQUIRE(Migrate(catalog.database(), Soon(), two).ok());
  const absl::Status edited = Migrate(catalog.database(), Soon(), changed);
  CHECK(edited.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(edited.ToString().find("0001_a") != std::string::npos);
  const absl::Status newer = Migrate(catalog.database(), Soon(), std::span(two).first(1));
  CHECK(newer.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(newer.ToString().find("0002_b") != std::string::npos);
}

}  // namespace
}  // namespace rivermeet::catalog
