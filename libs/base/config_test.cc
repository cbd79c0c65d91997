#include "base/config.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "rivermeet/testing/v1/config_example.pb.h"

namespace rivermeet {
namespace {

using testing::v1::ConfigExample;

TEST_CASE("a file, the environment and a flag override in that order", "[base]") {
  ConfigExample config;
  config.set_port(1);
  config.set_name("built-in");
  REQUIRE(MergeJson(R"({"port": 2, "inner": {"ratio": 0.5}})", config).ok());
  REQUIRE(MergeEnvironment({"RIVERMEET_PORT=3", "RIVERMEET_INNER__DEADLINE=2s", "PATH=/bin", "RIVERMEET_DEPS=/x"},
                           {"RIVERMEET_DEPS"}, config)
              .ok());
  REQUIRE(SetField("inner.ratio", "0.75", config).ok());

  CHECK(config.name() == "built-in");
  CHECK(config.port() == 3);
  CHECK(config.inner().ratio() == 0.75);
  CHECK(config.inner().deadline().seconds() == 2);

  REQUIRE(MergeJson(R"({"port": 0})", config).ok());
  CHECK(config.port() == 0);
}

TEST_CASE("an unknown or ill-typed setting is refused by name", "[base]") {
  ConfigExample config;
  CHECK(std::string(MergeJson(R"({"prot": 2})", config).message()).find("prot") != std::string::npos);
  CHECK(std::string(SetField("inner.rato", "1", config).message()).find("inner.rato") != std::string::npos);
  CHECK(std::string(SetField("port", "many", config).message()).find("port") != std::string::npos);
  CHECK(std::string(MergeEnvironment({"RIVERMEET_PROT=1"}, {}, config).message()).find("RIVERMEET_PROT") !=
        std::string::npos);
  CHECK_FALSE(SetField("port.x", "1", config).ok());
}

TEST_CASE("a secret file that others can read is refused with the command that mends it", "[base]") {
  const std::string path = (std::filesystem::temp_directory_path() / "rivermeet-secret-test").string();
  std::ofstream(path) << "s3cret\n";
  chmod(path.c_str(), 0600);
  CHECK(ReadSecretFile(path).value() == "s3cret");
  chmod(path.c_str(), 0644);
  CHECK(std::string(ReadSecretFile(path).status().message()).find("chmod 600") != std::string::npos);
  std::remove(path.c_str());
  CHECK(ReadSecretFile(path).status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rivermeet
