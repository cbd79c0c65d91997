// What is cached of the catalog serves while the catalog stands still.
#include <signal.h>

#include <catch2/catch.hpp>

#include "base/status.h"
#include "catalog/postgres_fixture.h"
#include "query/catalog_streams.h"
#include "query/lease_directory.h"
#include "testing/manual_clock.h"

namespace rivermeet::query {
namespace {

// A database whose one connection's server process can be made to stand still.
struct StandingCatalog {
  catalog::CatalogFixture catalog;
  catalog::Database database{{.connection = catalog.connection(), .max_connections = 1}};
  testing::ManualClock clock;
  const pid_t backend = static_cast<pid_t>((*database.Execute(Soon(), "SELECT pg_backend_pid()"))[0].Int(0));

  ~StandingCatalog() { kill(backend, SIGCONT); }
  static absl::Time Soon() { return catalog::CatalogFixture::Soon(); }
};

TEST_CASE("a catalog that stands still keeps no query from a stream that is known", "[query]") {
  StandingCatalog world;
  RM_CHECK_OK(world.database.Execute(world.Soon(), "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')").status());
  catalog::StreamStore store(world.database);
  catalog::Stream stream;
  stream.tenant = "acme";
  stream.name = "s";
  stream.partitions = 2;
  RM_CHECK_OK(store.Declare(stream, world.Soon()).status());
  CatalogStreams streams(store, world.clock);
  REQUIRE(streams.Find("acme", "s", world.Soon()).ok());

  kill(world.backend, SIGSTOP);
  world.clock.Advance(absl::Minutes(1));
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  CHECK(streams.Find("acme", "s", deadline).ok());
  CHECK(absl::Now() < deadline);
}

TEST_CASE("a catalog that stands still keeps no query from owners that are known", "[query]") {
  StandingCatalog world;
  catalog::LeaseStore store(world.database);
  LeaseDirectory directory(store, world.clock);
  const auto known = directory.Addresses(false, world.Soon());
  REQUIRE(known.ok());
  const size_t partitions = known->size();

  kill(world.backend, SIGSTOP);
  world.clock.Advance(absl::Minutes(1));
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  CHECK(directory.Addresses(true, deadline).ok());
  CHECK(absl::Now() < deadline);
  // The failure is remembered: for a second nobody asks, though the catalog would answer again.
  kill(world.backend, SIGCONT);
  RM_CHECK_OK(store.EnsurePartitions(3, world.Soon()));
  CHECK(directory.Addresses(true, deadline)->size() == partitions);
  world.clock.Advance(absl::Seconds(1));
  CHECK(directory.Addresses(true, deadline)->size() == 3);
}

}  // namespace
}  // namespace rivermeet::query
