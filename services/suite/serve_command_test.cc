#include "suite/serve_command.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/agent_command.h"
#include "cli/cli_commands.h"
#include "commandline/command_app.h"
#include "commandline/help_document.h"

namespace rivermeet::suite {
namespace {

TEST_CASE("docs/cli.md says of every command what its --help says", "[suite]") {
  CLI::App app("A program", "rivermeet");
  commandline::PrepareApp(app);
  AddServeCommand(app);
  cli::AddCommands(app);
  agent::AddCommands(app);
  std::string help;
  for (const CLI::App* command : app.get_subcommands(std::function<bool(CLI::App*)>())) {
    help += commandline::HelpDocument(*command, "rivermeet");
  }
  std::ifstream in("docs/cli.md");
  std::stringstream text;
  text << in.rdbuf();
  REQUIRE(text.str().find("<!-- help: rivermeet -->") != std::string::npos);
  const std::string right = commandline::WithHelp(text.str(), "rivermeet", help);
  const bool update = std::getenv("RIVERMEET_UPDATE_DOCS") != nullptr;
  if (update) std::ofstream("docs/cli.md") << right;
  INFO("RIVERMEET_UPDATE_DOCS=1 writes it anew");
  CHECK((update || text.str() == right));
}

}  // namespace
}  // namespace rivermeet::suite
