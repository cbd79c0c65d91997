#include "crdt_tool/document_report.h"

#include <algorithm>

#include "base/json_string.h"
#include "base/status.h"
#include "base/strings.h"
#include "crdt_tool/struct_line.h"
#include "crdt_tool/update_report.h"

namespace rivermeet::crdt_tool {
namespace {

using crdt::Doc;
using crdt::DocumentSummary;
using crdt::RootSummary;
using crdt::SharedKind;

constexpr size_t kShownMissing = 10;

std::string_view LikelyName(const RootSummary& root) { return root.likely.has_value() ? NameOf(*root.likely) : "?"; }

std::string RootsText(const std::vector<RootSummary>& roots) {
  std::string text = fmt::format("\n{:<25} {:<12} {:>12} {:>12}\n", "root", "looks like", "length", "keys");
  for (size_t i = 0; i < std::min(roots.size(), kShownRoots); ++i) {
    text += fmt::format("{:<25} {:<12} {:>12} {:>12}\n", Quoted(roots[i].name, kNameColumn), LikelyName(roots[i]),
                        roots[i].length, roots[i].keys);
  }
  if (roots.size() > kShownRoots) text += fmt::format("and {} more: --json has all\n", roots.size() - kShownRoots);
  return text;
}

}  // namespace

absl::StatusOr<Doc> Load(const UpdateFile& file, bool gc) {
  // Nobody edits: a client of its own would be drawn for nothing.
  Doc doc({.client_id = 0, .gc = gc, .limits = FileLimits()});
  RM_RETURN_IF_ERROR(OfFile(doc.Apply(file.bytes, file.format), file));
  return doc;
}

std::string WaitingText(const DocumentSummary& summary) {
  if (summary.pending_structs == 0 && summary.pending_deletes == 0) return {};
  std::string text =
      fmt::format("{} structs and {} deleted ranges wait for", summary.pending_structs, summary.pending_deletes);
  if (summary.missing.empty()) return text + " what they delete";
  for (size_t i = 0; i < std::min(summary.missing.size(), kShownMissing); ++i) {
    text += fmt::format("{} client {} from clock {}", i == 0 ? "" : ",", summary.missing[i].client,
                        summary.missing[i].clock);
  }
  if (summary.missing.size() > kShownMissing) {
    text += fmt::format(" and {} more clients", summary.missing.size() - kShownMissing);
  }
  return text;
}

std::string DocumentText(const Doc& doc) {
  const DocumentSummary summary = Summarize(doc);
  const std::string waiting = WaitingText(summary);
  std::string text = fmt::format("document  {} structs, {} bytes of memory\n", doc.StructCount(), doc.MemoryBytes());
  text += fmt::format("types     {}\n", TypesText(summary.types));
  text += fmt::format("waiting   {}\n", waiting.empty() ? "nothing" : waiting);
  if (!summary.roots.empty()) text += RootsText(summary.roots);
  text += fmt::format("\n{:<16} {:>12} {:>12} {:>12} {:>12}\n", "content", "structs", "units", "deleted", "units");
  for (size_t i = 0; i < crdt::kContents; ++i) {
    const DocumentSummary::Count& live = summary.live[i];
    const DocumentSummary::Count& deleted = summary.deleted[i];
    if (live.structs + deleted.structs == 0) continue;
    text += fmt::format("{:<16} {:>12} {:>12} {:>12} {:>12}\n", NameOf(static_cast<crdt::Content>(i)), live.structs,
                        live.units, deleted.structs, deleted.units);
  }
  return text;
}

std::string DocumentJson(const Doc& doc) {
  const DocumentSummary summary = Summarize(doc);
  std::string json = fmt::format(R"({{"structs":{},"memoryBytes":{},"types":{},"roots":[)", doc.StructCount(),
                                 doc.MemoryBytes(), TypesJson(summary.types));
  for (size_t i = 0; i < summary.roots.size(); ++i) {
    const RootSummary& root = summary.roots[i];
    const std::string likely = root.likely.has_value() ? JsonString(NameOf(*root.likely)) : "null";
    json += fmt::format(R"({}{{"name":{},"looksLike":{},"length":{},"keys":{}}})", i == 0 ? "" : ",",
                        JsonString(root.name), likely, root.length, root.keys);
  }
  json += "],\"content\":{";
  bool first = true;
  for (size_t i = 0; i < crdt::kContents; ++i) {
    const DocumentSummary::Count& live = summary.live[i];
    const DocumentSummary::Count& deleted = summary.deleted[i];
    if (live.structs + deleted.structs == 0) continue;
    json +=
        fmt::format(R"({}"{}":{{"structs":{},"units":{},"deletedStructs":{},"deletedUnits":{}}})", first ? "" : ",",
                    NameOf(static_cast<crdt::Content>(i)), live.structs, live.units, deleted.structs, deleted.units);
    first = false;
  }
  json += fmt::format(R"(}},"waiting":{{"structs":{},"deletes":{},"missing":[)", summary.pending_structs,
                      summary.pending_deletes);
  for (size_t i = 0; i < summary.missing.size(); ++i) {
    json += fmt::format(R"({}{{"client":{},"from":{}}})", i == 0 ? "" : ",", summary.missing[i].client,
                        summary.missing[i].clock);
  }
  return json + "]}}";
}

absl::StatusOr<std::string> RootsJson(Doc& doc, const std::vector<std::pair<std::string, SharedKind>>& kinds) {
  const std::vector<RootSummary> roots = Summarize(doc).roots;
  for (const auto& [name, kind] : kinds) {
    if (!doc.FindRoot(name).has_value()) {
      std::string names;
      for (size_t i = 0; i < std::min(roots.size(), kShownRoots); ++i) {
        names += (i == 0 ? "" : ", ") + Quoted(roots[i].name, kNameColumn);
      }
      return absl::InvalidArgumentError(fmt::format("there is no root {}; {}", Quoted(name, kNameColumn),
                                                    names.empty() ? "it has none" : "it has " + names));
    }
    RM_RETURN_IF_ERROR(doc.GetRoot(name, kind).status());
  }
  for (const RootSummary& root : roots) {
    if (doc.FindRoot(root.name)->kind().has_value()) continue;
    RM_RETURN_IF_ERROR(doc.GetRoot(root.name, root.likely.value_or(SharedKind::kArray)).status());
  }
  return doc.ToJson(crdt::BigInts::kAsText);
}

}  // namespace rivermeet::crdt_tool
