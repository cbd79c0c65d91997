// Each adds one command to the program.
#ifndef RIVERMEET_CLI_INTERNAL_COMMANDS_H_
#define RIVERMEET_CLI_INTERNAL_COMMANDS_H_

#include <CLI/CLI.hpp>

#include "absl/time/time.h"

namespace rivermeet::cli {

// How long a command waits for one answer.
inline constexpr absl::Duration kAnswerTimeout = absl::Seconds(30);

void AddSend(CLI::App& app);
void AddQuery(CLI::App& app);
void AddStreams(CLI::App& app);
void AddLedger(CLI::App& app);
void AddKeys(CLI::App& app);
void AddAdmin(CLI::App& app);
void AddCompletion(CLI::App& app);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_INTERNAL_COMMANDS_H_
