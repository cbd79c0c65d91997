#include "client/connection_flags.h"

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::client {

std::shared_ptr<ConnectionFlags> AddConnectionFlags(CLI::App& command, bool with_grpc) {
  auto flags = std::make_shared<ConnectionFlags>();
  const char* group = "Connection";
  command
      .add_option("--url", flags->url,
                  "The gateway's address; else RIVERMEET_URL, the suite that runs on --data, "
                  "http://127.0.0.1:7400")
      ->type_name("URL")
      ->check([](const std::string& url) { return std::string(MessageOf(CheckUrl(url))); })
      ->group(group);
  if (with_grpc) {
    command
        .add_option("--grpc", flags->grpc_address,
                    "The gRPC address; else RIVERMEET_GRPC, the suite that runs on "
                    "--data, 127.0.0.1:7401")
        ->type_name("HOST:PORT")
        ->group(group);
  }
  command
      .add_option("--key-file", flags->key_file,
                  "A file with an API key that only you can read; else RIVERMEET_KEY, "
                  "the key of the suite on --data")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option(
          "--ca", flags->authority_file,
          "A PEM file of the authorities that may sign the suite's certificate; else RIVERMEET_CA, the system's")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--data", flags->data_folder,
                  "The data folder of a suite on this machine; else RIVERMEET_DATA, "
                  "./data")
      ->type_name("DIR")
      ->group(group);
  command.add_flag("--plain-http", flags->plain_http, "Send the key to another machine without TLS")->group(group);
  return flags;
}

absl::StatusOr<std::unique_ptr<RivermeetClient>> OpenClient(const ConnectionFlags& flags) {
  RM_ASSIGN_OR_RETURN(Connection connection, FindConnection(flags));
  return RivermeetClient::Open({.connection = std::move(connection), .user_agent = "rivermeet-cli"});
}

}  // namespace rivermeet::client
