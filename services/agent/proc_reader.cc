#include "agent/proc_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/strings.h"

namespace rivermeet::agent {
namespace {

constexpr size_t kMaxFileBytes = size_t{4} << 20;

absl::Duration ThreadCpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcReader>> ProcReader::Open(Options options) {
  std::unique_ptr<ProcReader> reader(new ProcReader(std::move(options)));
  reader->files_.fill(-1);
  const std::string& proc = reader->options_.proc;
  reader->folder_ = open(proc.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (reader->folder_ < 0) return absl::NotFoundError(fmt::format("can't open {}: {}", proc, std::strerror(errno)));
  static constexpr std::array<const char*, kFiles> kNames = {"stat",         "meminfo",         "loadavg",
                                                             "diskstats",    "net/dev",         "self/mounts",
                                                             "pressure/cpu", "pressure/memory", "pressure/io"};
  for (size_t i = 0; i < kFiles; ++i) reader->files_[i] = openat(reader->folder_, kNames[i], O_RDONLY | O_CLOEXEC);
  if (reader->files_[kStat] < 0) {
    return absl::NotFoundError(fmt::format("{} has no file \"stat\": the agent needs Linux", proc));
  }
  return reader;
}

ProcReader::~ProcReader() {
  for (const int file : files_) {
    if (file >= 0) close(file);
  }
  if (folder_ >= 0) close(folder_);
}

std::string_view ProcReader::ReadFile(File file) {
  if (files_[file] < 0) return {};
  if (buffer_.size() < 64 * 1024) buffer_.resize(64 * 1024);
  size_t size = 0;
  while (true) {
    const ssize_t count = pread(files_[file], buffer_.data() + size, buffer_.size() - size, static_cast<off_t>(size));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<size_t>(count);
    if (size == buffer_.size()) {
      if (size >= kMaxFileBytes) break;
      buffer_.resize(2 * size);
    }
  }
  return std::string_view(buffer_).substr(0, size);
}

Sample ProcReader::Read() {
  Sample sample;
  sample.time = options_.clock->Now();
  sample.at = options_.clock->MonotonicNow();
  sample.cpu = ParseStat(ReadFile(kStat));
  sample.memory = ParseMeminfo(ReadFile(kMeminfo));
  sample.load = ParseLoadavg(ReadFile(kLoadavg));
  sample.disks = ParseDiskstats(ReadFile(kDiskstats));
  sample.interfaces = ParseNetDev(ReadFile(kNetDev));
  sample.pressure_cpu = ParsePressure(ReadFile(kCpu));
  sample.pressure_memory = ParsePressure(ReadFile(kMemory));
  sample.pressure_io = ParsePressure(ReadFile(kIo));
  sample.filesystems = ReadFilesystems();
  if (options_.processes && sample.at >= processes_due_) {
    const absl::Duration before = ThreadCpuTime();
    sample.processes = ReadProcesses();
    processes_due_ = sample.at + (ThreadCpuTime() - before) / options_.process_budget;
  }
  return sample;
}

std::vector<Filesystem> ProcReader::ReadFilesystems() {
  std::vector<Filesystem> filesystems;
  for (Mount& mount : ParseMounts(ReadFile(kMounts))) {
    struct statvfs stat {};
    if (statvfs(mount.path.c_str(), &stat) != 0 || stat.f_blocks == 0) continue;
    const auto block = static_cast<int64_t>(stat.f_frsize);
    const int64_t used = static_cast<int64_t>(stat.f_blocks - stat.f_bfree) * block;
    // As df counts: what only root may use is not part of the size.
    filesystems.push_back({std::move(mount.device), used, used + static_cast<int64_t>(stat.f_bavail) * block});
  }
  return filesystems;
}

std::vector<Process> ProcReader::ReadProcesses() {
  std::vector<Process> processes;
  const int again = openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return processes;
  struct Close {
    void operator()(DIR* folder) const { closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(fdopendir(again));
  if (folder == nullptr) return processes;
  while (const dirent* entry = readdir(folder.get())) {
    Process process;
    if (!ParseNumber(std::string_view(entry->d_name), process.pid)) continue;
    char path[32];
    *fmt::format_to_n(path, sizeof path - 1, "{}/stat", process.pid).out = '\0';
    const int file = openat(folder_, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;  // it has ended since
    char text[1024];
    const ssize_t count = read(file, text, sizeof text);
    close(file);
    std::optional<ProcessStat> stat =
        ParseProcessStat(std::string_view(text, static_cast<size_t>(std::max<ssize_t>(count, 0))));
    if (!stat) continue;
    process.stat = *std::move(stat);
    processes.push_back(std::move(process));
  }
  return processes;
}

}  // namespace rivermeet::agent
