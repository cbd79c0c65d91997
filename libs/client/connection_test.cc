#include "client/connection.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "testing/temp_dir.h"

namespace rivermeet::client {
namespace {

EnvironmentLookup Fixed(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

void WriteSuiteState(const std::string& data_folder, std::string_view json) {
  std::ofstream(SuiteStatePath(data_folder)) << json << '\n';
}

void WriteKey(const std::string& path, const std::string& key, mode_t mode) {
  std::ofstream(path) << key << '\n';
  REQUIRE(chmod(path.c_str(), mode) == 0);
}

TEST_CASE("a connection without any hint goes to the default address, without a key", "[client]") {
  const testing::TempDir data;
  const auto connection = FindConnection({.data_folder = data.path()}, Fixed({}));
  REQUIRE(connection.ok());
  CHECK(connection->url == kDefaultUrl);
  CHECK(connection->url_source == "the default");
  CHECK(connection->grpc_address == kDefaultGrpcAddress);
  CHECK(connection->key.empty());
  CHECK(connection->key_source.find("keys/local.key") != std::string::npos);
}

TEST_CASE("a flag comes before the environment, that before the suite's state, that before the default", "[client]") {
  const testing::TempDir data;
  WriteSuiteState(data.path(), R"({"url": "http://127.0.0.1:1", "grpc": "127.0.0.1:2", "pid": 3})");
  const auto url_of = [&](const std::string& flag, std::map<std::string, std::string> variables) {
    return FindConnection({.url = flag, .data_folder = data.path()}, Fixed(std::move(variables)))->url;
  };
  CHECK(url_of("", {}) == "http://127.0.0.1:1");
  CHECK(url_of("", {{"RIVERMEET_URL", "http://b:1"}}) == "http://b:1");
  CHECK(url_of("https://a/", {{"RIVERMEET_URL", "http://b:1"}}) == "https://a");
  CHECK(FindConnection({.data_folder = data.path()}, Fixed({}))->grpc_address == "127.0.0.1:2");
  CHECK(FindConnection({}, Fixed({{"RIVERMEET_DATA", data.path()}}))->grpc_address == "127.0.0.1:2");
}

TEST_CASE("the suite's state is read as it was written", "[client]") {
  const testing::TempDir data;
  WriteSuiteState(data.path(), R"({"url": "http://127.0.0.1:7400", "grpc": "127.0.0.1:7401", "pid": 4711})");
  const auto state = ReadSuiteState(data.path());
  REQUIRE(state.ok());
  CHECK(state->url == "http://127.0.0.1:7400");
  CHECK(state->grpc_address == "127.0.0.1:7401");
  CHECK(state->pid == 4711);
  CHECK(absl::IsNotFound(ReadSuiteState(data.path() + "/nowhere").status()));
}

TEST_CASE("the local key file is used when its owner alone can read it, and refused otherwise", "[client]") {
  const testing::TempDir data;
  REQUIRE(mkdir((data.path() + "/keys").c_str(), 0700) == 0);
  WriteKey(LocalKeyPath(data.path()), "rm_local_secret", 0600);
  CHECK(FindConnection({.data_folder = data.path()}, Fixed({}))->key == "rm_local_secret");
  CHECK(FindConnection({.data_folder = data.path()}, Fixed({{"RIVERMEET_KEY", "rm_env_x"}}))->key == "rm_env_x");
  WriteKey(LocalKeyPath(data.path()), "rm_local_secret", 0644);
  CHECK(absl::IsFailedPrecondition(FindConnection({.data_folder = data.path()}, Fixed({})).status()));
}

TEST_CASE("a key file that is named must be there", "[client]") {
  const testing::TempDir data;
  CHECK(absl::IsNotFound(
      FindConnection({.key_file = data.path() + "/none", .data_folder = data.path()}, Fixed({})).status()));
}

TEST_CASE("an address without a scheme or a host is refused with its source", "[client]") {
  for (const std::string url : {"localhost:7400", "ftp://a", "http://", "http:///v1"}) {
    const auto connection = FindConnection({.url = url, .data_folder = "/nowhere"}, Fixed({}));
    INFO(url);
    CHECK(absl::IsInvalidArgument(connection.status()));
    CHECK(std::string(connection.status().message()).find("--url") != std::string::npos);
  }
}

TEST_CASE("a key is never shown with its secret", "[client]") {
  CHECK(RedactKey("rm_abc_verysecret") == "rm_abc_...");
  CHECK(RedactKey("verysecret") == "(not a key)");
  CHECK(RedactKey("rm_verysecret") == "(not a key)");
}

}  // namespace
}  // namespace rivermeet::client
