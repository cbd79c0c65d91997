// Shell completion scripts, made from the commands themselves.
#ifndef RIVERMEET_COMMANDLINE_COMPLETION_H_
#define RIVERMEET_COMMANDLINE_COMPLETION_H_

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace rivermeet::commandline {

// A script that completes the commands and options of `app` in "bash", "zsh" or "fish".
//
// Errors:
//   INVALID_ARGUMENT  Another shell.
absl::StatusOr<std::string> CompletionScript(const CLI::App& app, const std::string& shell);

}  // namespace rivermeet::commandline

#endif  // RIVERMEET_COMMANDLINE_COMPLETION_H_
