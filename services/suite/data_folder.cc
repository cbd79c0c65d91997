#include "suite/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "base/status.h"
#include "base/strings.h"
#include "files/file_system.h"

namespace rivermeet::suite {
namespace {

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

absl::Status Denied(const std::filesystem::path& path, int error) {
  return absl::FailedPreconditionError(fmt::format("can't write the data folder {}: {}; choose another with --data",
                                                   path.string(), std::strerror(error)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFolder>> DataFolder::Open(const std::string& path, std::string_view name) {
  std::error_code error;
  const std::filesystem::path root = std::filesystem::absolute(path, error).lexically_normal();
  std::filesystem::create_directories(root / "keys", error);
  if (error) return Denied(root, error.value());
  // The private PostgreSQL runs as another user and must get to its own folder; what is secret has its own mode.
  chmod(root.c_str(), 0711);
  chmod((root / "keys").c_str(), 0700);
  const std::string lock_name = name == "suite" ? "lock" : fmt::format("{}.lock", name);
  const int lock = open((root / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return Denied(root, errno);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return absl::AlreadyExistsError(fmt::format("process {} already runs on {}: {}", Trim(ReadText(root / lock_name)),
                                                root.string(), Trim(ReadText(root / "suite.json"))));
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(lock, 0) != 0 || write(lock, pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) {
    const int failed = errno;
    close(lock);
    return Denied(root, failed);
  }
  return std::unique_ptr<DataFolder>(
      new DataFolder(root, name == "suite" ? "suite.json" : fmt::format("{}.ready", name), lock));
}

DataFolder::~DataFolder() {
  std::error_code ignored;
  std::filesystem::remove(state_, ignored);
  close(lock_);
}

absl::Status DataFolder::WriteState(std::string_view url, std::string_view grpc_address) {
  return files::WriteWholeFile(
      files::FileSystem::Posix(), state_.string(),
      fmt::format("{{\"url\": \"{}\", \"grpc\": \"{}\", \"pid\": {}}}\n", url, grpc_address, getpid()));
}

}  // namespace rivermeet::suite
