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
#include "crdt_tool/struct_line.h"

namespace rivermeet::crdt_tool {
namespace {

struct JsonFlags : CommandFlags {
  std::vector<std::string> texts, maps, arrays, fragments;
};

using Kinds = std::vector<std::pair<std::string, crdt::SharedKind>>;

// A usage error when a root is given as two kinds.
absl::StatusOr<Kinds> KindsOf(const JsonFlags& flags, int& exit_code) {
  Kinds kinds;
  for (const auto& [names, kind] :
       {std::pair(&flags.texts, crdt::SharedKind::kText), std::pair(&flags.maps, crdt::SharedKind::kMap),
        std::pair(&flags.arrays, crdt::SharedKind::kArray),
        std::pair(&flags.fragments, crdt::SharedKind::kXmlFragment)}) {
    for (const std::string& name : *names) {
      for (const auto& [known, other] : kinds) {
        if (known != name || other == kind) continue;
        exit_code = commandline::kUsage;
        return absl::InvalidArgumentError(
            fmt::format("{} is given as {} and as {}", Quoted(name, kNameColumn), NameOf(other), NameOf(kind)));
      }
      kinds.emplace_back(name, kind);
    }
  }
  return kinds;
}

// Says of which roots a kind was given that may hide what is in them.
void TellHidden(const crdt::DocumentSummary& summary, const UpdateFile& file, const Kinds& kinds) {
  for (const crdt::RootSummary& root : summary.roots) {
    for (const auto& [name, kind] : kinds) {
      if (name != root.name || !root.likely.has_value() || *root.likely == kind) continue;
      fmt::print(stderr, "{}: {}: {} looks like {}; as {} not all of it may be shown\n", kProgram, file.name,
                 Quoted(name, kNameColumn), NameOf(*root.likely), NameOf(kind));
    }
  }
}

absl::Status PrintJson(const JsonFlags& flags, int& exit_code) {
  RM_ASSIGN_OR_RETURN(const Kinds kinds, KindsOf(flags, exit_code));
  RM_ASSIGN_OR_RETURN(const UpdateFile file, ReadInputUpdate(flags, flags.file, /*tell=*/true));
  RM_ASSIGN_OR_RETURN(crdt::Doc doc, Load(file, /*gc=*/true));
  const crdt::DocumentSummary summary = Summarize(doc);
  const absl::StatusOr<std::string> json = RootsJson(doc, kinds);
  RM_RETURN_IF_ERROR(Annotate(json.status(), file.name));
  RM_RETURN_IF_ERROR(WriteText(flags, *json + "\n"));
  TellHidden(summary, file, kinds);
  const std::string waiting = WaitingText(summary);
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
elements, a map where there are keys alone, else an array. Standard error says where a kind that an option gives
may hide something.

Examples:
  tools/crdt json doc.yjs
  tools/crdt json doc.yjs --text notes --map users | jq .users)");
  commandline::SetAction(command, [flags](int& exit_code) { return PrintJson(*flags, exit_code); });
}

}  // namespace rivermeet::crdt_tool
