// The program `rivermeet`: the suite's services, the agent and the command line.
#include <CLI/CLI.hpp>

#include "agent/agent_command.h"
#include "base/shutdown.h"
#include "cli/cli_commands.h"
#include "commandline/command_app.h"
#include "suite/serve_command.h"

int main(int argc, char** argv) {
  rivermeet::PrepareShutdown();
  CLI::App app("Rivermeet: real-time collaborative analytics.", "rivermeet");
  rivermeet::commandline::PrepareApp(app);
  app.set_version_flag("--version", "rivermeet " RIVERMEET_VERSION);
  rivermeet::suite::AddServeCommand(app);
  rivermeet::agent::AddCommands(app);
  rivermeet::cli::AddCommands(app);
  return rivermeet::commandline::RunApp(app, argc, argv);
}
