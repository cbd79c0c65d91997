#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/disk_full.h"
#include "base/status.h"
#include "files/file_system.h"
#include "fmt/format.h"

namespace rivermeet::files {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return absl::StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case EFBIG:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    case EINVAL:
    case ENAMETOOLONG:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status Failed(std::string_view what, const std::string& path, int error) {
  absl::Status status(CodeOf(error),
                      fmt::format("{} {}: {}", what, path, std::error_code(error, std::generic_category()).message()));
  return error == ENOSPC || error == EDQUOT ? WithDiskFull(std::move(status)) : status;
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(std::string path, int fd, int64_t size) : path_(std::move(path)), fd_(fd), size_(size) {}
  ~PosixAppendFile() override { close(fd_); }

  absl::Status Append(std::span<const std::string_view> pieces) override {
    RM_RETURN_IF_ERROR(failed_);
    size_t next = 0;
    while (next < pieces.size()) {
      const size_t count = std::min(pieces.size() - next, kMaxVectors);
      RM_RETURN_IF_ERROR(WriteAll(pieces.subspan(next, count)));
      next += count;
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    RM_RETURN_IF_ERROR(failed_);
    int result;
    do {
      result = fdatasync(fd_);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
      // Never a second try: the kernel marks the failed pages clean, and the next fdatasync would answer 0.
      failed_ = absl::UnavailableError(fmt::format("fdatasync {}: {}; the file is given up", path_,
                                                   std::error_code(errno, std::generic_category()).message()));
    }
    return failed_;
  }

  absl::Status Truncate(int64_t size) override {
    RM_RETURN_IF_ERROR(failed_);
    RM_CHECK(size >= 0 && size <= size_);
    if (ftruncate(fd_, size) != 0) return Failed("truncate", path_, errno);
    size_ = size;
    return absl::OkStatus();
  }

  absl::Status Reserve(int64_t size) override {
    RM_RETURN_IF_ERROR(failed_);
    if (size <= size_) return absl::OkStatus();
    if (fallocate(fd_, FALLOC_FL_KEEP_SIZE, size_, size - size_) == 0) return absl::OkStatus();
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR) return absl::OkStatus();
    return Failed("reserve", path_, errno);
  }

  int64_t Size() const override { return size_; }

 private:
  static constexpr size_t kMaxVectors = 512;

  // At the known size and not with O_APPEND, so that a cut tail is where the next write goes.
  absl::Status WriteAll(std::span<const std::string_view> pieces) {
    std::array<iovec, kMaxVectors> vectors;
    for (size_t i = 0; i < pieces.size(); ++i) {
      vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    }
    size_t first = 0;
    while (true) {
      while (first < pieces.size() && vectors[first].iov_len == 0) ++first;
      if (first == pieces.size()) return absl::OkStatus();
      const ssize_t written =
          pwritev(fd_, vectors.data() + first, static_cast<int>(pieces.size() - first), static_cast<off_t>(size_));
      if (written < 0) {
        if (errno == EINTR) continue;
        return Failed("write", path_, errno);
      }
      size_ += written;
      auto left = static_cast<size_t>(written);
      while (left > 0) {
        const size_t taken = std::min(left, vectors[first].iov_len);
        vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + taken;
        vectors[first].iov_len -= taken;
        left -= taken;
        if (vectors[first].iov_len == 0) ++first;
      }
    }
  }

  const std::string path_;
  const int fd_;
  int64_t size_;
  absl::Status failed_;
};

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixReadFile() override { close(fd_); }

  absl::StatusOr<size_t> ReadAt(int64_t position, std::span<char> to) const override {
    size_t done = 0;
    while (done < to.size()) {
      const ssize_t got =
          pread(fd_, to.data() + done, to.size() - done, static_cast<off_t>(position) + static_cast<off_t>(done));
      if (got == 0) break;
      if (got < 0) {
        if (errno == EINTR) continue;
        return Failed("read", path_, errno);
      }
      done += static_cast<size_t>(got);
    }
    return done;
  }

  absl::StatusOr<int64_t> Size() const override {
    struct stat info;
    if (fstat(fd_, &info) != 0) return Failed("stat", path_, errno);
    return static_cast<int64_t>(info.st_size);
  }

 private:
  const std::string path_;
  const int fd_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int fd) : fd_(fd) {}
  ~PosixFileLock() override { close(fd_); }

 private:
  const int fd_;
};

class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<AppendFile>> OpenForAppend(const std::string& path, OpenMode mode) override {
    int flags = O_WRONLY | O_CLOEXEC;
    if (mode != OpenMode::kOpenExisting) flags |= O_CREAT;
    if (mode == OpenMode::kCreateNew) flags |= O_EXCL;
    const int fd = open(path.c_str(), flags, 0640);
    if (fd < 0) return Failed("open", path, errno);
    struct stat info;
    if (fstat(fd, &info) != 0) {
      const int error = errno;
      close(fd);
      return Failed("stat", path, error);
    }
    return std::make_unique<PosixAppendFile>(path, fd, info.st_size);
  }

  absl::StatusOr<std::unique_ptr<ReadFile>> OpenForRead(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Failed("open", path, errno);
    return std::make_unique<PosixReadFile>(path, fd);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return Failed("rename to", to, errno);
    return absl::OkStatus();
  }

  absl::Status RenameIfAbsent(const std::string& from, const std::string& to) override {
    // link + unlink and not renameat2: it is in POSIX and every local file system has it.
    if (link(from.c_str(), to.c_str()) != 0) return Failed("rename to", to, errno);
    return Remove(from);
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return Failed("remove", path, errno);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override {
    DIR* const handle = opendir(folder.c_str());
    if (handle == nullptr) return Failed("list", folder, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(handle)) {
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    closedir(handle);
    if (error != 0) return Failed("list", folder, error);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<int64_t> FileSize(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return Failed("stat", path, errno);
    return static_cast<int64_t>(info.st_size);
  }

  absl::StatusOr<bool> IsFolder(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return Failed("stat", path, errno);
    return S_ISDIR(info.st_mode);
  }

  absl::Status CreateFolders(const std::string& folder) override {
    if (mkdir(folder.c_str(), 0750) == 0) return SyncDirectory(FolderOf(folder));
    if (errno == EEXIST) {
      RM_ASSIGN_OR_RETURN(const bool is_folder, IsFolder(folder));
      if (is_folder) return absl::OkStatus();
      return Failed("create folder", folder, EEXIST);
    }
    if (errno != ENOENT || FolderOf(folder) == folder) return Failed("create folder", folder, errno);
    RM_RETURN_IF_ERROR(CreateFolders(FolderOf(folder)));
    if (mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) return Failed("create folder", folder, errno);
    return SyncDirectory(FolderOf(folder));
  }

  absl::Status RemoveFolder(const std::string& folder) override {
    if (rmdir(folder.c_str()) != 0) return Failed("remove folder", folder, errno);
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& folder) override {
    const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Failed("open", folder, errno);
    const int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    if (error != 0) return Failed("sync", folder, error);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return Failed("open", path, errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      close(fd);
      if (error == EWOULDBLOCK) {
        return absl::FailedPreconditionError(
            fmt::format("{} is locked: another process uses this folder. Stop it first.", path));
      }
      return Failed("lock", path, error);
    }
    return std::make_unique<PosixFileLock>(fd);
  }

  absl::StatusOr<int64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (statvfs(path.c_str(), &info) != 0) return Failed("stat", path, errno);
    return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  }
};

}  // namespace

FileSystem& FileSystem::Posix() {
  static PosixFileSystem* const fs = new PosixFileSystem;
  return *fs;
}

}  // namespace rivermeet::files
