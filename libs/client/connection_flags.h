// The flags that say which suite a command speaks to.
#ifndef RIVERMEET_CLIENT_CONNECTION_FLAGS_H_
#define RIVERMEET_CLIENT_CONNECTION_FLAGS_H_

#include <CLI/CLI.hpp>
#include <memory>

#include "absl/status/statusor.h"
#include "client/connection.h"
#include "client/rivermeet_client.h"

namespace rivermeet::client {

// Adds --url, --key-file, --data and --plain-http to `command`, and --grpc where `with_grpc`. The flags are filled
// when the command line is parsed; both live as long as the command.
std::shared_ptr<ConnectionFlags> AddConnectionFlags(CLI::App& command, bool with_grpc = false);

// The client for those flags. Errors as FindConnection() and RivermeetClient::Open().
absl::StatusOr<std::unique_ptr<RivermeetClient>> OpenClient(const ConnectionFlags& flags);

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_CONNECTION_FLAGS_H_
