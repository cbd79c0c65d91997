#include "suite/platform.h"

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "catalog/postgres_fixture.h"
#include "suite/settings.h"
#include "testing/temp_dir.h"

namespace rivermeet::suite {
namespace {

using catalog::CatalogFixture;

TEST_CASE("a catalog is used with the log it was begun with, and with no other", "[suite]") {
  CatalogFixture catalog;
  testing::TempDir dir;
  config::v1::SuiteConfig settings = BuiltInSettings();
  settings.mutable_catalog()->set_connection(catalog.connection());
  settings.mutable_log()->set_partitions(1);
  const auto start = [&](const DataFolder& folder, std::string_view target) {
    return Platform::Start(settings, target, folder, CatalogFixture::Soon());
  };
  const auto first = DataFolder::Open(dir / "first", "suite").value();
  std::string identity;
  for (const std::string_view target : {"aggregation", "ingest"}) {
    const auto platform = start(*first, target);
    INFO(platform.status().ToString());
    REQUIRE(platform.ok());
    identity = (*platform)->log().identity();
  }
  const auto second = DataFolder::Open(dir / "second", "suite").value();
  for (const std::string_view target : {"aggregation", "ingest"}) {
    const absl::Status refused = start(*second, target).status();
    const std::string message(refused.message());
    CAPTURE(message);
    CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(message.find(identity) != std::string::npos);
    CHECK(message.find("a data folder and a catalog of its own") != std::string::npos);
  }
  // What has no log of its own doesn't care.
  CHECK(start(*second, "query").ok());
}

}  // namespace
}  // namespace rivermeet::suite
