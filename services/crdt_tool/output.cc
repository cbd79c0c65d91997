#include "crdt_tool/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/strings.h"

namespace rivermeet::crdt_tool {
namespace {

constexpr size_t kPiece = 64 << 10;

bool IsStandardOutput(const std::string& path) { return path.empty() || path == "-"; }

absl::Status Unwritable(std::string_view name) {
  return absl::InvalidArgumentError(fmt::format("{} can't be written: {}", name, std::strerror(errno)));
}

}  // namespace

absl::StatusOr<Output> Output::Open(const std::string& path) {
  if (IsStandardOutput(path)) return Output(STDOUT_FILENO, "standard output");
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return Unwritable(path);
  return Output(file, path);
}

Output::Output(Output&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      name_(std::move(other.name_)),
      waiting_(std::move(other.waiting_)),
      status_(std::move(other.status_)) {}

Output::~Output() {
  if (file_ > STDERR_FILENO) close(file_);
}

bool Output::IsTerminal(const std::string& path) { return IsStandardOutput(path) && isatty(STDOUT_FILENO) != 0; }

void Output::Write(std::string_view bytes) {
  waiting_ += bytes;
  if (waiting_.size() >= kPiece) Flush();
}

void Output::Flush() {
  std::string_view left = waiting_;
  while (status_.ok() && !left.empty()) {
    const ssize_t count = write(file_, left.data(), left.size());
    if (count < 0) status_ = Unwritable(name_);
    if (count > 0) left.remove_prefix(static_cast<size_t>(count));
  }
  waiting_.clear();
}

absl::Status Output::Close() {
  Flush();
  if (file_ > STDERR_FILENO && close(std::exchange(file_, -1)) != 0 && status_.ok()) status_ = Unwritable(name_);
  return status_;
}

}  // namespace rivermeet::crdt_tool
