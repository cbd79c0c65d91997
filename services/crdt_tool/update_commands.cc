#include <algorithm>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/status.h"
#include "base/strings.h"
#include "commandline/command_app.h"
#include "crdt/inspection.h"
#include "crdt/update.h"
#include "crdt_tool/internal/command_flags.h"
#include "crdt_tool/internal/commands.h"

namespace rivermeet::crdt_tool {
namespace {

struct StateVectorFlags : CommandFlags {
  bool bytes = false;
};

struct MergeFlags : CommandFlags {
  std::vector<std::string> files;
};

struct DiffFlags : CommandFlags {
  std::string since;
  bool since_is_state_vector = false;
};

absl::StatusOr<std::string> StateVectorOf(const UpdateFile& file) {
  absl::StatusOr<std::string> vector = crdt::EncodeStateVectorFromUpdate(file.bytes, file.format, FileLimits());
  RM_RETURN_IF_ERROR(OfFile(vector.status(), file));
  return vector;
}

absl::Status PrintStateVector(const StateVectorFlags& flags, int& exit_code) {
  RM_ASSIGN_OR_RETURN(const UpdateFile file, ReadInputUpdate(flags, flags.file, /*tell=*/true));
  RM_ASSIGN_OR_RETURN(const std::string vector, StateVectorOf(file));
  if (flags.bytes) return WriteBytes(flags, vector, exit_code);
  RM_ASSIGN_OR_RETURN(const std::vector<crdt::ClientState> states, crdt::DecodeStateVector(vector));
  std::string text;
  for (const auto& [client, clock] : states) text += fmt::format("{} {}\n", client, clock);
  return WriteText(flags, text);
}

// Writes what `make` gives of the file.
absl::Status Rewrite(const CommandFlags& flags, int& exit_code,
                     absl::FunctionRef<absl::StatusOr<std::string>(const UpdateFile&)> make) {
  RM_ASSIGN_OR_RETURN(const UpdateFile file, ReadInputUpdate(flags, flags.file, /*tell=*/true));
  const absl::StatusOr<std::string> made = make(file);
  RM_RETURN_IF_ERROR(OfFile(made.status(), file));
  return WriteBytes(flags, *made, exit_code);
}

absl::StatusOr<std::string> Converted(const UpdateFile& file) {
  const crdt::UpdateFormat other =
      file.format == crdt::UpdateFormat::kV1 ? crdt::UpdateFormat::kV2 : crdt::UpdateFormat::kV1;
  return crdt::ConvertUpdate(file.bytes, file.format, other, FileLimits());
}

absl::StatusOr<std::string> Obfuscated(const UpdateFile& file) {
  return crdt::ObfuscateUpdate(file.bytes, file.format, FileLimits());
}

absl::Status Merge(const MergeFlags& flags, int& exit_code) {
  RM_RETURN_IF_ERROR(CheckPaths(flags.files, exit_code));
  std::vector<UpdateFile> files;
  std::vector<std::string_view> updates;
  for (const std::string& path : flags.files) {
    RM_ASSIGN_OR_RETURN(UpdateFile file, ReadInputUpdate(flags, path, /*tell=*/files.empty()));
    // Merging says which is at fault by its number alone, and doesn't read a single one.
    RM_RETURN_IF_ERROR(OfFile(crdt::CheckUpdate(file.bytes, file.format, FileLimits()), file));
    if (!files.empty() && file.format != files[0].format) {
      return absl::InvalidArgumentError(fmt::format("{} is {} and {} is {}: convert one of them first", files[0].name,
                                                    NameOf(files[0].format), file.name, NameOf(file.format)));
    }
    files.push_back(std::move(file));
  }
  for (const UpdateFile& file : files) updates.push_back(file.bytes);
  RM_ASSIGN_OR_RETURN(const std::string merged, crdt::MergeUpdates(updates, files[0].format, FileLimits()));
  return WriteBytes(flags, merged, exit_code);
}

absl::Status Diff(const DiffFlags& flags, int& exit_code) {
  RM_RETURN_IF_ERROR(CheckPaths({flags.file, flags.since}, exit_code));
  RM_ASSIGN_OR_RETURN(const UpdateFile file, ReadInputUpdate(flags, flags.file, /*tell=*/true));
  std::string state_vector;
  if (flags.since_is_state_vector) {
    RM_ASSIGN_OR_RETURN(state_vector, ReadInput(flags.since));
    const absl::Status decoded = crdt::DecodeStateVector(state_vector).status();
    RM_RETURN_IF_ERROR(Annotate(decoded, fmt::format("{} as a state vector", ShownName(flags.since))));
  } else {
    RM_ASSIGN_OR_RETURN(const UpdateFile since, ReadInputUpdate(flags, flags.since, /*tell=*/false));
    RM_ASSIGN_OR_RETURN(state_vector, StateVectorOf(since));
  }
  const absl::StatusOr<std::string> difference = crdt::DiffUpdate(file.bytes, state_vector, file.format, FileLimits());
  RM_RETURN_IF_ERROR(OfFile(difference.status(), file));
  return WriteBytes(flags, *difference, exit_code);
}

}  // namespace

void AddStateVector(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("state-vector", "Say how far an update knows each client");
  auto flags = std::make_shared<StateVectorFlags>();
  command.add_option("file", flags->file, "The update, or - for standard input")->type_name("FILE")->required();
  command.add_flag("--bytes", flags->bytes, "Encoded, as it is sent to ask for what is missing");
  AddFormatFlags(command, *flags);
  AddOutputFlag(command, *flags);
  command.footer(
      R"(A line for each client: its id, and the first clock that the update lacks. A client whose first clocks aren't
in the update isn't there.

Example:
  tools/crdt state-vector doc.yjs --bytes -o doc.sv)");
  commandline::SetAction(command, [flags](int& exit_code) { return PrintStateVector(*flags, exit_code); });
}

void AddConvert(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("convert", "Write a V1 update as V2, or a V2 update as V1");
  auto flags = std::make_shared<CommandFlags>();
  command.add_option("file", flags->file, "The update, or - for standard input")->type_name("FILE")->required();
  AddFormatFlags(command, *flags);
  AddOutputFlag(command, *flags);
  command.footer(R"(Examples:
  tools/crdt convert doc.bin -o doc.yjs
  tools/crdt convert --v2 - <doc.yjs >doc.bin)");
  commandline::SetAction(command, [flags](int& exit_code) { return Rewrite(*flags, exit_code, Converted); });
}

void AddMerge(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("merge", "Make one update of several");
  auto flags = std::make_shared<MergeFlags>();
  command.add_option("files", flags->files, "The updates, all of one format; - is standard input")
      ->type_name("FILE")
      ->required();
  AddFormatFlags(command, *flags);
  AddOutputFlag(command, *flags);
  command.footer(
      R"(What lacks between two of them stays a gap (skip), and none is needed to be whole. The order doesn't matter.

Example:
  tools/crdt merge doc.yjs update-*.yjs -o merged.yjs)");
  commandline::SetAction(command, [flags](int& exit_code) { return Merge(*flags, exit_code); });
}

void AddDiff(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("diff", "Write what of an update somebody lacks who has another");
  auto flags = std::make_shared<DiffFlags>();
  command.add_option("file", flags->file, "The update, or - for standard input")->type_name("FILE")->required();
  command.add_option("since", flags->since, "The update that he has")->type_name("FILE")->required();
  command.add_flag("--state-vector", flags->since_is_state_vector,
                   "The second file is his encoded state vector instead");
  AddFormatFlags(command, *flags);
  AddOutputFlag(command, *flags);
  command.footer(
      R"(The result is an update of the first file's format. Deletions are in it whole, whether he has them or not.

Examples:
  tools/crdt diff new.yjs old.yjs -o missing.yjs
  tools/crdt diff new.yjs old.sv --state-vector | tools/crdt inspect -)");
  commandline::SetAction(command, [flags](int& exit_code) { return Diff(*flags, exit_code); });
}

void AddObfuscate(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("obfuscate", "Write the same update without what it says");
  auto flags = std::make_shared<CommandFlags>();
  command.add_option("file", flags->file, "The update, or - for standard input")->type_name("FILE")->required();
  AddFormatFlags(command, *flags);
  AddOutputFlag(command, *flags);
  command.footer(
      R"(To show others a document in which something fails. Texts, values, keys, and names but those of roots are
replaced, equal keys and formats by equal ones; texts keep their lengths. Who made what, where and in which
order is still to be seen, and so are the names of roots and of clients.

Example:
  tools/crdt obfuscate doc.yjs -o shown.yjs)");
  commandline::SetAction(command, [flags](int& exit_code) { return Rewrite(*flags, exit_code, Obfuscated); });
}

}  // namespace rivermeet::crdt_tool
