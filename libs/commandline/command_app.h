// What the commands of a program share: how they end and how they say what went wrong.
#ifndef RIVERMEET_COMMANDLINE_COMMAND_APP_H_
#define RIVERMEET_COMMANDLINE_COMMAND_APP_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace rivermeet::commandline {

// Exit codes, documented in docs/cli.md.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,           // the command line is wrong
  kPartlyRejected = 3,  // events were sent and some were not taken
  kNotAuthorised = 4,   // no key, a wrong key, or not enough rights
  kUnreachable = 5,     // the suite, or a part of it, can't be reached
  kFindings = 6,        // doctor found something to mend
};

// The exit code for an error of a call.
int ExitCodeOf(const absl::Status& status);

// Makes `command` run `run` when it is the one called. An error is written to standard error after the program's
// name and decides the exit code; `run` returns its own exit code otherwise.
void SetAction(CLI::App& command, std::function<absl::Status(int& exit_code)> run);

// The settings of a command's help that all share; call on the program's own CLI::App before commands are added.
void PrepareApp(CLI::App& app);

// Parses the command line, runs the command and returns the process's exit code. Writes help to standard output,
// mistakes to standard error with the command whose --help tells more.
int RunApp(CLI::App& app, int argc, const char* const* argv);

}  // namespace rivermeet::commandline

#endif  // RIVERMEET_COMMANDLINE_COMMAND_APP_H_
