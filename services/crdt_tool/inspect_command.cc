#include <memory>

#include "base/status.h"
#include "base/strings.h"
#include "commandline/command_app.h"
#include "crdt/inspection.h"
#include "crdt_tool/document_report.h"
#include "crdt_tool/internal/command_flags.h"
#include "crdt_tool/internal/commands.h"
#include "crdt_tool/output.h"
#include "crdt_tool/struct_line.h"
#include "crdt_tool/update_report.h"

namespace rivermeet::crdt_tool {
namespace {

struct InspectFlags : CommandFlags {
  bool structs = false;
  bool json = false;
  bool document = false;
};

// What stands before an error is listed.
absl::Status ListStructs(const InspectFlags& flags, const UpdateFile& file) {
  RM_ASSIGN_OR_RETURN(Output output, Output::Open(flags.output));
  const auto write = [&](const auto& one) { output.Write(LineOf(one) + "\n"); };
  const absl::Status read = crdt::ReadUpdate(file.bytes, file.format, write, write, FileLimits());
  RM_RETURN_IF_ERROR(output.Close());
  return OfFile(read, file);
}

absl::Status Inspect(const InspectFlags& flags, int& exit_code) {
  if (flags.structs && (flags.json || flags.document)) {
    exit_code = commandline::kUsage;
    return absl::InvalidArgumentError("--structs goes with neither --json nor --document");
  }
  RM_ASSIGN_OR_RETURN(const UpdateFile file, ReadInputUpdate(flags, flags.file, /*tell=*/flags.structs));
  if (flags.structs) return ListStructs(flags, file);
  RM_ASSIGN_OR_RETURN(const UpdateReport report, UpdateReport::Of(file));
  std::string result = flags.json ? "{" + report.ToJson(file) : report.ToText(file);
  if (flags.document) {
    RM_ASSIGN_OR_RETURN(const crdt::Doc doc, Load(file, /*gc=*/false));
    result += flags.json ? ",\"document\":" + DocumentJson(doc) : "\n" + DocumentText(doc);
  }
  if (flags.json) result += "}\n";
  return WriteText(flags, result);
}

}  // namespace

void AddInspect(CLI::App& app) {
  CLI::App& command =
      *app.add_subcommand("inspect", "Say what is in an update: clients, structs, deletes, types, sizes");
  auto flags = std::make_shared<InspectFlags>();
  command.add_option("file", flags->file, "The update, or - for standard input")->type_name("FILE")->required();
  AddFormatFlags(command, *flags);
  command.add_flag("--structs", flags->structs, "List each struct and deleted range, a line each, instead");
  command.add_flag("--json", flags->json, "As one JSON object");
  command.add_flag("--document", flags->document, "Also load it: its roots, what shows of it, what waits, memory");
  AddOutputFlag(command, *flags);
  command.footer(
      R"(A line of --structs is the first id (client:clock), what the struct holds, and how many ids it takes; then, as
far as the update says it, the ids left and right of it when it was made, the root or the type of which item it
is in, its key, and the start of what it holds. Of a damaged file, of which --v1 or --v2 has to say what it is,
it lists what stands before the damage.

Without --document nothing is loaded: it takes a moment and the file's size in memory. With it the document is
kept without collecting garbage, as it is in the file. Updates don't say of which kind a root is: what it looks
like is a guess from its content.

Examples:
  tools/crdt inspect doc.yjs --document
  tools/crdt inspect doc.yjs --json | jq .clients
  tools/crdt inspect --structs doc.yjs | grep ' in "notes"')");
  commandline::SetAction(command, [flags](int& exit_code) { return Inspect(*flags, exit_code); });
}

}  // namespace rivermeet::crdt_tool
