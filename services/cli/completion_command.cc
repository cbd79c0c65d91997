#include "base/status.h"
#include "base/strings.h"
#include "cli/internal/commands.h"
#include "commandline/command_app.h"
#include "commandline/completion.h"

namespace rivermeet::cli {

void AddCompletion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("completion", "Print a completion script for bash, zsh or fish");
  command.add_option("shell", *shell, "bash, zsh or fish")->required()->type_name("SHELL");
  command.footer(
      "Examples:\n"
      "  source <(rivermeet completion bash)                 for this shell; in ~/.bashrc for all\n"
      "  rivermeet completion fish > ~/.config/fish/completions/rivermeet.fish");
  SetForegroundAction(command, [shell, &app](int& exit_code) -> absl::Status {
    const absl::StatusOr<std::string> script = commandline::CompletionScript(app, *shell);
    if (!script.ok()) return exit_code = commandline::kUsage, script.status();
    fmt::print("{}", *script);
    return absl::OkStatus();
  });
}

}  // namespace rivermeet::cli
