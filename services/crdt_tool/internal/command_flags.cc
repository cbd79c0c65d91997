#include "crdt_tool/internal/command_flags.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"
#include "commandline/command_app.h"
#include "crdt_tool/crdt_commands.h"
#include "crdt_tool/output.h"

namespace rivermeet::crdt_tool {

std::optional<crdt::UpdateFormat> CommandFlags::format() const {
  if (v1) return crdt::UpdateFormat::kV1;
  if (v2) return crdt::UpdateFormat::kV2;
  return std::nullopt;
}

void AddFormatFlags(CLI::App& command, CommandFlags& flags) {
  CLI::Option& v1 = *command.add_flag("--v1", flags.v1, "What is read is V1; else found out from the bytes");
  command.add_flag("--v2", flags.v2, "What is read is V2; else found out from the bytes")->excludes(&v1);
}

void AddOutputFlag(CLI::App& command, CommandFlags& flags) {
  command.add_option("-o,--output", flags.output, "Where the result goes; else standard output")->type_name("FILE");
}

absl::Status CheckPaths(const std::vector<std::string>& paths, int& exit_code) {
  if (std::count(paths.begin(), paths.end(), "-") < 2) return absl::OkStatus();
  exit_code = commandline::kUsage;
  return absl::InvalidArgumentError("- is given twice, but standard input can be read only once");
}

absl::StatusOr<UpdateFile> ReadInputUpdate(const CommandFlags& flags, const std::string& path, bool tell) {
  RM_ASSIGN_OR_RETURN(UpdateFile file, ReadUpdateFile(path, flags.format()));
  if (tell && !flags.format().has_value()) {
    fmt::print(stderr, "{}: {} reads as {}\n", kProgram, file.name, NameOf(file.format));
  }
  return file;
}

absl::Status WriteText(const CommandFlags& flags, std::string_view text) {
  RM_ASSIGN_OR_RETURN(Output output, Output::Open(flags.output));
  output.Write(text);
  return output.Close();
}

absl::Status WriteBytes(const CommandFlags& flags, std::string_view bytes, int& exit_code) {
  if (Output::IsTerminal(flags.output)) {
    exit_code = commandline::kUsage;
    return absl::FailedPreconditionError("the result is bytes, which a terminal can't show: give -o FILE or a pipe");
  }
  return WriteText(flags, bytes);
}

}  // namespace rivermeet::crdt_tool
