// Objects as files of one folder: the key is the path below it.
#ifndef RIVERMEET_OBJECTS_FILE_OBJECT_STORE_H_
#define RIVERMEET_OBJECTS_FILE_OBJECT_STORE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "files/file_system.h"
#include "objects/object_store.h"

namespace rivermeet::objects {

struct FileObjectStoreOptions {
  std::string folder;  // made when missing; of this store alone
  // For a process that reads what another one writes: takes no lock, changes nothing, refuses to.
  bool read_only = false;
  files::FileSystem* fs = &files::FileSystem::Posix();
};

// An object is written under ".incoming", synced, renamed to its place, and the folder synced. A key that is a folder
// of other keys ("a" beside "a/b") is refused with INVALID_ARGUMENT. Deadlines are looked at before a step, not
// within one: a local disk that hangs, hangs the caller.
class FileObjectStore final : public ObjectStore {
 public:
  // Removes what an interrupted Put left behind.
  //
  // Errors:
  //   FAILED_PRECONDITION  Another process has the folder.
  static absl::StatusOr<std::unique_ptr<FileObjectStore>> Open(FileObjectStoreOptions options);

  absl::Status Put(const std::string& key, std::string_view contents, absl::Time deadline) override;
  absl::Status PutIfAbsent(const std::string& key, std::string_view contents, absl::Time deadline) override;
  absl::Status PutFile(const std::string& key, const std::string& path, absl::Time deadline) override;
  absl::StatusOr<std::string> Get(const std::string& key, absl::Time deadline) override;
  absl::StatusOr<std::string> GetRange(const std::string& key, int64_t offset, int64_t length,
                                       absl::Time deadline) override;
  absl::StatusOr<ObjectInfo> Stat(const std::string& key, absl::Time deadline) override;
  absl::StatusOr<std::vector<ObjectInfo>> List(const std::string& prefix, const std::string& after, size_t limit,
                                               absl::Time deadline) override;
  absl::Status Remove(const std::string& key, absl::Time deadline) override;
  std::optional<std::string> LocalPath(const std::string& key) const override;

 private:
  FileObjectStore(FileObjectStoreOptions options, std::unique_ptr<files::FileLock> lock);

  std::string PathOf(const std::string& key) const;
  absl::Status CheckWritable() const;
  // Writes a synced file under ".incoming"; its path.
  absl::StatusOr<std::string> WriteIncoming(std::string_view contents);
  absl::Status MoveIntoPlace(const std::string& incoming, const std::string& key, bool replace);
  absl::Status PutContents(const std::string& key, std::string_view contents, absl::Time deadline, bool replace);
  absl::Status ListFolder(const std::string& folder, const std::string& key_prefix, const std::string& prefix,
                          const std::string& after, std::vector<ObjectInfo>& found);

  const FileObjectStoreOptions options_;
  files::FileSystem& fs_;
  const std::unique_ptr<files::FileLock> lock_;
  std::atomic<uint64_t> next_incoming_{0};
};

}  // namespace rivermeet::objects

#endif  // RIVERMEET_OBJECTS_FILE_OBJECT_STORE_H_
