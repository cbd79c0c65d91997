// Structs and what they hold as text for people.
#ifndef RIVERMEET_CRDT_TOOL_STRUCT_LINE_H_
#define RIVERMEET_CRDT_TOOL_STRUCT_LINE_H_

#include <string>
#include <string_view>

#include "crdt/inspection.h"

namespace rivermeet::crdt_tool {

// "string", "gc", ...; "map", "xml-element", ...
std::string_view NameOf(crdt::Content content);
std::string_view NameOf(crdt::SharedKind kind);

// `text` as a JSON string of at most `most` of its characters, with "…" behind it when that isn't all. No control
// character is in it: what a document holds can't drive the terminal.
std::string Quoted(std::string_view text, size_t most);

// A line without its end:
//   1:0 string 5 in "notes" "Hello"
// The first id, what it holds, its length; then, as far as they are said: "left" and "right" origin, "in" which root
// or the type of which item, "key"; and the first 60 characters of what it holds.
std::string LineOf(const crdt::UpdateStruct& one);
//   deletes 1:4 1
std::string LineOf(const crdt::DeletedRange& range);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_STRUCT_LINE_H_
