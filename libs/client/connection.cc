#include "client/connection.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/config.h"
#include "base/status.h"
#include "base/strings.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace rivermeet::client {
namespace {

std::string StringField(const google::protobuf::Struct& json, const std::string& name) {
  const auto found = json.fields().find(name);
  return found == json.fields().end() ? "" : found->second.string_value();
}

// Where tools/up has put the data: in the folder it is called in or, for root, where others can reach it.
std::string DefaultDataFolder() {
  const auto has_keys = [](const std::string& folder) { return access(LocalKeyPath(folder).c_str(), F_OK) == 0; };
  return !has_keys(kDefaultDataFolder) && has_keys(kSystemDataFolder) ? kSystemDataFolder : kDefaultDataFolder;
}

// `flag`, else the variable, else the suite's state, else the default; `*source` says which.
std::string Choose(const std::string& flag, const char* flag_name, const std::optional<std::string>& variable,
                   const char* variable_name, const std::string& state, const std::string& state_path,
                   const char* fallback, std::string* source) {
  if (!flag.empty()) return *source = flag_name, flag;
  if (variable && !variable->empty()) return *source = variable_name, *variable;
  if (!state.empty()) return *source = state_path, state;
  return *source = "the default", fallback;
}

absl::Status FindKey(const ConnectionFlags& flags, const EnvironmentLookup& environment, Connection& connection) {
  if (!flags.key_file.empty()) {
    RM_ASSIGN_OR_RETURN(connection.key, ReadSecretFile(flags.key_file));
    connection.key_source = fmt::format("the file {}", flags.key_file);
    return absl::OkStatus();
  }
  if (const auto key = environment("RIVERMEET_KEY"); key && !key->empty()) {
    connection.key = *key;
    connection.key_source = "RIVERMEET_KEY";
    return absl::OkStatus();
  }
  const std::string path = LocalKeyPath(connection.data_folder);
  absl::StatusOr<std::string> key = ReadSecretFile(path);
  if (key.ok()) {
    connection.key = *std::move(key);
    connection.key_source = fmt::format("the file {}", path);
  } else if (absl::IsNotFound(key.status())) {
    connection.key_source = fmt::format("no --key-file, no RIVERMEET_KEY, no file {}", path);
  } else {
    return key.status();
  }
  return absl::OkStatus();
}

}  // namespace

std::string SuiteStatePath(const std::string& data_folder) { return data_folder + "/suite.json"; }
std::string LocalKeyPath(const std::string& data_folder) { return data_folder + "/keys/local.key"; }

absl::StatusOr<SuiteState> ReadSuiteState(const std::string& data_folder) {
  const std::string path = SuiteStatePath(data_folder);
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(fmt::format("no {}: no suite runs on this folder", path));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  google::protobuf::Struct json;
  if (!google::protobuf::util::JsonStringToMessage(text, &json).ok()) {
    return absl::InvalidArgumentError(fmt::format("{} is not JSON: delete it and start the suite again", path));
  }
  SuiteState state;
  state.url = StringField(json, "url");
  state.grpc_address = StringField(json, "grpc");
  if (const auto pid = json.fields().find("pid"); pid != json.fields().end()) {
    state.pid = static_cast<int64_t>(pid->second.number_value());
  }
  return state;
}

std::optional<std::string> ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

absl::Status CheckUrl(const std::string& url) {
  const bool http = url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0;
  const size_t host = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
  if (http && host < url.size() && url[host] != '/') return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" is not an address: write http://HOST:PORT or https://HOST", url));
}

absl::StatusOr<Connection> FindConnection(const ConnectionFlags& flags, const EnvironmentLookup& environment) {
  Connection connection;
  connection.plain_http = flags.plain_http;
  connection.authority_file =
      flags.authority_file.empty() ? environment("RIVERMEET_CA").value_or("") : flags.authority_file;
  connection.data_folder = flags.data_folder.empty() ? environment("RIVERMEET_DATA").value_or("") : flags.data_folder;
  if (connection.data_folder.empty()) connection.data_folder = DefaultDataFolder();

  SuiteState state;
  absl::StatusOr<SuiteState> found = ReadSuiteState(connection.data_folder);
  if (found.ok()) {
    state = *std::move(found);
  } else if (!absl::IsNotFound(found.status())) {
    return found.status();
  }
  const std::string state_path = SuiteStatePath(connection.data_folder);
  connection.url = Choose(flags.url, "--url", environment("RIVERMEET_URL"), "RIVERMEET_URL", state.url, state_path,
                          kDefaultUrl, &connection.url_source);
  connection.grpc_address = Choose(flags.grpc_address, "--grpc", environment("RIVERMEET_GRPC"), "RIVERMEET_GRPC",
                                   state.grpc_address, state_path, kDefaultGrpcAddress, &connection.grpc_source);
  RM_RETURN_IF_ERROR(Annotate(CheckUrl(connection.url), connection.url_source));
  while (connection.url.back() == '/') connection.url.pop_back();
  RM_RETURN_IF_ERROR(FindKey(flags, environment, connection));
  return connection;
}

std::string RedactKey(std::string_view key) {
  if (key.rfind("rm_", 0) != 0) return "(not a key)";
  const size_t end = key.find('_', 3);
  if (end == std::string_view::npos || end - 3 > 64) return "(not a key)";
  return fmt::format("{}_...", key.substr(0, end));
}

}  // namespace rivermeet::client
