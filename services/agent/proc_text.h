// What the files of /proc say (proc(5), Documentation/filesystems/proc.rst, Documentation/accounting/psi.rst), read
// from their text alone. Lines that are not understood are skipped: kernels add to these files.
#ifndef RIVERMEET_AGENT_PROC_TEXT_H_
#define RIVERMEET_AGENT_PROC_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rivermeet::agent {

// /proc/stat: clock ticks since the start of the machine.
struct CpuTimes {
  uint64_t total = 0;
  uint64_t idle = 0;  // idle and waiting for disks
};
struct CpuStat {
  CpuTimes all;
  std::vector<CpuTimes> cores;  // by number; a core that is off has zeros
};
std::optional<CpuStat> ParseStat(std::string_view text);

// /proc/meminfo, in bytes.
struct Memory {
  int64_t total = 0;
  int64_t available = 0;
  int64_t swap_total = 0;
  int64_t swap_free = 0;
};
std::optional<Memory> ParseMeminfo(std::string_view text);

// /proc/loadavg.
struct Load {
  double one = 0;
  double five = 0;
  double fifteen = 0;
};
std::optional<Load> ParseLoadavg(std::string_view text);

// /proc/diskstats: whole disks, no partitions, loop or RAM devices. Bytes since the start of the machine.
struct Disk {
  std::string device;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};
std::vector<Disk> ParseDiskstats(std::string_view text);

// /proc/net/dev without "lo". Bytes since the start of the machine.
struct Interface {
  std::string name;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
};
std::vector<Interface> ParseNetDev(std::string_view text);

// /proc/self/mounts: file systems on a device of their own, each device once, where it is mounted first. In
// containers also the root, whatever it is made of.
struct Mount {
  std::string device;  // "sda1" of /dev/sda1; the kind, such as "overlay", when there is no such path
  std::string path;
};
std::vector<Mount> ParseMounts(std::string_view text);

// /proc/pressure/*: microseconds in which some task had to wait, since the start of the machine.
std::optional<uint64_t> ParsePressure(std::string_view text);

// /proc/<pid>/stat.
struct ProcessStat {
  std::string name;          // at most 15 bytes, as the kernel cuts it
  uint64_t cpu_ticks = 0;    // in user and in kernel mode
  uint64_t start_ticks = 0;  // with the id, tells a process from a later one with its id
  int64_t resident_pages = 0;
};
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

}  // namespace rivermeet::agent

#endif  // RIVERMEET_AGENT_PROC_TEXT_H_
