#include "commandline/help_document.h"

#include "base/strings.h"

namespace rivermeet::commandline {

std::string HelpDocument(const CLI::App& command, const std::string& program) {
  const std::string path = program + " " + command.get_name();
  std::string help = command.help(program);
  while (!help.empty() && (help.back() == '\n' || help.back() == ' ')) help.pop_back();
  std::string trimmed;
  for (const std::string_view line : Split(help, '\n')) {
    const size_t end = line.find_last_not_of(' ');
    trimmed.append(line.substr(0, end == std::string_view::npos ? 0 : end + 1)).append("\n");
  }
  std::string document = fmt::format("### {}\n```\n{}```\n\n", path, trimmed);
  for (const CLI::App* below : command.get_subcommands({})) document += HelpDocument(*below, path);
  return document;
}

std::string WithHelp(std::string document, const std::string& name, const std::string& help) {
  const std::string start = fmt::format("<!-- help: {} -->\n", name);
  const size_t from = document.find(start);
  if (from == std::string::npos) return document;
  const size_t body = from + start.size();
  const size_t end = document.find("<!-- /help -->", body);
  if (end == std::string::npos) return document;
  return document.replace(body, end - body, help);
}

}  // namespace rivermeet::commandline
