// Each adds one command to the program.
#ifndef RIVERMEET_CLI_INTERNAL_COMMANDS_H_
#define RIVERMEET_CLI_INTERNAL_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rivermeet::cli {

// How long a command waits for one answer.
inline constexpr absl::Duration kAnswerTimeout = absl::Seconds(30);

// commandline::SetAction() for a command that Ctrl-C ends at once: the program blocks those signals for its servers.
void SetForegroundAction(CLI::App& command, std::function<absl::Status(int& exit_code)> run);

void AddSend(CLI::App& app);
void AddQuery(CLI::App& app);
void AddTail(CLI::App& app);
void AddStreams(CLI::App& app);
void AddLedger(CLI::App& app);
void AddKeys(CLI::App& app);
void AddAdmin(CLI::App& app);
void AddDoctor(CLI::App& app);
void AddCompletion(CLI::App& app);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_INTERNAL_COMMANDS_H_
