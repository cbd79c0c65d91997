#include "agent/agent_command.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "agent/agent.h"
#include "base/shutdown.h"
#include "base/status.h"
#include "base/strings.h"
#include "client/connection_flags.h"
#include "client/grpc_channel.h"
#include "commandline/command_app.h"
#include "telemetry/logging.h"

namespace rivermeet::agent {
namespace {

struct Flags {
  std::shared_ptr<client::ConnectionFlags> connection;
  std::string host;
  std::string spool;
  bool no_process_names = false;
  bool print = false;
};

void PrintEvent(const events::v1::EventBatch& batch, int event) {
  std::string line;
  for (const auto& dimension : batch.series().dimensions()) {
    const uint32_t index = dimension.value_index(static_cast<int>(batch.series_index(event)));
    if (index > 0) line += fmt::format("{}={} ", dimension.name(), dimension.values(static_cast<int>(index) - 1));
  }
  for (const auto& measure : batch.measures()) {
    const auto byte = static_cast<size_t>(event) / 8;
    if (byte < measure.nulls().size() && (measure.nulls()[byte] >> (event % 8) & 1) != 0) continue;
    line += measure.int64_values_size() > 0 ? fmt::format(" {}={}", measure.name(), measure.int64_values(event))
                                            : fmt::format(" {}={:.2f}", measure.name(), measure.float64_values(event));
  }
  fmt::print("{}\n", line);
}

// Shows what would be sent, and sends nothing.
absl::Status Print(const Agent::Options& options) {
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<ProcReader> reader,
                      ProcReader::Open({.processes = options.process_names, .process_budget = 1}));
  HostMetrics metrics(options.host, sysconf(_SC_CLK_TCK), sysconf(_SC_PAGESIZE));
  (void)metrics.Next(reader->Read());
  absl::SleepFor(options.interval);
  const events::v1::EventBatch batch = metrics.Next(reader->Read());
  for (int i = 0; i < batch.series_index_size(); ++i) PrintEvent(batch, i);
  return absl::OkStatus();
}

absl::Status RunAgent(const Flags& flags) {
  Agent::Options options;
  options.process_names = !flags.no_process_names;
  if (!flags.host.empty()) options.host = flags.host;
  if (flags.print) return Print(options);

  PrepareShutdown();
  RM_ASSIGN_OR_RETURN(const client::Connection connection, client::FindConnection(*flags.connection));
  options.address = connection.grpc_address;
  RM_ASSIGN_OR_RETURN(options.channel, client::OpenChannel(connection));
  options.spool_folder = flags.spool.empty() ? connection.data_folder + "/agent" : flags.spool;
  // Looked up each time: the suite may make its key after the agent has started.
  options.api_key = [flags] {
    const absl::StatusOr<client::Connection> now = client::FindConnection(*flags.connection);
    return now.ok() ? now->key : std::string();
  };
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<Agent> agent, Agent::Open(std::move(options)));
  agent->Start();
  const std::string signal = WaitForShutdown();
  telemetry::Log(telemetry::Level::kInfo, "stopping", {{"signal", signal}});
  agent->Stop(absl::Now() + absl::Seconds(3));
  return absl::OkStatus();
}

}  // namespace

void AddCommands(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = *app.add_subcommand(
      "agent", "Stream this machine's metrics (CPU, memory, disks, network, pressure, top processes) to a suite");
  flags->connection = client::AddConnectionFlags(command, /*with_grpc=*/true);
  command.add_option("--host", flags->host, "The name of this machine in the events; else its host name")
      ->type_name("NAME");
  command.add_flag("--no-process-names", flags->no_process_names,
                   "Leave out processes; their arguments are never read in any case");
  command.add_option("--spool", flags->spool, "Where unsent events are kept, at most 256 MiB; else DATA/agent")
      ->type_name("DIR");
  command.add_flag("--print", flags->print, "Show once what would be sent, and send nothing");
  command.footer(
      "Examples:\n"
      "  rivermeet agent                                     to the suite on this machine\n"
      "  rivermeet agent --grpc 10.0.0.5:7401 --key-file key --ca authority.pem\n"
      "  rivermeet agent --print --no-process-names");
  commandline::SetAction(command, [flags](int&) { return RunAgent(*flags); });
}

}  // namespace rivermeet::agent
