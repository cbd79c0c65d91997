#include "suite/serve_command.h"

#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "base/config.h"
#include "base/loopback.h"
#include "base/shutdown.h"
#include "base/status.h"
#include "base/strings.h"
#include "commandline/command_app.h"
#include "suite/settings.h"
#include "suite/suite.h"
#include "telemetry/logging.h"

namespace rivermeet::suite {
namespace {

struct Flags {
  std::string target = "all";
  std::string file;
  std::string data;
  std::string address;
  std::string port;
  std::string web;
  std::vector<std::string> set;
  bool agent = false;
  bool print_settings = false;

  // The flags with names of their own, as settings.
  std::vector<std::string> Settings() const {
    std::vector<std::string> settings;
    if (!data.empty()) settings.push_back("data=" + data);
    if (!address.empty()) settings.push_back("gateway.address=" + address);
    if (!port.empty()) settings.push_back("gateway.port=" + port);
    if (!web.empty()) settings.push_back("gateway.web_folder=" + web);
    settings.insert(settings.end(), set.begin(), set.end());
    return settings;
  }
};

constexpr absl::Duration kStartTimeout = absl::Seconds(60);
constexpr absl::Duration kStopTimeout = absl::Seconds(20);

// For the person who started it; everything else goes to the log on standard error.
void PrintBanner(const Suite& suite, const config::v1::SuiteConfig& settings, absl::Duration took) {
  fmt::print("Ready in {:.1f} s\n\n", absl::ToDoubleSeconds(took));
  if (!suite.url().empty()) fmt::print("  Open      {}\n", suite.url());
  if (!suite.one_time_password().empty()) {
    fmt::print("  Sign in   admin / {}   (one-time password: you will choose your own)\n", suite.one_time_password());
  }
  fmt::print("  Data      {}\n", settings.data());
  const bool no_display = std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr;
  if (no_display && !suite.url().empty() && IsLoopback(settings.gateway().address())) {
    char host[256] = "this-machine";
    gethostname(host, sizeof host - 1);
    const char* user = std::getenv("USER");
    fmt::print("  Elsewhere ssh -L {0}:127.0.0.1:{0} {1}@{2}   then open http://127.0.0.1:{0}\n", suite.port(),
               user == nullptr ? "root" : user, host);
  }
  fmt::print("  Stop      Ctrl-C\n\n");
  std::fflush(stdout);
}

// As a settings file would say it. No setting is a secret: those stand in files that settings name.
absl::Status PrintSettings(const config::v1::SuiteConfig& settings) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(settings, &json, options).ok()) {
    return absl::InternalError("the settings can't be written as JSON");
  }
  fmt::print("{}", json);
  return absl::OkStatus();
}

absl::Status Serve(const Flags& flags) {
  const absl::Time begin = absl::Now();
  RM_ASSIGN_OR_RETURN(const config::v1::SuiteConfig settings,
                      LoadSettings(flags.file, Environment(), flags.Settings()));
  if (flags.print_settings) return PrintSettings(settings);
  RM_RETURN_IF_ERROR(Annotate(
      telemetry::InitLogging(settings.telemetry().log_level(), settings.telemetry().log_format()), "telemetry"));
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<DataFolder> folder,
                      DataFolder::Open(settings.data(), flags.target == "all" ? "suite" : flags.target));
  RM_ASSIGN_OR_RETURN(
      const std::unique_ptr<Suite> suite,
      Suite::Start(settings, {.target = flags.target, .agent = flags.agent}, *folder, begin + kStartTimeout));
  const bool tls = !settings.rpc().tls_certificate().empty() && !suite->grpc_address().empty();
  RM_RETURN_IF_ERROR(folder->WriteState(suite->url(), (tls ? "https://" : "") + suite->grpc_address()));
  telemetry::Log(telemetry::Level::kInfo, "ready",
                 {{"target", flags.target},
                  {"url", suite->url()},
                  {"grpc", suite->grpc_address()},
                  {"start_ms", absl::ToInt64Milliseconds(absl::Now() - begin)}});
  if (flags.target == "all") PrintBanner(*suite, settings, absl::Now() - begin);
  const std::string signal = WaitForShutdown();
  telemetry::Log(telemetry::Level::kInfo, "stopping", {{"signal", signal}});
  suite->Stop(absl::Now() + kStopTimeout);
  telemetry::Log(telemetry::Level::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace

void AddServeCommand(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = *app.add_subcommand("serve", "Run the suite, or one service of it, until it is asked to stop");
  command.add_option("--target", flags->target, "What to run")
      ->check(CLI::IsMember({"all", "catalog", "auth", "ingest", "aggregation", "query", "gateway"}))
      ->capture_default_str();
  command.add_option("--config", flags->file, "Settings file: JSON of rivermeet.config.v1.SuiteConfig");
  command.add_option("--data", flags->data, "Folder for everything that is kept (default: ./data)");
  command.add_option("--address", flags->address, "Address to listen on; another than loopback needs TLS");
  command.add_option("--port", flags->port, "Port to listen on, 0 for any free one (default: 7400)");
  command.add_option("--web", flags->web, "Folder of the built web app");
  command.add_option("--set", flags->set, "Any setting: path=value, for example ingest.events_per_second=100000")
      ->take_all();
  command.add_flag("--agent", flags->agent, "Also stream this machine's metrics");
  command.add_flag("--print-settings", flags->print_settings, "Print the settings that hold, as JSON, and stop");
  command.footer(
      "Settings: built-in defaults < --config < environment (RIVERMEET_GATEWAY__PORT=7400) < flags.\n"
      "Example: rivermeet serve --data /var/lib/rivermeet --agent");
  commandline::SetAction(command, [flags](int&) { return Serve(*flags); });
}

}  // namespace rivermeet::suite
