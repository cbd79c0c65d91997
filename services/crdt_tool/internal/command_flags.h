// What the commands' flags have in common.
#ifndef RIVERMEET_CRDT_TOOL_INTERNAL_COMMAND_FLAGS_H_
#define RIVERMEET_CRDT_TOOL_INTERNAL_COMMAND_FLAGS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crdt_tool/update_file.h"

namespace rivermeet::crdt_tool {

struct CommandFlags {
  std::string file;
  std::string output;
  bool v1 = false;
  bool v2 = false;

  std::optional<crdt::UpdateFormat> format() const;
};

// --v1 and --v2; -o. `flags` lives as long as `command`.
void AddFormatFlags(CLI::App& command, CommandFlags& flags);
void AddOutputFlag(CLI::App& command, CommandFlags& flags);

// A usage error when more than one of `paths` is standard input, which can be read but once.
absl::Status CheckPaths(const std::vector<std::string>& paths, int& exit_code);

// Reads the update at `path`. Which format was found out is said on standard error where `tell`.
absl::StatusOr<UpdateFile> ReadInputUpdate(const CommandFlags& flags, const std::string& path, bool tell);

// Writes all of a result.
absl::Status WriteText(const CommandFlags& flags, std::string_view text);
// The same of bytes, that nobody wants on a terminal: a usage error there.
absl::Status WriteBytes(const CommandFlags& flags, std::string_view bytes, int& exit_code);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_INTERNAL_COMMAND_FLAGS_H_
