#include "cli/cli_commands.h"

#include "cli/internal/commands.h"

namespace rivermeet::cli {

void AddCommands(CLI::App& app) {
  AddSend(app);
  AddQuery(app);
  AddStreams(app);
  AddLedger(app);
  AddKeys(app);
  AddAdmin(app);
  AddCompletion(app);
}

}  // namespace rivermeet::cli
