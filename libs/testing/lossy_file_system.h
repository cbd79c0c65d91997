// A file system in memory that forgets, at a crash, everything nobody synced.
//
// It keeps what files::FileSystem promises and not a byte more: contents survive by Sync(), names, renames and
// removals by SyncDirectory() of their folder. What was not synced survives in no, some or any part, as the crash
// is asked to. A test loops over StopAt(0), StopAt(1), ... until a run makes fewer operations than that.
#ifndef RIVERMEET_TESTING_LOSSY_FILE_SYSTEM_H_
#define RIVERMEET_TESTING_LOSSY_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "files/file_system.h"

namespace rivermeet::testing {

// Which of the unsynced changes a crash leaves.
struct CrashMode {
  // Without a seed: none, but for the first `torn_bytes` bytes of the last unsynced write that was made.
  int64_t torn_bytes = 0;
  // With a seed: of each file a random beginning of its unsynced writes, the last of them torn at a random byte and
  // sometimes with a sector of zeros in it; of each folder a random choice among its unsynced entries.
  std::optional<uint64_t> seed = std::nullopt;
};

enum class FileOperation {
  kOpen,
  kAppend,
  kSync,
  kTruncate,
  kReserve,
  kRename,
  kRemove,
  kCreateFolder,
  kSyncDirectory,
  kRead
};

// Thread-safe. Its files must not outlive it.
class LossyFileSystem final : public files::FileSystem {
 public:
  LossyFileSystem();
  ~LossyFileSystem() override;

  // Every operation that changes something is counted, from 0. The one with this index and all after it answer
  // UNAVAILABLE; when it is an append, its bytes are there, unsynced, for the crash to tear.
  void StopAt(int64_t operation);

  // Operations counted so far.
  int64_t operations() const;

  // The power goes and comes back: files opened before answer UNAVAILABLE for ever, locks are gone, the count of
  // operations starts anew and nothing is stopped.
  void Crash(const CrashMode& mode = {});

  // The next `count` operations of this kind on a path that contains `path_part` answer `error`; nothing else of
  // them happens. An append first writes half of its bytes, as a full disk does.
  void FailNext(FileOperation operation, absl::Status error, int count = 1, std::string path_part = "");

  // Appends past so many bytes in all files together answer RESOURCE_EXHAUSTED, after writing what still fits.
  void SetCapacity(int64_t bytes);

  // Sync() answers OK and does nothing: a disk that lies, or fdatasync taken out.
  void IgnoreSyncs(bool ignore);

  // Files under this folder are read from the machine's own disk: what another library wrote there.
  void ReadThrough(std::string folder);

  // Changes one bit of the file as it lies on the disk. NOT_FOUND when it is shorter.
  absl::Status FlipBit(const std::string& path, int64_t position, int bit);

  // Cuts the file as it lies on the disk, durably.
  absl::Status CutFile(const std::string& path, int64_t size);

  absl::StatusOr<std::unique_ptr<files::AppendFile>> OpenForAppend(const std::string& path,
                                                                   files::OpenMode mode) override;
  absl::StatusOr<std::unique_ptr<files::ReadFile>> OpenForRead(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status RenameIfAbsent(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override;
  absl::StatusOr<int64_t> FileSize(const std::string& path) override;
  absl::StatusOr<bool> IsFolder(const std::string& path) override;
  absl::Status CreateFolders(const std::string& folder) override;
  absl::Status RemoveFolder(const std::string& folder) override;
  absl::Status SyncDirectory(const std::string& folder) override;
  absl::StatusOr<std::unique_ptr<files::FileLock>> Lock(const std::string& path) override;
  absl::StatusOr<int64_t> FreeBytes(const std::string& path) override;

 private:
  class Appender;
  class Reader;
  class Holder;

  // One write or, without bytes, one truncation.
  struct Change {
    int64_t order;
    int64_t position;
    std::string bytes;
  };
  struct Contents {
    std::string now;
    std::string durable;
    std::vector<Change> unsynced;
  };
  using Entries = std::map<std::string, std::shared_ptr<Contents>>;  // by whole path
  struct Failure {
    FileOperation operation;
    absl::Status error;
    int count;
    std::string path_part;
  };

  // Counts the operation; its error when it is stopped or told to fail.
  absl::Status Begin(FileOperation operation, const std::string& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RenameLocked(const std::string& from, const std::string& to, bool replace)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(Contents& contents, std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t UsedBytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CrashEntries(const CrashMode& mode) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  Entries now_ ABSL_GUARDED_BY(mutex_);
  Entries durable_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> folders_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> locked_ ABSL_GUARDED_BY(mutex_);
  std::vector<Failure> failures_ ABSL_GUARDED_BY(mutex_);
  int64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t operations_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t stop_at_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;
  int64_t capacity_ ABSL_GUARDED_BY(mutex_) = INT64_MAX;
  int64_t next_order_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ignore_syncs_ ABSL_GUARDED_BY(mutex_) = false;
  std::string read_through_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_LOSSY_FILE_SYSTEM_H_
