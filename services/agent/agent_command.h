// The command `rivermeet agent`.
#ifndef RIVERMEET_AGENT_AGENT_COMMAND_H_
#define RIVERMEET_AGENT_AGENT_COMMAND_H_

#include <CLI/CLI.hpp>

namespace rivermeet::agent {

// Adds the command to the program.
void AddCommands(CLI::App& app);

}  // namespace rivermeet::agent

#endif  // RIVERMEET_AGENT_AGENT_COMMAND_H_
