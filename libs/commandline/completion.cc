#include "commandline/completion.h"

#include <map>
#include <vector>

#include "base/strings.h"

namespace rivermeet::commandline {
namespace {

struct Command {
  std::vector<std::string> path;  // below the program: {"keys", "create"}
  const CLI::App* app;
};

void Collect(const CLI::App& app, const std::vector<std::string>& path, std::vector<Command>& commands) {
  commands.push_back({path, &app});
  for (const CLI::App* below : app.get_subcommands({})) {
    std::vector<std::string> longer = path;
    longer.push_back(below->get_name());
    Collect(*below, longer, commands);
  }
}

std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<std::string> WordsOf(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* below : app.get_subcommands({})) words.push_back(below->get_name());
  for (std::string& flag : FlagsOf(app)) words.push_back(std::move(flag));
  return words;
}

std::string Quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Bash(const CLI::App& app, const std::vector<Command>& commands) {
  const std::string name = app.get_name();
  std::string cases;
  for (const Command& command : commands) {
    cases += fmt::format("    {}) words={} ;;\n", Quote(fmt::format("{}", fmt::join(command.path, " "))),
                         Quote(fmt::format("{}", fmt::join(WordsOf(*command.app), " "))));
  }
  std::string known;
  for (const Command& command : commands) {
    if (!command.path.empty())
      known += fmt::format("{}{}", known.empty() ? "" : "|", Quote(fmt::format("{}", fmt::join(command.path, " "))));
  }
  return fmt::format(R"(# {0} completion for bash: source <({0} completion bash)
_{0}() {{
  local path='' next word words=''
  local current="${{COMP_WORDS[COMP_CWORD]}}"
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    next="${{path:+$path }}$word"
    case "$next" in {1}) path="$next" ;; esac
  done
  case "$path" in
{2}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ ${{#COMPREPLY[@]}} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _{0} {0}
)",
                     name, known, cases);
}

std::string Fish(const CLI::App& app, const std::vector<Command>& commands) {
  const std::string name = app.get_name();
  std::string script = fmt::format("# {0} completion for fish: {0} completion fish | source\n", name);
  for (const Command& command : commands) {
    std::string condition = "__fish_use_subcommand";
    if (!command.path.empty()) {
      condition.clear();
      for (const std::string& word : command.path) {
        condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
      }
    }
    for (const CLI::App* below : command.app->get_subcommands({})) {
      script += fmt::format("complete -c {} -f -n {} -a {} -d {}\n", name, Quote(condition), below->get_name(),
                            Quote(below->get_description().substr(0, below->get_description().find('\n'))));
    }
    for (const CLI::Option* option : command.app->get_options()) {
      for (const std::string& flag : option->get_lnames()) {
        script += fmt::format("complete -c {} -n {} -l {}{} -d {}\n", name, Quote(condition), flag,
                              option->get_items_expected_max() > 0 ? " -r" : "", Quote(option->get_description()));
      }
    }
  }
  return script;
}

}  // namespace

absl::StatusOr<std::string> CompletionScript(const CLI::App& app, const std::string& shell) {
  std::vector<Command> commands;
  Collect(app, {}, commands);
  if (shell == "bash") return Bash(app, commands);
  if (shell == "zsh") {
    // zsh runs bash's completions by its own emulation.
    return fmt::format(
        "# {0} completion for zsh: source <({0} completion zsh)\nautoload -U +X compinit && compinit\n"
        "autoload -U +X bashcompinit && bashcompinit\n{1}",
        app.get_name(), Bash(app, commands));
  }
  if (shell == "fish") return Fish(app, commands);
  return absl::InvalidArgumentError(fmt::format("no completion for \"{}\": bash, zsh or fish", shell));
}

}  // namespace rivermeet::commandline
