#include "suite/settings.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "suite/data_folder.h"
#include "testing/temp_dir.h"

namespace rivermeet::suite {
namespace {

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST_CASE("the built-in settings are good settings", "[suite]") {
  CHECK(CheckSettings(BuiltInSettings()).ok());
  CHECK(BuiltInSettings().gateway().port() == 7400);
  CHECK(BuiltInSettings().aggregation().snapshot_interval().seconds() == 10);
}

TEST_CASE("a file, the environment and flags say more, in that order", "[suite]") {
  testing::TempDir dir;
  const std::string file = dir.path() + "/rivermeet.json";
  std::ofstream(file) << R"({"gateway": {"port": 1}, "log": {"partitions": 3}})";
  const auto settings = LoadSettings(file, {"RIVERMEET_GATEWAY__PORT=2", "RIVERMEET_URL=x"}, {"gateway.port=3"});
  REQUIRE(settings.ok());
  CHECK(settings->gateway().port() == 3);
  CHECK(settings->log().partitions() == 3);
  CHECK(settings->gateway().address() == "127.0.0.1");
}

TEST_CASE("what the command line, tools and tests read from the environment is no setting", "[suite]") {
  for (const std::string name : {"URL", "GRPC", "KEY", "CA", "DATA", "DEPS", "PROGRAM", "SHARED_DATA"}) {
    CHECK(LoadSettings("", {"RIVERMEET_" + name + "=x"}, {}).ok());
  }
}

TEST_CASE("wrong settings refuse to start and are named", "[suite]") {
  CHECK(Message(LoadSettings("/nowhere", {}, {}).status()).find("/nowhere") != std::string::npos);
  CHECK(Message(LoadSettings("", {"RIVERMEET_GATEWAY__PROT=1"}, {}).status()).find("GATEWAY__PROT") !=
        std::string::npos);
  CHECK(Message(LoadSettings("", {}, {"gateway.prot=1"}).status()).find("gateway.prot") != std::string::npos);
  CHECK_FALSE(LoadSettings("", {}, {"gateway.port"}).ok());
  CHECK_FALSE(LoadSettings("", {}, {"log.kind=pulsar"}).ok());
  CHECK_FALSE(LoadSettings("", {}, {"log.kind=kafka"}).ok());
  CHECK_FALSE(LoadSettings("", {}, {"log.partitions=0"}).ok());
  for (const std::string wrong : {"log.segment_bytes=1048575", "log.retention=-1s", "rpc.listen=nonsense",
                                  "rpc.listen=127.0.0.1:65536", "rpc.listen=0.0.0.0:7401", "rpc.listen=10.0.0.1:0",
                                  "rpc.listen=127.evil.example.com:7401", "rpc.listen=localhost.example.com:1"}) {
    CHECK(Message(LoadSettings("", {}, {wrong}).status()).find(wrong.substr(0, wrong.find('='))) != std::string::npos);
  }
}

TEST_CASE("an address that others reach needs TLS", "[suite]") {
  CHECK(Message(LoadSettings("", {}, {"gateway.address=0.0.0.0"}).status()).find("TLS") != std::string::npos);
  CHECK(LoadSettings("", {}, {"gateway.address=0.0.0.0", "gateway.tls_certificate=c", "gateway.tls_key=k"}).ok());
}

TEST_CASE("a data folder is one process's at a time", "[suite]") {
  testing::TempDir dir;
  auto first = DataFolder::Open(dir.path() + "/data", "suite");
  REQUIRE(first.ok());
  REQUIRE((*first)->WriteState("http://127.0.0.1:1", "127.0.0.1:2").ok());
  const auto second = DataFolder::Open(dir.path() + "/data", "suite");
  CHECK(absl::IsAlreadyExists(second.status()));
  CHECK(Message(second.status()).find("http://127.0.0.1:1") != std::string::npos);
  CHECK(DataFolder::Open(dir.path() + "/data", "ingest").ok());
  first->reset();
  CHECK(DataFolder::Open(dir.path() + "/data", "suite").ok());
}

}  // namespace
}  // namespace rivermeet::suite
