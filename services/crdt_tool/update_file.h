// Files that hold an update, and of which format that is.
#ifndef RIVERMEET_CRDT_TOOL_UPDATE_FILE_H_
#define RIVERMEET_CRDT_TOOL_UPDATE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crdt/limits.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt_tool {

struct UpdateFile {
  std::string name;  // for messages
  std::string bytes;
  crdt::UpdateFormat format = crdt::UpdateFormat::kV1;
};

// What files are read under: the default limits, but that format V2 may write once for as many structs as a document
// may have, as where documents are loaded. Whoever has a file waits for it.
crdt::Limits FileLimits();

// "V1" or "V2".
std::string_view NameOf(crdt::UpdateFormat format);

// How messages call what is read: "standard input" for "-".
std::string ShownName(const std::string& path);

// All of a file, a pipe or, for "-", standard input. Error messages begin with its name.
//
// Errors:
//   INVALID_ARGUMENT  It can't be read, or is longer than `most` bytes.
absl::StatusOr<std::string> ReadInput(const std::string& path, uint64_t most = crdt::Limits().max_update_bytes);

// With `format` the bytes are taken as such, unread. Without one it is the format of the two as which they read, to
// their last byte: an update of one is hardly ever one of the other, too.
//
// Errors:
//   INVALID_ARGUMENT    As of ReadInput; or they read as neither format, or as both.
//   RESOURCE_EXHAUSTED  As neither format, and as one of them they pass a limit, which the message says.
absl::StatusOr<UpdateFile> ReadUpdateFile(const std::string& path, std::optional<crdt::UpdateFormat> format);

// `status` with the file's name and format before its message, or that it passes a limit, and behind it that the file
// reads as the other format, where it does; OK stays OK.
absl::Status OfFile(const absl::Status& status, const UpdateFile& file);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_UPDATE_FILE_H_
