#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "commandline/command_app.h"
#include "crdt_tool/crdt_commands.h"
#include "crdt_tool/document_report.h"
#include "crdt_tool/internal/command_flags.h"
#include "crdt_tool/internal/commands.h"

namespace rivermeet::crdt_tool {
namespace {

struct JsonFlags : CommandFlags {
  std::vector<std::string> texts, maps, arrays, fragments;
};

absl::Status PrintJson(const JsonFlags& flags) {
  RM_ASSIGN_OR_RETURN(const UpdateFile file, ReadInputUpdate(flags, flags.file, /*tell=*/true));
  RM_ASSIGN_OR_RETURN(crdt::Doc doc, Load(file, /*gc=*/true));
  std::vector<std::pair<std::string, crdt::SharedKind>> kinds;
  const auto add = [&](const std::vector<std::string>& names, crdt::SharedKind kind) {
    for (const std::string& name : names) kinds.emplace_back(name, kind);
  };
  add(flags.texts, crdt::SharedKind::kText);
  add(flags.maps, crdt::SharedKind::kMap);
  add(flags.arrays, crdt::SharedKind::kArray);
  add(flags.fragments, crdt::SharedKind::kXmlFragment);
  const absl::StatusOr<std::string> json = RootsJson(doc, kinds);
  RM_RETURN_IF_ERROR(Annotate(json.status(), file.name));
  RM_RETURN_IF_ERROR(WriteText(flags, *json + "\n"));
  const std::string waiting = WaitingText(Summarize(doc));
  if (!waiting.empty()) fmt::print(stderr, "{}: {}: not all is shown: {}\n", kProgram, file.name, waiting);
  return absl::OkStatus();
}

void AddKind(CLI::App& command, const char* flag, std::vector<std::string>& names, const char* what) {
  command.add_option(flag, names, what)->type_name("NAME")->allow_extra_args(false);
}

}  // namespace

void AddJson(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("json", "Print what the document holds that an update makes, as JSON");
  auto flags = std::make_shared<JsonFlags>();
  command.add_option("file", flags->file, "The update, or - for standard input")->type_name("FILE")->required();
  AddKind(command, "--text", flags->texts, "The root of that name is a text");
  AddKind(command, "--map", flags->maps, "... is a map");
  AddKind(command, "--array", flags->arrays, "... is an array");
  AddKind(command, "--xml", flags->fragments, "... is an XML fragment");
  AddFormatFlags(command, *flags);
  AddOutputFlag(command, *flags);
  command.footer(
      R"(One object with all roots, as yjs's doc.toJSON(): texts without their formats, XML as text; bigints are texts
of their digits. Updates don't say of which kind a root is. One that no option names is taken for what its content
looks like, which is a guess: a text where there are strings or formats, an XML fragment where there are XML
elements, a map where there are keys alone, else an array.

Examples:
  tools/crdt json doc.yjs
  tools/crdt json doc.yjs --text notes --map users | jq .users)");
  commandline::SetAction(command, [flags](int&) { return PrintJson(*flags); });
}

}  // namespace rivermeet::crdt_tool
