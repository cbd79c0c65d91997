// Each adds one command to the program.
#ifndef RIVERMEET_CRDT_TOOL_INTERNAL_COMMANDS_H_
#define RIVERMEET_CRDT_TOOL_INTERNAL_COMMANDS_H_

#include <CLI/CLI.hpp>

namespace rivermeet::crdt_tool {

void AddInspect(CLI::App& app);
void AddJson(CLI::App& app);
void AddStateVector(CLI::App& app);
void AddConvert(CLI::App& app);
void AddMerge(CLI::App& app);
void AddDiff(CLI::App& app);
void AddObfuscate(CLI::App& app);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_INTERNAL_COMMANDS_H_
