// The commands of tools/crdt: inspect, json, state-vector, convert, merge, diff and obfuscate. docs/crdt.md describes
// them; a test holds it to their --help.
#ifndef RIVERMEET_CRDT_TOOL_CRDT_COMMANDS_H_
#define RIVERMEET_CRDT_TOOL_CRDT_COMMANDS_H_

#include <CLI/CLI.hpp>

namespace rivermeet::crdt_tool {

inline constexpr char kProgram[] = "tools/crdt";

// Adds the commands to the program, and what its own help says. Run with commandline::RunApp().
void AddCommands(CLI::App& app);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_CRDT_COMMANDS_H_
