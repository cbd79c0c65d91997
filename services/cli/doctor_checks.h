// What `rivermeet doctor` looks at on this machine.
#ifndef RIVERMEET_CLI_DOCTOR_CHECKS_H_
#define RIVERMEET_CLI_DOCTOR_CHECKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rivermeet::cli {

struct Finding {
  enum class Level { kGood, kNote, kProblem };
  Level level = Level::kGood;
  std::string what;    // "disk space"
  std::string detail;  // what was seen, with figures
  std::string advice;  // what to do; empty when all is well
};

// Whether something listens at "host:port" or the host of a URL.
Finding CheckPort(const std::string& what, const std::string& url);

// Space and the median of writing 64 KiB durably, 20 times, into a file that is removed again.
Finding CheckDiskSpace(const std::string& folder);
Finding CheckDiskSpeed(const std::string& folder);

// Below 5 % or 1 GiB free it is a problem, below 15 % a note; below 1 MiB the disk is called full.
Finding JudgeDiskSpace(uint64_t free_bytes, uint64_t size_bytes);
Finding JudgeDiskSpeed(absl::Duration median_sync);

// Bytes in a folder, and of them in files changed within the last hour: what it grows by in an hour at the most.
struct FolderSize {
  uint64_t bytes = 0;
  uint64_t files = 0;
  uint64_t changed_bytes = 0;
};
FolderSize MeasureFolder(const std::string& folder);
Finding JudgeGrowth(const FolderSize& size, uint64_t free_bytes);
Finding CheckGrowth(const std::string& folder);

// Whether the kernel says that the clock is disciplined, and how far a server's Date header is from now (whole
// seconds, so that less than 2 s says nothing).
Finding CheckClock();
Finding JudgeServerDate(const std::string& date, absl::Time now);

// How many files the process `pid`, or this one for 0, may open.
Finding CheckFileLimit(int64_t pid);
// The soft limit in the text of /proc/<pid>/limits.
std::optional<uint64_t> ParseFileLimit(std::string_view limits);

// The private PostgreSQL: its version against what is installed, and whether it runs; beside a suite it has to.
Finding CheckPostgres(const std::string& data_folder, bool suite_runs);

// Files that were found damaged and set aside: they are named, as far as they fit a line.
Finding CheckSetAside(const std::string& data_folder);

// What the suite's metrics, in Prometheus' text form, say of damage that it met in the log since it started.
Finding JudgeLogDamage(std::string_view metrics);

// Whether the key file of the data folder is there and private.
Finding CheckKeyFile(const std::string& data_folder);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_DOCTOR_CHECKS_H_
