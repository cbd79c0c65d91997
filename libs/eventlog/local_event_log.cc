#include "eventlog/local_event_log.h"

#include <cstdlib>
#include <utility>

#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"
#include "eventlog/internal/counters.h"
#include "eventlog/internal/local_log_reader.h"
#include "eventlog/internal/partition_log.h"
#include "eventlog/internal/timer_thread.h"

namespace rivermeet::eventlog {
namespace {

constexpr uint32_t kMaxPartitions = 1024;

absl::Status Check(const LocalEventLogOptions& options) {
  const auto refuse = [](std::string_view option, std::string_view range) {
    return absl::InvalidArgumentError(fmt::format("{} must be {}", option, range));
  };
  if (options.folder.empty()) return refuse("folder", "given");
  if (options.name.empty() || options.name.find('/') != std::string::npos) return refuse("name", "one folder's name");
  if (options.partitions < 1 || options.partitions > kMaxPartitions) return refuse("partitions", "1 to 1024");
  if (options.segment_bytes < 4096) return refuse("segment_bytes", "at least 4096");
  if (options.max_queue_bytes < 0) return refuse("max_queue_bytes", "at least 0");
  if (options.max_group_wait < absl::ZeroDuration() || options.max_group_wait > absl::Milliseconds(2)) {
    return refuse("max_group_wait", "0 to 2 ms");
  }
  if (options.retention_bytes < 0) return refuse("retention_bytes", "at least 0");
  if (options.retention_age < absl::ZeroDuration()) return refuse("retention_age", "at least 0");
  if (options.retention_check < absl::Milliseconds(1)) return refuse("retention_check", "at least 1 ms");
  return absl::OkStatus();
}

bool EnvironmentSays(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && std::string_view(value) == "1";
}

// A log that is opened with fewer partitions than it has would hide records.
absl::Status CheckPartitionCount(const LocalEventLogOptions& options, const std::string& folder) {
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> names, options.fs->List(folder));
  for (const std::string& name : names) {
    uint32_t partition = 0;
    if (ParseNumber(std::string_view(name), partition) && partition >= options.partitions) {
      return absl::FailedPreconditionError(
          fmt::format("{} has a partition {}, but only {} were asked for", folder, partition, options.partitions));
    }
  }
  return absl::OkStatus();
}

// Made with the log, before its first record.
absl::StatusOr<std::string> ReadIdentity(files::FileSystem& fs, const std::string& folder) {
  constexpr size_t kLength = 22;
  const std::string path = files::JoinPath(folder, "identity");
  auto identity = files::ReadWholeFile(fs, path);
  if (identity.status().code() == absl::StatusCode::kNotFound) {
    identity = RandomToken(16);
    RM_RETURN_IF_ERROR(files::WriteWholeFile(fs, path, *identity));
  }
  if (!identity.ok()) return identity.status();
  if (identity->size() != kLength) {
    return absl::DataLossError(fmt::format("{} has {} bytes, not {}: restore it", path, identity->size(), kLength));
  }
  return fmt::format("built-in log {}", *identity);
}

}  // namespace

LocalEventLog::LocalEventLog(LocalEventLogOptions options, std::unique_ptr<files::FileLock> lock)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      counters_(std::make_unique<internal::Counters>()),
      timer_(std::make_unique<internal::TimerThread>()) {}

absl::StatusOr<std::unique_ptr<LocalEventLog>> LocalEventLog::Open(LocalEventLogOptions options) {
  RM_RETURN_IF_ERROR(Check(options));
  if (EnvironmentSays("RIVERMEET_CRASH_RUN") && EnvironmentSays("RIVERMEET_TEST_SKIP_FDATASYNC")) {
    options.unsafe_skip_sync = true;
  }
  const std::string folder = files::JoinPath(options.folder, options.name);
  RM_RETURN_IF_ERROR(options.fs->CreateFolders(folder));
  RM_ASSIGN_OR_RETURN(auto lock, options.fs->Lock(files::JoinPath(folder, ".lock")));
  RM_RETURN_IF_ERROR(CheckPartitionCount(options, folder));
  RM_ASSIGN_OR_RETURN(std::string identity, ReadIdentity(*options.fs, folder));
  std::unique_ptr<LocalEventLog> log(new LocalEventLog(std::move(options), std::move(lock)));
  log->identity_ = std::move(identity);
  for (PartitionId partition = 0; partition < log->options_.partitions; ++partition) {
    RM_ASSIGN_OR_RETURN(auto opened, internal::PartitionLog::Open(log->options_, partition, *log->counters_,
                                                                  *log->timer_, log->damage_));
    log->partitions_.push_back(std::move(opened));
  }
  log->ScheduleRetention();
  return log;
}

LocalEventLog::~LocalEventLog() {
  Stop(absl::Now() + absl::Seconds(10));
  timer_.reset();
}

uint32_t LocalEventLog::partitions() const { return options_.partitions; }

absl::Status LocalEventLog::CheckPartition(PartitionId partition) const {
  if (partition < partitions_.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the log has no partition {}: there are {}", partition, partitions_.size()));
}

void LocalEventLog::Append(PartitionId partition, Record record, absl::Time deadline, Done done) {
  absl::Status checked = CheckPartition(partition);
  if (checked.ok() && record.header.size() > kMaxHeaderBytes) {
    checked = absl::InvalidArgumentError(
        fmt::format("the record's header has {} bytes; at most {} are allowed", record.header.size(), kMaxHeaderBytes));
  }
  if (checked.ok() && record.payload.size() > kMaxRecordBytes) {
    checked = absl::InvalidArgumentError(
        fmt::format("the record has {} bytes; at most {} are allowed", record.payload.size(), kMaxRecordBytes));
  }
  if (!checked.ok()) {
    internal::Counters::Add(counters_->failed_appends, 1);
    timer_->RunSoon([done = std::move(done), checked]() mutable { done(checked); });
    return;
  }
  partitions_[partition]->Append(std::move(record), deadline, std::move(done));
}

absl::StatusOr<std::unique_ptr<LogReader>> LocalEventLog::OpenReader(PartitionId partition, Offset from) {
  RM_RETURN_IF_ERROR(CheckPartition(partition));
  if (from < 0) return absl::InvalidArgumentError("an offset is at least 0");
  const Offset first = partitions_[partition]->Range().first;
  if (from < first) {
    return absl::OutOfRangeError(
        fmt::format("retention removed offset {} of partition {}; the first one left is {}", from, partition, first));
  }
  return std::make_unique<internal::LocalLogReader>(*partitions_[partition], from);
}

absl::StatusOr<OffsetRange> LocalEventLog::Range(PartitionId partition, absl::Time) {
  RM_RETURN_IF_ERROR(CheckPartition(partition));
  return partitions_[partition]->Range();
}

absl::Status LocalEventLog::DeleteBefore(PartitionId partition, Offset offset) {
  RM_RETURN_IF_ERROR(CheckPartition(partition));
  return partitions_[partition]->DeleteBefore(offset);
}

LogStats LocalEventLog::Stats() const {
  LogStats stats = counters_->Snapshot();
  for (const auto& partition : partitions_) partition->CountDisk(stats);
  return stats;
}

void LocalEventLog::Stop(absl::Time deadline) {
  for (const auto& partition : partitions_) partition->Close();
  for (const auto& partition : partitions_) partition->Join(deadline);
}

std::vector<absl::Status> LocalEventLog::Damage() const { return damage_; }

void LocalEventLog::ScheduleRetention() {
  if (options_.retention_bytes == 0 && options_.retention_age == absl::ZeroDuration()) return;
  timer_->RunEvery(options_.retention_check, [this] {
    // What fails is counted, and tried again the next time.
    for (const auto& partition : partitions_) partition->ApplyRetention().IgnoreError();
  });
}

}  // namespace rivermeet::eventlog
