// The program behind tools/crdt.
#include <CLI/CLI.hpp>

#include "commandline/command_app.h"
#include "crdt_tool/crdt_commands.h"

int main(int argc, char** argv) {
  CLI::App app("Looks into Yjs updates and documents, converts, merges and compares them.",
               rivermeet::crdt_tool::kProgram);
  rivermeet::commandline::PrepareApp(app);
  rivermeet::crdt_tool::AddCommands(app);
  return rivermeet::commandline::RunApp(app, argc, argv);
}
