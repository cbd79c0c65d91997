// Where a command's result goes.
#ifndef RIVERMEET_CRDT_TOOL_OUTPUT_H_
#define RIVERMEET_CRDT_TOOL_OUTPUT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rivermeet::crdt_tool {

// Standard output or a file, written in pieces of 64 KiB.
//
// Errors of all: INVALID_ARGUMENT: it can't be written; the message has the name and the reason. What was written
// before stays there.
class Output {
 public:
  // A file that is there is written over. An empty path, or "-", is standard output.
  static absl::StatusOr<Output> Open(const std::string& path);
  Output(Output&& other) noexcept;
  Output& operator=(Output&&) = delete;
  ~Output();

  // After an error it writes no more; Close() tells it.
  void Write(std::string_view bytes);
  // Writes what is left.
  absl::Status Close();

  // Whether what goes there would be shown to somebody.
  static bool IsTerminal(const std::string& path);

 private:
  Output(int file, std::string name) : file_(file), name_(std::move(name)) {}
  void Flush();

  int file_;
  std::string name_;
  std::string waiting_;
  absl::Status status_;
};

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_OUTPUT_H_
