#include "objects/file_object_store.h"

#include <algorithm>
#include <utility>

#include "base/crash_point.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::objects {
namespace {

constexpr std::string_view kIncoming = ".incoming";
constexpr std::string_view kLockFile = ".lock";
constexpr size_t kCopyBytes = 1 << 20;

absl::Status CheckKey(const std::string& key) {
  if (IsObjectKey(key) && key[0] != '.') return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("\"{}\" is not an object key", key));
}

absl::Status CheckDeadline(absl::Time deadline) {
  if (absl::Now() < deadline) return absl::OkStatus();
  return absl::DeadlineExceededError("the deadline had passed before the object store was asked");
}

absl::Status CopyTo(files::AppendFile& to, const files::ReadFile& from) {
  std::string buffer(kCopyBytes, '\0');
  int64_t position = 0;
  while (true) {
    RM_ASSIGN_OR_RETURN(const size_t read, from.ReadAt(position, buffer));
    if (read == 0) return absl::OkStatus();
    RM_RETURN_IF_ERROR(to.Append(std::string_view(buffer).substr(0, read)));
    position += static_cast<int64_t>(read);
  }
}

}  // namespace

FileObjectStore::FileObjectStore(FileObjectStoreOptions options, std::unique_ptr<files::FileLock> lock)
    : options_(std::move(options)), fs_(*options_.fs), lock_(std::move(lock)) {}

absl::StatusOr<std::unique_ptr<FileObjectStore>> FileObjectStore::Open(FileObjectStoreOptions options) {
  if (options.read_only) return std::unique_ptr<FileObjectStore>(new FileObjectStore(std::move(options), nullptr));
  files::FileSystem& fs = *options.fs;
  const std::string incoming = files::JoinPath(options.folder, kIncoming);
  RM_RETURN_IF_ERROR(fs.CreateFolders(incoming));
  RM_ASSIGN_OR_RETURN(auto lock, fs.Lock(files::JoinPath(options.folder, kLockFile)));
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> left_behind, fs.List(incoming));
  for (const std::string& name : left_behind) RM_RETURN_IF_ERROR(fs.Remove(files::JoinPath(incoming, name)));
  return std::unique_ptr<FileObjectStore>(new FileObjectStore(std::move(options), std::move(lock)));
}

absl::Status FileObjectStore::CheckWritable() const {
  if (!options_.read_only) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format("the object store {} is open for reading only", options_.folder));
}

std::string FileObjectStore::PathOf(const std::string& key) const { return files::JoinPath(options_.folder, key); }

absl::StatusOr<std::string> FileObjectStore::WriteIncoming(std::string_view contents) {
  const std::string path = fmt::format("{}/{}/{}", options_.folder, kIncoming, next_incoming_.fetch_add(1));
  CrashPoint("objects.put.before_write");
  RM_ASSIGN_OR_RETURN(const auto file, fs_.OpenForAppend(path, files::OpenMode::kCreateNew));
  absl::Status written = file->Append(contents);
  CrashPoint("objects.put.before_sync");
  if (written.ok()) written = file->Sync();
  CrashPoint("objects.put.after_sync");
  if (written.ok()) return path;
  // What is left is removed at the next Open when this fails too.
  fs_.Remove(path).IgnoreError();
  return written;
}

absl::Status FileObjectStore::MoveIntoPlace(const std::string& incoming, const std::string& key, bool replace) {
  const std::string path = PathOf(key);
  const std::string folder = files::FolderOf(path);
  absl::Status moved = fs_.CreateFolders(folder);
  CrashPoint("objects.put.before_rename");
  if (moved.ok()) moved = replace ? fs_.Rename(incoming, path) : fs_.RenameIfAbsent(incoming, path);
  CrashPoint("objects.put.after_rename");
  if (!moved.ok()) {
    fs_.Remove(incoming).IgnoreError();
    const absl::StatusOr<bool> is_folder = fs_.IsFolder(path);
    const bool absent_clash = !replace && absl::IsAlreadyExists(moved) && !(is_folder.ok() && *is_folder);
    if (!absent_clash && ((is_folder.ok() && *is_folder) || absl::IsAlreadyExists(moved) || absl::IsNotFound(moved))) {
      return absl::InvalidArgumentError(
          fmt::format("\"{}\" is a folder of other objects, or an object is its folder", key));
    }
    return moved;
  }
  RM_RETURN_IF_ERROR(fs_.SyncDirectory(folder));
  CrashPoint("objects.put.after_sync_directory");
  return absl::OkStatus();
}

absl::Status FileObjectStore::PutContents(const std::string& key, std::string_view contents, absl::Time deadline,
                                          bool replace) {
  RM_RETURN_IF_ERROR(CheckWritable());
  RM_RETURN_IF_ERROR(CheckKey(key));
  RM_RETURN_IF_ERROR(CheckDeadline(deadline));
  RM_ASSIGN_OR_RETURN(const std::string incoming, WriteIncoming(contents));
  return MoveIntoPlace(incoming, key, replace);
}

absl::Status FileObjectStore::Put(const std::string& key, std::string_view contents, absl::Time deadline) {
  return PutContents(key, contents, deadline, /*replace=*/true);
}

absl::Status FileObjectStore::PutIfAbsent(const std::string& key, std::string_view contents, absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckKey(key));
  if (Stat(key, deadline).ok()) return absl::AlreadyExistsError(fmt::format("object \"{}\" exists", key));
  return PutContents(key, contents, deadline, /*replace=*/false);
}

absl::Status FileObjectStore::PutFile(const std::string& key, const std::string& path, absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckWritable());
  RM_RETURN_IF_ERROR(CheckKey(key));
  RM_RETURN_IF_ERROR(CheckDeadline(deadline));
  // A copy, and not a rename: the file may be on another file system, and be somebody's open handle.
  RM_ASSIGN_OR_RETURN(const auto source, fs_.OpenForRead(path));
  const std::string incoming = fmt::format("{}/{}/{}", options_.folder, kIncoming, next_incoming_.fetch_add(1));
  CrashPoint("objects.put.before_write");
  RM_ASSIGN_OR_RETURN(const auto file, fs_.OpenForAppend(incoming, files::OpenMode::kCreateNew));
  absl::Status copied = CopyTo(*file, *source);
  CrashPoint("objects.put.before_sync");
  if (copied.ok()) copied = file->Sync();
  CrashPoint("objects.put.after_sync");
  if (!copied.ok()) {
    fs_.Remove(incoming).IgnoreError();
    return copied;
  }
  return MoveIntoPlace(incoming, key, /*replace=*/true);
}

absl::StatusOr<std::string> FileObjectStore::Get(const std::string& key, absl::Time deadline) {
  return GetRange(key, 0, INT64_MAX, deadline);
}

absl::StatusOr<std::string> FileObjectStore::GetRange(const std::string& key, int64_t offset, int64_t length,
                                                      absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckKey(key));
  RM_RETURN_IF_ERROR(CheckDeadline(deadline));
  if (offset < 0 || length < 0) return absl::InvalidArgumentError("offset and length are at least 0");
  RM_RETURN_IF_ERROR(Stat(key, deadline).status());
  RM_ASSIGN_OR_RETURN(const auto file, fs_.OpenForRead(PathOf(key)));
  RM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  if (offset > size) {
    return absl::OutOfRangeError(fmt::format("object \"{}\" has {} bytes, asked from {}", key, size, offset));
  }
  std::string contents(static_cast<size_t>(std::min(length, size - offset)), '\0');
  RM_ASSIGN_OR_RETURN(const size_t read, file->ReadAt(offset, contents));
  if (read != contents.size()) return absl::DataLossError(fmt::format("{} was cut while it was read", PathOf(key)));
  return contents;
}

absl::StatusOr<ObjectInfo> FileObjectStore::Stat(const std::string& key, absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckKey(key));
  RM_RETURN_IF_ERROR(CheckDeadline(deadline));
  const absl::StatusOr<bool> is_folder = fs_.IsFolder(PathOf(key));
  if (absl::IsNotFound(is_folder.status()) || (is_folder.ok() && *is_folder)) {
    return absl::NotFoundError(fmt::format("no object \"{}\"", key));
  }
  RM_RETURN_IF_ERROR(is_folder.status());
  RM_ASSIGN_OR_RETURN(const int64_t bytes, fs_.FileSize(PathOf(key)));
  return ObjectInfo{key, bytes};
}

absl::Status FileObjectStore::ListFolder(const std::string& folder, const std::string& key_prefix,
                                         const std::string& prefix, const std::string& after,
                                         std::vector<ObjectInfo>& found) {
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.List(folder));
  for (const std::string& name : names) {
    if (name[0] == '.' && key_prefix.empty()) continue;
    const std::string key = key_prefix + name;
    const std::string path = files::JoinPath(folder, name);
    const absl::StatusOr<bool> is_folder = fs_.IsFolder(path);
    if (!is_folder.ok()) continue;  // removed meanwhile
    if (*is_folder) {
      const std::string below = key + "/";
      const size_t common = std::min(below.size(), prefix.size());
      if (below.compare(0, common, prefix, 0, common) != 0) continue;
      const absl::Status listed = ListFolder(path, below, prefix, after, found);
      if (!listed.ok() && !absl::IsNotFound(listed)) return listed;
      continue;
    }
    if (key.compare(0, prefix.size(), prefix) != 0 || key <= after) continue;
    const absl::StatusOr<int64_t> bytes = fs_.FileSize(path);
    if (bytes.ok()) found.push_back({key, *bytes});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ObjectInfo>> FileObjectStore::List(const std::string& prefix, const std::string& after,
                                                              size_t limit, absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckDeadline(deadline));
  std::vector<ObjectInfo> found;
  RM_RETURN_IF_ERROR(ListFolder(options_.folder, "", prefix, after, found));
  // Folder order is not byte order of whole keys: '/' sorts after '.' and '-'.
  std::sort(found.begin(), found.end(), [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  if (found.size() > limit) found.resize(limit);
  return found;
}

absl::Status FileObjectStore::Remove(const std::string& key, absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckWritable());
  RM_RETURN_IF_ERROR(CheckKey(key));
  RM_RETURN_IF_ERROR(CheckDeadline(deadline));
  const absl::Status removed = fs_.Remove(PathOf(key));
  if (absl::IsNotFound(removed)) return absl::OkStatus();
  RM_RETURN_IF_ERROR(removed);
  return fs_.SyncDirectory(files::FolderOf(PathOf(key)));
}

std::optional<std::string> FileObjectStore::LocalPath(const std::string& key) const {
  if (!CheckKey(key).ok()) return std::nullopt;
  return PathOf(key);
}

}  // namespace rivermeet::objects
