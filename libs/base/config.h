// A service's settings: one proto message, written as JSON, overridden by the environment and by flags.
#ifndef RIVERMEET_BASE_CONFIG_H_
#define RIVERMEET_BASE_CONFIG_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace rivermeet {

// Merges the JSON object in `json` into `config`, whose present values are the defaults.
//
// Errors:
//   INVALID_ARGUMENT  Not JSON, an unknown field or a value of the wrong type; the message names it.
absl::Status MergeJson(std::string_view json, google::protobuf::Message& config);

// Sets one scalar field by its path, for example "gateway.port" = "7400". Path elements are proto field names.
//
// Errors:
//   INVALID_ARGUMENT  No such field, or `value` does not fit its type; the message names the path.
absl::Status SetField(std::string_view path, std::string_view value, google::protobuf::Message& config);

// Sets every field that the environment names: RIVERMEET_GATEWAY__PORT=7400 sets "gateway.port" (two underscores
// between path elements). `environment` holds NAME=VALUE strings. Names that some other part of Rivermeet reads
// by itself are listed in `reserved`.
//
// Errors:
//   INVALID_ARGUMENT  A RIVERMEET_ variable that names no field and is not reserved.
absl::Status MergeEnvironment(const std::vector<std::string>& environment, const std::vector<std::string>& reserved,
                              google::protobuf::Message& config);

// The process's environment, for MergeEnvironment().
std::vector<std::string> Environment();

// Reads a secret: the content of the file, without its final newline. Secrets never come from flags.
//
// Errors:
//   NOT_FOUND            No such file.
//   FAILED_PRECONDITION  Somebody other than the owner can read it; the message says how to mend that.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_CONFIG_H_
