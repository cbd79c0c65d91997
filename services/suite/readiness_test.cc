#include "suite/readiness.h"

#include <catch2/catch.hpp>

#include "catalog/postgres_fixture.h"
#include "testing/eventually.h"
#include "testing/manual_clock.h"

namespace rivermeet::suite {
namespace {

TEST_CASE("a catalog that is away shows at once, and makes the process unready after its grace", "[suite]") {
  const auto soon = [] { return catalog::CatalogFixture::Soon(); };
  catalog::ServerTempDir folder;
  auto postgres = catalog::PrivatePostgres::Open({.data = folder.path(), .user = "postgres", .on_trouble = nullptr});
  REQUIRE((*postgres)->Start(soon()).ok());
  catalog::Database database({.connection = (*postgres)->connection()});
  telemetry::Health health;
  testing::ManualClock clock;
  bool ready = false;
  const auto check = [&](absl::Time) { return database.Execute(soon(), "SELECT 1").status(); };
  Readiness readiness(
      {{"catalog", check, absl::Minutes(5)}}, health, [&](bool is) { ready = is; }, clock);
  const auto says = [&](const char* text) { return health.ToJson().find(text) != std::string::npos; };
  readiness.Look();
  CHECK(ready);
  CHECK(says(R"("catalog":"ok")"));

  REQUIRE((*postgres)->Stop(soon()).ok());
  readiness.Look();
  CHECK(ready);
  CHECK(says(R"("catalog":"away for 0 s")"));
  clock.Advance(absl::Minutes(5));
  readiness.Look();
  CHECK_FALSE(ready);
  CHECK(says(R"("catalog":"away for 300 s")"));

  REQUIRE((*postgres)->Start(soon()).ok());
  REQUIRE(testing::Eventually([&] { return check(soon()).ok(); }));
  readiness.Look();
  CHECK(ready);
  CHECK(says(R"("catalog":"ok")"));
}

}  // namespace
}  // namespace rivermeet::suite
