// The commands' help as a document, so that docs/cli.md can't drift from --help.
#ifndef RIVERMEET_COMMANDLINE_HELP_DOCUMENT_H_
#define RIVERMEET_COMMANDLINE_HELP_DOCUMENT_H_

#include <CLI/CLI.hpp>
#include <string>

namespace rivermeet::commandline {

// For `command` and every command below it: a heading "### rivermeet keys create", then its --help in a code block.
// `program` is the name before it, for example "rivermeet".
std::string HelpDocument(const CLI::App& command, const std::string& program);

// Replaces in `document` what is between "<!-- help: NAME -->" and "<!-- /help -->" by `help`; unchanged when there
// is no such place.
std::string WithHelp(std::string document, const std::string& name, const std::string& help);

}  // namespace rivermeet::commandline

#endif  // RIVERMEET_COMMANDLINE_HELP_DOCUMENT_H_
