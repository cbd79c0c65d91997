#include "testing/lossy_file_system.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "base/disk_full.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::testing {
namespace {

constexpr size_t kSectorBytes = 512;

absl::Status Dead() { return absl::UnavailableError("the file system crashed under this file"); }

absl::Status Missing(const std::string& path) { return absl::NotFoundError(fmt::format("{}: no such file", path)); }

}  // namespace

class LossyFileSystem::Appender final : public files::AppendFile {
 public:
  Appender(LossyFileSystem& fs, std::string path, std::shared_ptr<Contents> contents, int64_t generation)
      : fs_(fs), path_(std::move(path)), contents_(std::move(contents)), generation_(generation) {}

  absl::Status Append(std::span<const std::string_view> pieces) override {
    std::string bytes;
    for (const std::string_view piece : pieces) bytes.append(piece);
    MutexLock lock(fs_.mutex_);
    RM_RETURN_IF_ERROR(Alive());
    if (absl::Status begun = fs_.Begin(FileOperation::kAppend, path_); !begun.ok()) {
      const bool stopped = fs_.operations_ > fs_.stop_at_;
      const bool last = fs_.operations_ == fs_.stop_at_ + 1;
      if (!stopped) fs_.Write(*contents_, std::string_view(bytes).substr(0, bytes.size() / 2));
      if (stopped && last) fs_.Write(*contents_, bytes);
      return begun;
    }
    const int64_t left = std::max<int64_t>(0, fs_.capacity_ - fs_.UsedBytes());
    if (left < static_cast<int64_t>(bytes.size())) {
      fs_.Write(*contents_, std::string_view(bytes).substr(0, static_cast<size_t>(left)));
      return WithDiskFull(absl::ResourceExhaustedError(fmt::format("write {}: No space left on device", path_)));
    }
    fs_.Write(*contents_, bytes);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    MutexLock lock(fs_.mutex_);
    RM_RETURN_IF_ERROR(Alive());
    RM_RETURN_IF_ERROR(failed_);
    failed_ = fs_.Begin(FileOperation::kSync, path_);
    RM_RETURN_IF_ERROR(failed_);
    if (fs_.ignore_syncs_) return absl::OkStatus();
    contents_->durable = contents_->now;
    contents_->unsynced.clear();
    return absl::OkStatus();
  }

  absl::Status Truncate(int64_t size) override {
    MutexLock lock(fs_.mutex_);
    RM_RETURN_IF_ERROR(Alive());
    RM_RETURN_IF_ERROR(fs_.Begin(FileOperation::kTruncate, path_));
    RM_CHECK(size <= static_cast<int64_t>(contents_->now.size()));
    contents_->now.resize(static_cast<size_t>(size));
    contents_->unsynced.push_back({fs_.next_order_++, size, ""});
    return absl::OkStatus();
  }

  absl::Status Reserve(int64_t) override {
    MutexLock lock(fs_.mutex_);
    RM_RETURN_IF_ERROR(Alive());
    return fs_.Begin(FileOperation::kReserve, path_);
  }

  int64_t Size() const override {
    MutexLock lock(fs_.mutex_);
    return static_cast<int64_t>(contents_->now.size());
  }

 private:
  absl::Status Alive() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(fs_.mutex_) {
    if (generation_ != fs_.generation_) return Dead();
    return failed_;
  }

  LossyFileSystem& fs_;
  const std::string path_;
  const std::shared_ptr<Contents> contents_;
  const int64_t generation_;
  absl::Status failed_;
};

class LossyFileSystem::Reader final : public files::ReadFile {
 public:
  Reader(LossyFileSystem& fs, std::string path, std::shared_ptr<Contents> contents, int64_t generation)
      : fs_(fs), path_(std::move(path)), contents_(std::move(contents)), generation_(generation) {}

  absl::StatusOr<size_t> ReadAt(int64_t position, std::span<char> to) const override {
    MutexLock lock(fs_.mutex_);
    if (generation_ != fs_.generation_) return Dead();
    RM_RETURN_IF_ERROR(fs_.Begin(FileOperation::kRead, path_));
    const std::string& bytes = contents_->now;
    if (position >= static_cast<int64_t>(bytes.size())) return size_t{0};
    const size_t count = std::min(to.size(), bytes.size() - static_cast<size_t>(position));
    std::memcpy(to.data(), bytes.data() + position, count);
    return count;
  }

  absl::StatusOr<int64_t> Size() const override {
    MutexLock lock(fs_.mutex_);
    if (generation_ != fs_.generation_) return Dead();
    return static_cast<int64_t>(contents_->now.size());
  }

 private:
  LossyFileSystem& fs_;
  const std::string path_;
  const std::shared_ptr<Contents> contents_;
  const int64_t generation_;
};

class LossyFileSystem::Holder final : public files::FileLock {
 public:
  Holder(LossyFileSystem& fs, std::string path, int64_t generation)
      : fs_(fs), path_(std::move(path)), generation_(generation) {}
  ~Holder() override {
    MutexLock lock(fs_.mutex_);
    if (generation_ == fs_.generation_) fs_.locked_.erase(path_);
  }

 private:
  LossyFileSystem& fs_;
  const std::string path_;
  const int64_t generation_;
};

LossyFileSystem::LossyFileSystem() : folders_{"/", "."} {}
LossyFileSystem::~LossyFileSystem() = default;

absl::Status LossyFileSystem::Begin(FileOperation operation, const std::string& path) {
  if (operation != FileOperation::kRead && operations_++ >= stop_at_) return absl::UnavailableError("stopped here");
  for (Failure& failure : failures_) {
    if (failure.operation != operation || failure.count == 0 || path.find(failure.path_part) == std::string::npos) {
      continue;
    }
    --failure.count;
    return failure.error;
  }
  return absl::OkStatus();
}

void LossyFileSystem::Write(Contents& contents, std::string_view bytes) {
  contents.unsynced.push_back({next_order_++, static_cast<int64_t>(contents.now.size()), std::string(bytes)});
  contents.now.append(bytes);
}

int64_t LossyFileSystem::UsedBytes() const {
  int64_t used = 0;
  for (const auto& [path, contents] : now_) used += static_cast<int64_t>(contents->now.size());
  return used;
}

void LossyFileSystem::StopAt(int64_t operation) {
  MutexLock lock(mutex_);
  stop_at_ = operation;
}

int64_t LossyFileSystem::operations() const {
  MutexLock lock(mutex_);
  return operations_;
}

void LossyFileSystem::FailNext(FileOperation operation, absl::Status error, int count, std::string path_part) {
  MutexLock lock(mutex_);
  failures_.push_back({operation, std::move(error), count, std::move(path_part)});
}

void LossyFileSystem::SetCapacity(int64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

void LossyFileSystem::ReadThrough(std::string folder) {
  MutexLock lock(mutex_);
  read_through_ = std::move(folder);
}

void LossyFileSystem::IgnoreSyncs(bool ignore) {
  MutexLock lock(mutex_);
  ignore_syncs_ = ignore;
}

namespace {

// What is on the disk when only `kept` bytes of the change at `position` arrived.
void Apply(std::string& contents, int64_t position, std::string_view kept) {
  if (contents.size() > static_cast<size_t>(position)) contents.resize(static_cast<size_t>(position));
  contents.resize(static_cast<size_t>(position), '\0');
  contents.append(kept);
}

}  // namespace

void LossyFileSystem::CrashEntries(const CrashMode& mode) {
  if (mode.seed) {
    std::mt19937_64 random(*mode.seed ^ 0x9e3779b97f4a7c15);
    std::set<std::string> names;
    for (const auto& [path, contents] : durable_) names.insert(path);
    for (const auto& [path, contents] : now_) names.insert(path);
    for (const std::string& path : names) {
      if (random() % 2 == 0) continue;
      const auto current = now_.find(path);
      if (current == now_.end()) {
        durable_.erase(path);
      } else {
        durable_[path] = current->second;
      }
    }
  }
  now_ = durable_;
}

void LossyFileSystem::Crash(const CrashMode& mode) {
  MutexLock lock(mutex_);
  ++generation_;
  operations_ = 0;
  stop_at_ = INT64_MAX;
  locked_.clear();
  failures_.clear();
  CrashEntries(mode);
  std::set<Contents*> files;
  int64_t last_write = -1;
  for (const auto& [path, contents] : durable_) {
    files.insert(contents.get());
    for (const Change& change : contents->unsynced) {
      if (!change.bytes.empty()) last_write = std::max(last_write, change.order);
    }
  }
  std::mt19937_64 random(mode.seed.value_or(0));
  for (Contents* file : files) {
    std::string left = file->durable;
    const size_t kept = mode.seed ? random() % (file->unsynced.size() + 1) : 0;
    for (size_t i = 0; i < file->unsynced.size(); ++i) {
      const Change& change = file->unsynced[i];
      if (mode.seed) {
        if (i > kept) break;
        if (change.bytes.empty()) {
          Apply(left, change.position, "");
          continue;
        }
        const size_t count = i < kept ? change.bytes.size() : random() % (change.bytes.size() + 1);
        Apply(left, change.position, std::string_view(change.bytes).substr(0, count));
        const auto sector = (left.size() - 1) / kSectorBytes * kSectorBytes;
        if (random() % 4 == 0 && count > 0 && static_cast<int64_t>(sector) >= change.position) {
          std::fill(left.begin() + static_cast<std::ptrdiff_t>(sector), left.end(), '\0');
        }
      } else if (change.order == last_write && mode.torn_bytes > 0) {
        const auto count = std::min<size_t>(static_cast<size_t>(mode.torn_bytes), change.bytes.size());
        Apply(left, change.position, std::string_view(change.bytes).substr(0, count));
      }
    }
    file->durable = left;
    file->now = left;
    file->unsynced.clear();
  }
}

absl::Status LossyFileSystem::FlipBit(const std::string& path, int64_t position, int bit) {
  MutexLock lock(mutex_);
  const auto found = now_.find(path);
  if (found == now_.end() || position >= static_cast<int64_t>(found->second->now.size())) return Missing(path);
  found->second->now[static_cast<size_t>(position)] ^= static_cast<char>(1 << bit);
  found->second->durable = found->second->now;
  return absl::OkStatus();
}

absl::Status LossyFileSystem::CutFile(const std::string& path, int64_t size) {
  MutexLock lock(mutex_);
  const auto found = now_.find(path);
  if (found == now_.end() || size > static_cast<int64_t>(found->second->now.size())) return Missing(path);
  found->second->now.resize(static_cast<size_t>(size));
  found->second->durable = found->second->now;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<files::AppendFile>> LossyFileSystem::OpenForAppend(const std::string& path,
                                                                                  files::OpenMode mode) {
  MutexLock lock(mutex_);
  auto found = now_.find(path);
  if (found != now_.end() && mode == files::OpenMode::kCreateNew) {
    return absl::AlreadyExistsError(fmt::format("{}: exists", path));
  }
  if (found == now_.end()) {
    if (mode == files::OpenMode::kOpenExisting) return Missing(path);
    if (!folders_.contains(files::FolderOf(path))) return Missing(files::FolderOf(path));
    RM_RETURN_IF_ERROR(Begin(FileOperation::kOpen, path));
    found = now_.emplace(path, std::make_shared<Contents>()).first;
  }
  return std::make_unique<Appender>(*this, path, found->second, generation_);
}

absl::StatusOr<std::unique_ptr<files::ReadFile>> LossyFileSystem::OpenForRead(const std::string& path) {
  MutexLock lock(mutex_);
  if (!read_through_.empty() && path.starts_with(read_through_ + "/")) {
    return files::FileSystem::Posix().OpenForRead(path);
  }
  const auto found = now_.find(path);
  if (found == now_.end()) return Missing(path);
  return std::make_unique<Reader>(*this, path, found->second, generation_);
}

absl::Status LossyFileSystem::RenameLocked(const std::string& from, const std::string& to, bool replace) {
  const auto found = now_.find(from);
  if (found == now_.end()) return Missing(from);
  if (!replace && now_.contains(to)) return absl::AlreadyExistsError(fmt::format("{}: exists", to));
  RM_RETURN_IF_ERROR(Begin(FileOperation::kRename, to));
  std::shared_ptr<Contents> contents = found->second;
  now_.erase(found);
  now_[to] = std::move(contents);
  return absl::OkStatus();
}

absl::Status LossyFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  return RenameLocked(from, to, /*replace=*/true);
}

absl::Status LossyFileSystem::RenameIfAbsent(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  return RenameLocked(from, to, /*replace=*/false);
}

absl::Status LossyFileSystem::Remove(const std::string& path) {
  MutexLock lock(mutex_);
  if (!now_.contains(path)) return Missing(path);
  RM_RETURN_IF_ERROR(Begin(FileOperation::kRemove, path));
  now_.erase(path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> LossyFileSystem::List(const std::string& folder) {
  MutexLock lock(mutex_);
  if (!folders_.contains(folder)) return Missing(folder);
  std::set<std::string> names;
  const auto add = [&](const std::string& path) {
    if (path != folder && files::FolderOf(path) == folder) names.insert(path.substr(path.rfind('/') + 1));
  };
  for (const auto& [path, contents] : now_) add(path);
  for (const std::string& path : folders_) add(path);
  return std::vector<std::string>(names.begin(), names.end());
}

absl::StatusOr<int64_t> LossyFileSystem::FileSize(const std::string& path) {
  MutexLock lock(mutex_);
  const auto found = now_.find(path);
  if (found == now_.end()) return Missing(path);
  return static_cast<int64_t>(found->second->now.size());
}

absl::StatusOr<bool> LossyFileSystem::IsFolder(const std::string& path) {
  MutexLock lock(mutex_);
  if (folders_.contains(path)) return true;
  if (now_.contains(path)) return false;
  return Missing(path);
}

absl::Status LossyFileSystem::CreateFolders(const std::string& folder) {
  MutexLock lock(mutex_);
  if (folders_.contains(folder)) return absl::OkStatus();
  RM_RETURN_IF_ERROR(Begin(FileOperation::kCreateFolder, folder));
  for (std::string path = folder; folders_.insert(path).second;) path = files::FolderOf(path);
  return absl::OkStatus();
}

absl::Status LossyFileSystem::RemoveFolder(const std::string& folder) {
  MutexLock lock(mutex_);
  if (!folders_.contains(folder)) return Missing(folder);
  for (const auto& [path, contents] : now_) {
    if (files::FolderOf(path) == folder) return absl::AlreadyExistsError(fmt::format("{}: not empty", folder));
  }
  RM_RETURN_IF_ERROR(Begin(FileOperation::kRemove, folder));
  folders_.erase(folder);
  return absl::OkStatus();
}

absl::Status LossyFileSystem::SyncDirectory(const std::string& folder) {
  MutexLock lock(mutex_);
  if (!folders_.contains(folder)) return Missing(folder);
  RM_RETURN_IF_ERROR(Begin(FileOperation::kSyncDirectory, folder));
  std::erase_if(durable_, [&](const auto& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return files::FolderOf(entry.first) == folder && !now_.contains(entry.first);
  });
  for (const auto& [path, contents] : now_) {
    if (files::FolderOf(path) == folder) durable_[path] = contents;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<files::FileLock>> LossyFileSystem::Lock(const std::string& path) {
  MutexLock lock(mutex_);
  if (!locked_.insert(path).second) return absl::FailedPreconditionError(fmt::format("{} is locked", path));
  return std::make_unique<Holder>(*this, path, generation_);
}

absl::StatusOr<int64_t> LossyFileSystem::FreeBytes(const std::string&) {
  MutexLock lock(mutex_);
  return capacity_ == INT64_MAX ? capacity_ : std::max<int64_t>(0, capacity_ - UsedBytes());
}

}  // namespace rivermeet::testing
