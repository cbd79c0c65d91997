#include "crdt_tool/update_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "base/status.h"
#include "base/strings.h"
#include "crdt/inspection.h"
#include "crdt/update.h"

namespace rivermeet::crdt_tool {
namespace {

absl::Status Unreadable(const std::string& path) {
  return absl::InvalidArgumentError(fmt::format("{} can't be read: {}", ShownName(path), std::strerror(errno)));
}

// Why the file is refused as which formats are tried: also one that passes a limit may be an update.
absl::Status Refused(const UpdateFile& file, const absl::Status& v1, const absl::Status& v2) {
  const bool v1_passes = absl::IsResourceExhausted(v1);
  if (!v1_passes && !absl::IsResourceExhausted(v2)) {
    return absl::InvalidArgumentError(
        fmt::format("{} is no update: read as V1, {}; read as V2, {}. Of a damaged one inspect --structs, with --v1 or "
                    "--v2, lists what stands before the damage",
                    file.name, MessageOf(v1), MessageOf(v2)));
  }
  const auto& [passing, other] = v1_passes ? std::pair(v1, v2) : std::pair(v2, v1);
  return absl::ResourceExhaustedError(fmt::format("{} read as {} passes a limit: {}; read as {}, {}", file.name,
                                                  v1_passes ? "V1" : "V2", MessageOf(passing), v1_passes ? "V2" : "V1",
                                                  MessageOf(other)));
}

}  // namespace

crdt::Limits FileLimits() {
  crdt::Limits limits;
  limits.max_repeats = limits.max_structs;
  return limits;
}

std::string ShownName(const std::string& path) { return path == "-" ? "standard input" : path; }

std::string_view NameOf(crdt::UpdateFormat format) { return format == crdt::UpdateFormat::kV1 ? "V1" : "V2"; }

absl::StatusOr<std::string> ReadInput(const std::string& path, uint64_t most) {
  const int file = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Unreadable(path);
  const absl::Cleanup closing = [&] {
    if (file != STDIN_FILENO) close(file);
  };
  // What a file says of its size saves growing; pipes say nothing.
  struct stat state {};
  const uint64_t size = fstat(file, &state) == 0 && state.st_size > 0 ? static_cast<uint64_t>(state.st_size) : 0;
  std::string bytes(std::min(size, most) + 1, '\0');
  size_t used = 0;
  while (true) {
    const ssize_t count = read(file, bytes.data() + used, bytes.size() - used);
    if (count < 0) return Unreadable(path);
    used += static_cast<size_t>(count);
    if (used > most) {
      return absl::InvalidArgumentError(
          fmt::format("{} is longer than {} bytes, the most that is read", ShownName(path), most));
    }
    if (count == 0) break;
    if (used == bytes.size()) bytes.resize(std::max<size_t>(64 << 10, 2 * bytes.size()));
  }
  bytes.resize(used);
  return bytes;
}

absl::StatusOr<UpdateFile> ReadUpdateFile(const std::string& path, std::optional<crdt::UpdateFormat> format) {
  UpdateFile file{.name = ShownName(path)};
  RM_ASSIGN_OR_RETURN(file.bytes, ReadInput(path));
  if (format.has_value()) {
    file.format = *format;
    return file;
  }
  const absl::Status v1 = crdt::CheckUpdate(file.bytes, crdt::UpdateFormat::kV1, FileLimits());
  const absl::Status v2 = crdt::CheckUpdate(file.bytes, crdt::UpdateFormat::kV2, FileLimits());
  if (v1.ok() && v2.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{} reads as V1 and as V2: say which it is with --v1 or --v2", file.name));
  }
  if (file.bytes.empty()) {
    return absl::InvalidArgumentError(fmt::format("{} is empty; an update that says nothing has two bytes", file.name));
  }
  if (!v1.ok() && !v2.ok()) {
    if (crdt::DecodeStateVector(file.bytes).ok()) {
      return absl::InvalidArgumentError(fmt::format("{} is no update but a state vector", file.name));
    }
    return Refused(file, v1, v2);
  }
  file.format = v1.ok() ? crdt::UpdateFormat::kV1 : crdt::UpdateFormat::kV2;
  return file;
}

absl::Status OfFile(const absl::Status& status, const UpdateFile& file) {
  if (status.ok()) return status;
  const crdt::UpdateFormat other =
      file.format == crdt::UpdateFormat::kV1 ? crdt::UpdateFormat::kV2 : crdt::UpdateFormat::kV1;
  std::string message = fmt::format("{} as {}{}: {}", file.name, NameOf(file.format),
                                    absl::IsResourceExhausted(status) ? " passes a limit" : "", MessageOf(status));
  if (crdt::CheckUpdate(file.bytes, other, FileLimits()).ok())
    message += fmt::format("; it reads as {}", NameOf(other));
  return absl::Status(status.code(), message);
}

}  // namespace rivermeet::crdt_tool
