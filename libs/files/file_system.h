// The file operations that durability depends on, behind an interface, so that a test can take the disk away.
//
// Everything that must survive a power cut goes through here: the event log, objects, the agent's buffer. What a
// caller may rely on after a crash is said operation by operation below, and nothing more: LossyFileSystem in
// libs/testing keeps exactly that and drops the rest.
#ifndef RIVERMEET_FILES_FILE_SYSTEM_H_
#define RIVERMEET_FILES_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rivermeet::files {

// A file that grows at its end. One thread at a time. Closed by its destructor, without a sync.
//
// Errors of every function:
//   RESOURCE_EXHAUSTED  No space or quota left. A prefix of what was asked for may have been written.
//   UNAVAILABLE         The disk failed (EIO, read-only). After a failed Sync() every further call on this handle
//                       answers so: the kernel may have dropped the pages and would call the next sync a success.
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  // Appends all pieces in order, in as few system calls as possible. Not durable before Sync(). On an error a
  // prefix may be in the file: Truncate() to the size before, or give the file up.
  virtual absl::Status Append(std::span<const std::string_view> pieces) = 0;
  absl::Status Append(std::string_view piece) { return Append(std::span<const std::string_view>(&piece, 1)); }

  // The contents, and the size needed to read them back, are durable once this returns OK (fdatasync). The file's
  // name is durable only after FileSystem::SyncDirectory().
  virtual absl::Status Sync() = 0;

  // Cuts the file to `size` bytes, at most its present size. Durable after the next Sync().
  virtual absl::Status Truncate(int64_t size) = 0;

  // Reserves disk blocks up to `size` bytes without changing what Size() answers. A hint: OK where the file system
  // knows no such thing.
  virtual absl::Status Reserve(int64_t size) = 0;

  // Bytes in the file, those not yet synced among them.
  virtual int64_t Size() const = 0;
};

// A file to read at any position. Thread-safe.
class ReadFile {
 public:
  virtual ~ReadFile() = default;

  // Fills `to` from `position` on; fewer bytes only at the end of the file.
  //
  // Errors:
  //   UNAVAILABLE  The disk failed.
  virtual absl::StatusOr<size_t> ReadAt(int64_t position, std::span<char> to) const = 0;

  // The present size in bytes.
  virtual absl::StatusOr<int64_t> Size() const = 0;
};

// Held until destroyed, or until the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kCreateNew,     // ALREADY_EXISTS when there is one
  kOpenExisting,  // NOT_FOUND when there is none
  kOpenOrCreate,
};

// Thread-safe. Paths are as the system takes them; folders are separated by '/'.
//
// Errors of every function, besides those named:
//   NOT_FOUND           No such file or folder.
//   RESOURCE_EXHAUSTED  No space, quota or file handles left. Retry once there is.
//   PERMISSION_DENIED   The system's file rights forbid it.
//   UNAVAILABLE         The disk failed.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual absl::StatusOr<std::unique_ptr<AppendFile>> OpenForAppend(const std::string& path, OpenMode mode) = 0;
  virtual absl::StatusOr<std::unique_ptr<ReadFile>> OpenForRead(const std::string& path) = 0;

  // Replaces `to` atomically: at every moment, and after a crash, `to` is the old or the new file. Which of them
  // after a crash is certain only once SyncDirectory() has returned.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;

  // Like Rename(), but ALREADY_EXISTS when there is a `to`; then nothing has changed.
  virtual absl::Status RenameIfAbsent(const std::string& from, const std::string& to) = 0;

  // Removes a file. Durable after SyncDirectory().
  virtual absl::Status Remove(const std::string& path) = 0;

  // The names in a folder (files and folders, not "." and ".."), sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& folder) = 0;

  virtual absl::StatusOr<int64_t> FileSize(const std::string& path) = 0;
  virtual absl::StatusOr<bool> IsFolder(const std::string& path) = 0;

  // Makes the folder and those above it that are missing; all that it made are durable when it returns.
  virtual absl::Status CreateFolders(const std::string& folder) = 0;

  // Removes an empty folder.
  virtual absl::Status RemoveFolder(const std::string& folder) = 0;

  // Makes the folder's entries durable: creations, renames and removals in it.
  virtual absl::Status SyncDirectory(const std::string& folder) = 0;

  // Takes the lock file at `path` for this process, made when missing.
  //
  // Errors:
  //   FAILED_PRECONDITION  Another process (or another part of this one) holds it.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;

  // Bytes that an unprivileged process can still write on the file system of `path`.
  virtual absl::StatusOr<int64_t> FreeBytes(const std::string& path) = 0;

  // The machine's own file system; lives for ever.
  static FileSystem& Posix();
};

// The whole of a small file.
absl::StatusOr<std::string> ReadWholeFile(FileSystem& fs, const std::string& path);

// Makes `path` hold `contents`, atomically and durably: writes `path` + ".tmp", syncs it, renames it and syncs the
// folder. One writer a path at a time. After an error `path` is unchanged or, when the last sync failed, whole.
absl::Status WriteWholeFile(FileSystem& fs, const std::string& path, std::string_view contents);

// "a/b" for "a" and "b"; the folder of "a/b" is "a", of "b" ".".
std::string JoinPath(std::string_view folder, std::string_view name);
std::string FolderOf(std::string_view path);

}  // namespace rivermeet::files

#endif  // RIVERMEET_FILES_FILE_SYSTEM_H_
