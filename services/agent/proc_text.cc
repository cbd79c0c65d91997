#include "agent/proc_text.h"

#include <algorithm>
#include <set>

#include "base/strings.h"

namespace rivermeet::agent {
namespace {

constexpr uint64_t kSectorBytes = 512;  // in diskstats, whatever the disk's own are
constexpr size_t kMaxCores = 4096;

// The words of a line, between any white space; without a heap allocation for the first 32.
class Words {
 public:
  explicit Words(std::string_view line) {
    size_t at = 0;
    while (count_ < kMax) {
      while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
      size_t end = at;
      while (end < line.size() && line[end] != ' ' && line[end] != '\t') ++end;
      if (end == at) break;
      words_[count_++] = line.substr(at, end - at);
      at = end;
    }
  }
  size_t size() const { return count_; }
  std::string_view operator[](size_t i) const { return i < count_ ? words_[i] : std::string_view(); }
  template <typename Number>
  bool Get(size_t i, Number& value) const {
    return ParseNumber((*this)[i], value);
  }

 private:
  static constexpr size_t kMax = 32;
  std::string_view words_[kMax];
  size_t count_ = 0;
};

template <typename Use>
void ForEachLine(std::string_view text, Use use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

bool ParseCpuLine(const Words& words, CpuTimes& times) {
  // user nice system idle iowait irq softirq steal; guest time is already in user's.
  uint64_t value[8] = {};
  for (size_t i = 0; i < 8; ++i) {
    if (!words.Get(i + 1, value[i]) && i < 4) return false;
  }
  times.idle = value[3] + value[4];
  times.total = value[0] + value[1] + value[2] + value[3] + value[4] + value[5] + value[6] + value[7];
  return true;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsWholeDisk(std::string_view name) {
  for (const std::string_view prefix : {"loop", "ram", "zram", "dm-", "md", "sr", "fd"}) {
    if (name.substr(0, prefix.size()) == prefix && IsDigits(name.substr(prefix.size()))) return false;
  }
  for (const std::string_view prefix : {"sd", "vd", "xvd", "hd"}) {
    if (name.substr(0, prefix.size()) == prefix) return name.back() < '0' || name.back() > '9';
  }
  // nvme0n1p2, mmcblk0p1
  const size_t p = name.rfind('p');
  return p == std::string_view::npos || p == 0 || !IsDigits(name.substr(p + 1)) || name[p - 1] < '0' ||
         name[p - 1] > '9';
}

// The kernel writes blanks in paths as octal escapes.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

std::optional<CpuStat> ParseStat(std::string_view text) {
  CpuStat stat;
  bool found = false;
  ForEachLine(text, [&](std::string_view line) {
    if (line.substr(0, 3) != "cpu") return;
    const Words words(line);
    if (words[0] == "cpu") {
      found = ParseCpuLine(words, stat.all);
      return;
    }
    size_t core = 0;
    CpuTimes times;
    if (!ParseNumber(words[0].substr(3), core) || core >= kMaxCores || !ParseCpuLine(words, times)) return;
    if (stat.cores.size() <= core) stat.cores.resize(core + 1);
    stat.cores[core] = times;
  });
  return found ? std::optional<CpuStat>(std::move(stat)) : std::nullopt;
}

std::optional<Memory> ParseMeminfo(std::string_view text) {
  Memory memory;
  int64_t free = 0;
  int64_t cached = 0;
  bool has_available = false;
  ForEachLine(text, [&](std::string_view line) {
    const Words words(line);
    int64_t kib = 0;
    if (!words.Get(1, kib) || kib < 0 || kib > (int64_t{1} << 50)) return;
    const int64_t bytes = kib * 1024;
    if (words[0] == "MemTotal:") memory.total = bytes;
    if (words[0] == "MemFree:") free = bytes;
    if (words[0] == "Buffers:" || words[0] == "Cached:") cached += bytes;
    if (words[0] == "MemAvailable:") memory.available = bytes, has_available = true;
    if (words[0] == "SwapTotal:") memory.swap_total = bytes;
    if (words[0] == "SwapFree:") memory.swap_free = bytes;
  });
  if (!has_available) memory.available = free + cached;  // before Linux 3.14, and some containers
  return memory.total > 0 ? std::optional<Memory>(memory) : std::nullopt;
}

std::optional<Load> ParseLoadavg(std::string_view text) {
  const Words words(text);
  Load load;
  if (!words.Get(0, load.one) || !words.Get(1, load.five) || !words.Get(2, load.fifteen)) return std::nullopt;
  return load;
}

std::vector<Disk> ParseDiskstats(std::string_view text) {
  std::vector<Disk> disks;
  ForEachLine(text, [&](std::string_view line) {
    const Words words(line);
    uint64_t read = 0;
    uint64_t written = 0;
    if (words.size() < 10 || !IsWholeDisk(words[2]) || !words.Get(5, read) || !words.Get(9, written)) return;
    disks.push_back({std::string(words[2]), read * kSectorBytes, written * kSectorBytes});
  });
  return disks;
}

std::vector<Interface> ParseNetDev(std::string_view text) {
  std::vector<Interface> interfaces;
  ForEachLine(text, [&](std::string_view line) {
    // The name can stand against its first number: "eth0:123".
    const size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = Trim(line.substr(0, colon));
    const Words words(line.substr(colon + 1));
    uint64_t received = 0;
    uint64_t sent = 0;
    if (name == "lo" || name.empty() || !words.Get(0, received) || !words.Get(8, sent)) return;
    interfaces.push_back({std::string(name), received, sent});
  });
  return interfaces;
}

std::vector<Mount> ParseMounts(std::string_view text) {
  std::vector<Mount> mounts;
  std::set<std::string, std::less<>> seen;
  ForEachLine(text, [&](std::string_view line) {
    const Words words(line);
    if (words.size() < 3) return;
    const bool on_device = words[0].substr(0, 5) == "/dev/" && words[0].substr(0, 9) != "/dev/loop";
    const bool is_file = on_device && words[1] != "/" && words[1].substr(0, 5) == "/etc/";  // bound into a container
    if ((!on_device && words[1] != "/") || is_file) return;
    std::string device = Unescape(on_device ? words[0].substr(5) : words[2]);
    if (seen.insert(device).second) mounts.push_back({std::move(device), Unescape(words[1])});
  });
  return mounts;
}

std::optional<uint64_t> ParsePressure(std::string_view text) {
  std::optional<uint64_t> total;
  ForEachLine(text, [&](std::string_view line) {
    const Words words(line);
    uint64_t value = 0;
    if (words[0] == "some" && words[4].substr(0, 6) == "total=" && ParseNumber(words[4].substr(6), value))
      total = value;
  });
  return total;
}

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  // "PID (name) state ...": the name can hold blanks and parentheses.
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const Words words(text.substr(close + 1));
  ProcessStat stat;
  stat.name = text.substr(open + 1, close - open - 1);
  uint64_t user = 0;
  uint64_t system = 0;
  // Fields 14, 15, 22 and 24 of the whole line; the state is field 3.
  if (!words.Get(11, user) || !words.Get(12, system) || !words.Get(19, stat.start_ticks) ||
      !words.Get(21, stat.resident_pages)) {
    return std::nullopt;
  }
  stat.cpu_ticks = user + system;
  return stat;
}

}  // namespace rivermeet::agent
