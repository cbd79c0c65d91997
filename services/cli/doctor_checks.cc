#include "cli/doctor_checks.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/config.h"
#include "base/strings.h"
#include "client/connection.h"
#include "commandline/durations.h"

namespace rivermeet::cli {
namespace {

using commandline::FormatBytes;
using Level = Finding::Level;

constexpr uint64_t kFull = 1 << 20;

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

std::string HostAndPort(const std::string& address) {
  const size_t scheme = address.find("://");
  if (scheme == std::string::npos) return address;
  std::string host = address.substr(scheme + 3);
  host = host.substr(0, host.find('/'));
  const size_t after_bracket = host.rfind(']') == std::string::npos ? 0 : host.rfind(']');
  if (host.find(':', after_bracket) != std::string::npos) return host;
  return host + (address.starts_with("https://") ? ":443" : ":80");
}

bool Connects(const addrinfo& address) {
  const int connection = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) return false;
  const timeval timeout{.tv_sec = 2, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  const bool connected = connect(connection, address.ai_addr, address.ai_addrlen) == 0;
  close(connection);
  return connected;
}

}  // namespace

Finding CheckPort(const std::string& what, const std::string& url) {
  const std::string address = HostAndPort(url);
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    return {Level::kProblem, what, fmt::format("{} is no address that can be found", address), "check it"};
  }
  bool connected = false;
  for (const addrinfo* at = found; at != nullptr && !connected; at = at->ai_next) connected = Connects(*at);
  freeaddrinfo(found);
  if (connected) return {Level::kGood, what, fmt::format("{} accepts connections", address), ""};
  return {Level::kProblem, what, fmt::format("nothing listens at {}", address), "start the suite with tools/up"};
}

Finding JudgeDiskSpace(uint64_t free_bytes, uint64_t size_bytes) {
  const double share = size_bytes == 0 ? 0 : 100.0 * static_cast<double>(free_bytes) / static_cast<double>(size_bytes);
  Finding finding{Level::kGood, "disk space",
                  fmt::format("{} of {} free ({:.0f} %)", FormatBytes(static_cast<double>(free_bytes)),
                              FormatBytes(static_cast<double>(size_bytes)), share),
                  ""};
  if (share < 15) finding.level = Level::kNote;
  if (share < 5 || free_bytes < (uint64_t{1} << 30)) finding.level = Level::kProblem;
  if (free_bytes < kFull) finding.detail = "the disk is full, events are refused: " + finding.detail;
  if (finding.level != Level::kGood) {
    finding.advice =
        "free some, move the data folder, or shorten retention: `rivermeet streams declare NAME --retention 30d`";
  }
  return finding;
}

Finding CheckDiskSpace(const std::string& folder) {
  struct statvfs stat {};
  if (statvfs(folder.c_str(), &stat) != 0) {
    return {Level::kProblem, "disk space", fmt::format("{}: {}", folder, std::strerror(errno)),
            "name the data folder with --data"};
  }
  return JudgeDiskSpace(uint64_t{stat.f_bavail} * stat.f_frsize, uint64_t{stat.f_blocks} * stat.f_frsize);
}

Finding JudgeDiskSpeed(absl::Duration median) {
  Finding finding{Level::kGood, "disk speed",
                  fmt::format("64 KiB durable in {:.1f} ms (median of 20)", absl::ToDoubleMilliseconds(median)), ""};
  if (median > absl::Milliseconds(5)) finding.level = Level::kNote;
  if (median > absl::Milliseconds(50)) finding.level = Level::kProblem;
  if (finding.level != Level::kGood) {
    finding.advice = "every acknowledgement waits for this: use a local SSD for the data folder";
  }
  return finding;
}

Finding CheckDiskSpeed(const std::string& folder) {
  const std::string path = fmt::format("{}/.doctor-{}", folder, getpid());
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) {
    return {Level::kProblem, "disk speed", fmt::format("can't write into {}: {}", folder, std::strerror(errno)),
            "run as the user that runs the suite"};
  }
  const std::string block(64 << 10, 'r');
  std::vector<absl::Duration> times;
  bool failed = false;
  for (int i = 0; i < 20 && !failed; ++i) {
    const absl::Time start = absl::Now();
    const ssize_t written = write(file, block.data(), block.size());
    // A part of it is all that the disk had room for.
    if (written >= 0 && written < static_cast<ssize_t>(block.size())) errno = ENOSPC;
    failed = written != static_cast<ssize_t>(block.size()) || fdatasync(file) != 0;
    times.push_back(absl::Now() - start);
  }
  const int error = errno;
  close(file);
  unlink(path.c_str());
  if (failed) {
    return {Level::kProblem, "disk speed", fmt::format("can't write 64 KiB, 20 times: {}", std::strerror(error)),
            error == ENOSPC ? "make room, then look again" : "the disk or its file system is at fault: see dmesg"};
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return JudgeDiskSpeed(times[10]);
}

FolderSize MeasureFolder(const std::string& folder) {
  namespace fs = std::filesystem;
  FolderSize size;
  std::error_code error;
  const auto hour_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && at != end; at.increment(error)) {
    std::error_code gone;  // files come and go while the suite runs
    if (!at->is_regular_file(gone) || gone) continue;
    const uint64_t bytes = at->file_size(gone);
    if (gone) continue;
    ++size.files;
    size.bytes += bytes;
    const auto changed = at->last_write_time(gone);
    if (!gone && changed > hour_ago) size.changed_bytes += bytes;
  }
  return size;
}

Finding JudgeGrowth(const FolderSize& size, uint64_t free_bytes) {
  Finding finding{
      Level::kGood, "data",
      fmt::format("{} in {} files, {} of them written in the last hour", FormatBytes(static_cast<double>(size.bytes)),
                  size.files, FormatBytes(static_cast<double>(size.changed_bytes))),
      ""};
  if (size.changed_bytes == 0) return finding;
  const double hours = static_cast<double>(free_bytes) / static_cast<double>(size.changed_bytes);
  if (hours < 1.0 / 3600) return finding;  // Of a full disk another check tells.
  if (hours < 24 * 7) {
    finding.level = hours < 24 ? Level::kProblem : Level::kNote;
    finding.detail += fmt::format("; at that rate the disk is full in {} at the earliest",
                                  commandline::FormatBriefly(absl::Hours(hours)));
    finding.advice = "watch it; shorten retention where it is for ever: `rivermeet streams list`";
  }
  return finding;
}

Finding CheckGrowth(const std::string& folder) {
  struct statvfs stat {};
  if (statvfs(folder.c_str(), &stat) != 0) {
    return {Level::kNote, "data", fmt::format("no folder {}", folder), "name the data folder with --data"};
  }
  return JudgeGrowth(MeasureFolder(folder), uint64_t{stat.f_bavail} * stat.f_frsize);
}

Finding CheckClock() {
  timex state{};
  const int result = adjtimex(&state);
  if (result < 0) return {Level::kNote, "clock", "the kernel does not say whether it is synchronised", ""};
  if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    return {Level::kNote, "clock", "not synchronised, as far as the kernel knows",
            "events are placed by their time: run chrony or systemd-timesyncd"};
  }
  return {Level::kGood, "clock",
          fmt::format("synchronised, within {:.1f} ms", static_cast<double>(state.maxerror) / 1000), ""};
}

Finding JudgeServerDate(const std::string& date, absl::Time now) {
  absl::Time server;
  std::string error;
  if (!absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", date, &server, &error)) {
    return {Level::kNote, "clocks", "the server does not say its time", ""};
  }
  const absl::Duration apart = absl::AbsDuration(now - server);
  if (apart < absl::Seconds(3)) return {Level::kGood, "clocks", "this machine's and the server's agree", ""};
  return {apart > absl::Minutes(1) ? Level::kProblem : Level::kNote, "clocks",
          fmt::format("this machine's and the server's are {} apart", commandline::FormatBriefly(apart)),
          "synchronise both: events over 5 min in the future are rejected"};
}

std::optional<uint64_t> ParseFileLimit(std::string_view limits) {
  for (const std::string_view line : Split(limits, '\n')) {
    constexpr std::string_view kName = "Max open files";
    if (line.substr(0, kName.size()) != kName) continue;
    const std::string_view rest = Trim(line.substr(kName.size()));
    const std::string_view soft = rest.substr(0, rest.find(' '));
    uint64_t limit = 0;
    if (soft == "unlimited") return UINT64_MAX;
    if (ParseNumber(soft, limit)) return limit;
  }
  return std::nullopt;
}

Finding CheckFileLimit(int64_t pid) {
  const std::string path = pid == 0 ? "/proc/self/limits" : fmt::format("/proc/{}/limits", pid);
  const std::optional<uint64_t> limit = ParseFileLimit(ReadText(path));
  const char* whose = pid == 0 ? "this shell's" : "the suite's";
  if (!limit) return {Level::kNote, "open files", fmt::format("{} limit can't be read", whose), ""};
  Finding finding{Level::kGood, "open files", fmt::format("{} limit is {}", whose, *limit), ""};
  if (*limit < 20'000) {
    finding.level = *limit < 1'024 ? Level::kProblem : Level::kNote;
    finding.advice = "each browser tab and client takes one: `ulimit -n 65536` before tools/up allows 18,000 at a time";
  }
  return finding;
}

Finding CheckPostgres(const std::string& data_folder, bool suite_runs) {
  const std::string folder = data_folder + "/postgres";
  const std::string version(Trim(ReadText(folder + "/PG_VERSION")));
  if (version.empty()) return {Level::kNote, "PostgreSQL", fmt::format("no private one in {}", folder), ""};
  const std::string program = fmt::format("/usr/lib/postgresql/{}/bin/postgres", version);
  if (access(program.c_str(), X_OK) != 0) {
    return {Level::kProblem, "PostgreSQL",
            fmt::format("{} was made by version {}, which is not installed", folder, version),
            fmt::format("apt-get install postgresql-{}", version)};
  }
  int pid = 0;
  const std::string text = ReadText(folder + "/postmaster.pid");
  const bool known = ParseNumber(std::string_view(text).substr(0, text.find('\n')), pid) && pid > 0;
  const bool gone = known && kill(pid, 0) != 0 && errno == ESRCH;
  if ((!known || gone) && suite_runs) {
    return {Level::kProblem, "PostgreSQL", fmt::format("version {}, not running beside the suite", version),
            fmt::format("the suite starts it again and again; {}/postgres.log says why it ends", data_folder)};
  }
  if (!known)
    return {Level::kNote, "PostgreSQL", fmt::format("version {}, not running", version), "tools/up starts it"};
  if (gone) {
    return {Level::kNote, "PostgreSQL",
            fmt::format("version {}; process {} is gone without a clean stop", version, pid), "tools/up recovers it"};
  }
  return {Level::kGood, "PostgreSQL", fmt::format("version {}, process {} runs", version, pid), ""};
}

Finding CheckSetAside(const std::string& data_folder) {
  namespace fs = std::filesystem;
  constexpr size_t kNamed = 5;
  std::vector<std::string> found;
  for (const auto& [folder, every_file] : {std::pair("objects/damaged", true), std::pair("log", false)}) {
    std::error_code error;
    for (fs::recursive_directory_iterator at(fs::path(data_folder) / folder, error), end; !error && at != end;
         at.increment(error)) {
      std::error_code gone;
      if (!at->is_regular_file(gone) || gone) continue;
      const bool set_aside = every_file || at->path().extension() == ".damaged";
      if (set_aside) found.push_back(fs::path(at->path()).lexically_relative(data_folder));
    }
  }
  if (found.empty()) return {Level::kGood, "damage", "no damaged file was set aside", ""};
  std::sort(found.begin(), found.end());
  const size_t named = std::min(found.size(), kNamed);
  return {
      Level::kNote, "damage",
      fmt::format("{} damaged {} set aside: {}{}", found.size(), found.size() == 1 ? "file was" : "files were",
                  fmt::join(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                  named < found.size() ? ", ..." : ""),
      "what could be made anew was, the suite's log says so; look at the disk (dmesg, smartctl -a), then delete them"};
}

Finding JudgeLogDamage(std::string_view metrics) {
  constexpr std::string_view kName = "rivermeet_log_damaged_segments_total";
  for (const std::string_view line : Split(metrics, '\n')) {
    if (line.substr(0, kName.size()) != kName) continue;
    if (Trim(line.substr(line.rfind(' ') + 1)) == "0") continue;
    return {Level::kProblem, "log", "a file of the event log is damaged: reads of its partition may be refused",
            "the suite's own log names file and place: put back a copy of the file, the fold goes on by itself"};
  }
  return {Level::kGood, "log", "no damage met since the start", ""};
}

Finding CheckKeyFile(const std::string& data_folder) {
  const std::string path = client::LocalKeyPath(data_folder);
  const absl::StatusOr<std::string> key = ReadSecretFile(path);
  if (key.ok()) return {Level::kGood, "key file", fmt::format("{} is there and private", path), ""};
  if (absl::IsNotFound(key.status())) {
    return {Level::kNote, "key file", fmt::format("no {}", path), "it is made when a suite runs on this data folder"};
  }
  return {Level::kProblem, "key file", std::string(MessageOf(key.status())), fmt::format("chmod 600 {}", path)};
}

}  // namespace rivermeet::cli
