// What the document is like that an update makes, and its roots as JSON.
#ifndef RIVERMEET_CRDT_TOOL_DOCUMENT_REPORT_H_
#define RIVERMEET_CRDT_TOOL_DOCUMENT_REPORT_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crdt/doc.h"
#include "crdt/inspection.h"
#include "crdt_tool/update_file.h"

namespace rivermeet::crdt_tool {

constexpr size_t kNameColumn = 22;  // characters of a root's name that tables and messages have room for

// The document that has taken in just this update.
// Errors: as those of Doc::Apply, with the file's name.
absl::StatusOr<crdt::Doc> Load(const UpdateFile& file, bool gc);

// Roots with what they look like, structs and what shows of them, memory, and what waits for other updates.
std::string DocumentText(const crdt::Doc& doc);
// The same as a JSON object.
std::string DocumentJson(const crdt::Doc& doc);

// All roots as yjs's doc.toJSON(), bigints as texts of their digits: those in `kinds` as said there, each other as what
// it looks like, or as an array when there is nothing to tell. It makes those roots typed.
//
// Errors:
//   INVALID_ARGUMENT     There is no root of a name in `kinds`; the message has those that there are. Or something in
//                        it has no form in JSON.
//   FAILED_PRECONDITION  `kinds` names one twice, as different kinds.
absl::StatusOr<std::string> RootsJson(crdt::Doc& doc,
                                      const std::vector<std::pair<std::string, crdt::SharedKind>>& kinds);

// "3 structs and 1 deleted ranges wait for client 5 from clock 30"; empty when nothing does.
std::string WaitingText(const crdt::DocumentSummary& summary);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_DOCUMENT_REPORT_H_
