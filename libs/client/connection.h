// Where a suite is and with which key to speak to it, as every command and the agent find it.
#ifndef RIVERMEET_CLIENT_CONNECTION_H_
#define RIVERMEET_CLIENT_CONNECTION_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rivermeet::client {

inline constexpr char kDefaultUrl[] = "http://127.0.0.1:7400";
inline constexpr char kDefaultGrpcAddress[] = "127.0.0.1:7401";
inline constexpr char kDefaultDataFolder[] = "./data";
inline constexpr char kSystemDataFolder[] = "/var/lib/rivermeet";

// What a running suite says of itself in `<data>/suite.json`.
struct SuiteState {
  std::string url;           // the gateway's, "http://127.0.0.1:7400"
  std::string grpc_address;  // "127.0.0.1:7401"
  int64_t pid = 0;
};

std::string SuiteStatePath(const std::string& data_folder);

// Errors:
//   NOT_FOUND         No suite has run on this folder, or the last one stopped.
//   INVALID_ARGUMENT  The file is not JSON.
absl::StatusOr<SuiteState> ReadSuiteState(const std::string& data_folder);

// The key that a suite makes for programs of the same user on the same machine: readable by its owner alone.
std::string LocalKeyPath(const std::string& data_folder);

// What flags said; empty is not given.
struct ConnectionFlags {
  std::string url;
  std::string grpc_address;
  std::string key_file;
  std::string authority_file;
  std::string data_folder;
  bool plain_http = false;  // send the key without TLS to another machine too
};

// What is used, and where it came from, for messages.
struct Connection {
  std::string url;
  std::string url_source;
  std::string grpc_address;  // "host:port", or "https://host:port" for TLS on this machine too
  std::string grpc_source;
  std::string key;             // empty: none was found
  std::string key_source;      // "the file ./data/keys/local.key", or where was looked in vain
  std::string authority_file;  // PEM: whose certificates are believed; empty: those that the system believes
  std::string data_folder;
  bool plain_http = false;
};

// Looks up a variable of the environment; nothing when it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const char*)>;
std::optional<std::string> ProcessEnvironment(const char* name);

// INVALID_ARGUMENT unless it is an http:// or https:// address.
absl::Status CheckUrl(const std::string& url);

// Each by the first that says something:
//   url     --url, RIVERMEET_URL, `<data>/suite.json`, http://127.0.0.1:7400
//   grpc    --grpc, RIVERMEET_GRPC, `<data>/suite.json`, 127.0.0.1:7401
//   key     --key-file, RIVERMEET_KEY, `<data>/keys/local.key`, none
//   ca      --ca, RIVERMEET_CA, none
//   data    --data, RIVERMEET_DATA, ./data, /var/lib/rivermeet where that is a data folder and ./data is none
//
// Errors:
//   NOT_FOUND            --key-file names no file.
//   FAILED_PRECONDITION  Somebody else can read the key file.
//   INVALID_ARGUMENT     An address or a state file that makes no sense.
absl::StatusOr<Connection> FindConnection(const ConnectionFlags& flags,
                                          const EnvironmentLookup& environment = ProcessEnvironment);

// The public part of a key, "rm_<id>_..."; a text that is no key comes back as "(not a key)". Never the secret.
std::string RedactKey(std::string_view key);

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_CONNECTION_H_
