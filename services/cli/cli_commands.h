// The commands of `rivermeet` that speak to a running suite: send, query, tail, streams, keys, admin, ledger, doctor
// and completion. docs/cli.md describes them; a test holds it to their --help.
#ifndef RIVERMEET_CLI_CLI_COMMANDS_H_
#define RIVERMEET_CLI_CLI_COMMANDS_H_

#include <CLI/CLI.hpp>

namespace rivermeet::cli {

// Adds the commands to the program, which lives at least as long as it is used. Call after commands of other parts
// are added: `completion` completes them too. Run with commandline::RunApp().
void AddCommands(CLI::App& app);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_CLI_COMMANDS_H_
