// Reads this machine's state from /proc, once a call.
#ifndef RIVERMEET_AGENT_PROC_READER_H_
#define RIVERMEET_AGENT_PROC_READER_H_

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/proc_text.h"
#include "base/clock.h"

namespace rivermeet::agent {

struct Filesystem {
  std::string device;
  int64_t used_bytes = 0;
  int64_t size_bytes = 0;
};

struct Process {
  int pid = 0;
  ProcessStat stat;
};

// What /proc said at one moment. What a kernel or container does not show is missing.
struct Sample {
  absl::Time time;
  absl::Duration at;  // monotonic
  std::optional<CpuStat> cpu;
  std::optional<Memory> memory;
  std::optional<Load> load;
  std::vector<Disk> disks;
  std::vector<Filesystem> filesystems;
  std::vector<Interface> interfaces;
  std::optional<uint64_t> pressure_cpu, pressure_memory, pressure_io;
  // Not in every sample: reading thousands of processes costs, so they are read as often as `process_budget` allows.
  std::optional<std::vector<Process>> processes;
};

// Not thread-safe.
class ProcReader {
 public:
  struct Options {
    std::string proc = "/proc";
    bool processes = true;
    // The share of one core that reading processes may take on average; they are read less often beyond it.
    double process_budget = 0.002;
    const Clock* clock = &Clock::System();
  };

  // Errors:
  //   NOT_FOUND  There is no such folder, or it isn't Linux's /proc.
  static absl::StatusOr<std::unique_ptr<ProcReader>> Open(Options options);
  ~ProcReader();
  ProcReader(const ProcReader&) = delete;
  ProcReader& operator=(const ProcReader&) = delete;

  Sample Read();

 private:
  enum File { kStat, kMeminfo, kLoadavg, kDiskstats, kNetDev, kMounts, kCpu, kMemory, kIo, kFiles };

  explicit ProcReader(Options options) : options_(std::move(options)) {}
  // The file's text now, in buffer_; empty when there is none.
  std::string_view ReadFile(File file);
  std::vector<Filesystem> ReadFilesystems();
  std::vector<Process> ReadProcesses();

  const Options options_;
  int folder_ = -1;
  std::array<int, kFiles> files_;  // kept open, read from their start each time; -1: not there
  std::string buffer_;
  absl::Duration processes_due_;
};

}  // namespace rivermeet::agent

#endif  // RIVERMEET_AGENT_PROC_READER_H_
