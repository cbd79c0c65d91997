#include "catalog/internal/postgres_folder.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::catalog {
namespace {

namespace fs = std::filesystem;

// Of sockaddr_un's 108 bytes the last is a zero.
constexpr size_t kLongestSocketPath = 107;
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

absl::Status WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) return absl::InternalError(ToAbsl(fmt::format("can't write {}: {}", path, strerror(errno))));
  // Readable by the server's account; nothing in it is secret.
  chmod(path.c_str(), 0644);
  return absl::OkStatus();
}

bool CanEnter(const struct stat& folder, const Account& account) {
  if (account.uid == 0) return true;
  if (folder.st_uid == account.uid) return (folder.st_mode & S_IXUSR) != 0;
  const bool in_group = std::find(account.groups.begin(), account.groups.end(), folder.st_gid) != account.groups.end();
  return (folder.st_mode & (in_group ? S_IXGRP : S_IXOTH)) != 0;
}

// Every process that works in `cluster`: the postmaster and its children, even when the postmaster is gone.
std::vector<pid_t> ProcessesIn(const std::string& cluster) {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    pid_t pid = 0;
    if (!ParseNumber(entry.path().filename().string(), pid)) continue;
    char link[4096];
    const ssize_t size = readlink((entry.path().string() + "/cwd").c_str(), link, sizeof link);
    if (size <= 0 || std::string_view(link, static_cast<size_t>(size)) != cluster) continue;
    if (ReadFile(entry.path().string() + "/comm").rfind("postgres", 0) == 0) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

absl::StatusOr<PostgresFolder> PreparePostgresFolder(const std::string& data) {
  std::error_code error;
  fs::create_directories(data, error);
  const fs::path path = error ? fs::path() : fs::canonical(data, error);
  if (error) {
    return absl::FailedPreconditionError(
        ToAbsl(fmt::format("the data folder {} can't be made: {}", data, error.message())));
  }
  const std::string root = path.string();
  return PostgresFolder{.data = root,
                        .cluster = root + "/postgres",
                        .hba = root + "/postgres.hba",
                        .ident = root + "/postgres.ident",
                        .log = root + "/postgres.log",
                        .lock = root + "/postgres.lock"};
}

absl::Status CheckReachable(const std::string& folder, const Account& account) {
  struct stat info = {};
  // The data folder itself is ours: letting others through (not in) shows nothing, its files have modes of their own.
  if (stat(folder.c_str(), &info) == 0 && info.st_uid == geteuid() && !CanEnter(info, account)) {
    chmod(folder.c_str(), (info.st_mode & 07777) | S_IXOTH);
  }
  for (fs::path path = folder;; path = path.parent_path()) {
    if (stat(path.c_str(), &info) != 0 || !CanEnter(info, account)) {
      return absl::FailedPreconditionError(ToAbsl(
          fmt::format("PostgreSQL runs as the account {}, which can't go through {} to the data folder {}: use a data "
                      "folder elsewhere, for example /var/lib/rivermeet, or don't run as root",
                      account.name, path.string(), folder)));
    }
    if (path == path.parent_path()) return absl::OkStatus();
  }
}

absl::Status WriteAccessFiles(const PostgresFolder& folder, const Account& account) {
  RM_RETURN_IF_ERROR(WriteFile(folder.hba, "# Written on every start.\nlocal all all peer map=rivermeet\n"));
  std::string ident = fmt::format("# Written on every start.\nrivermeet \"{}\" rivermeet\n", account.name);
  if (account.name != "root") ident += "rivermeet root rivermeet\n";
  return WriteFile(folder.ident, ident);
}

absl::StatusOr<std::string> SocketFolder(const PostgresFolder& folder, const Account& account) {
  if (folder.cluster.size() + kSocketName.size() <= kLongestSocketPath) return folder.cluster;
  const std::string parent = geteuid() == 0 && access("/run", W_OK) == 0 ? "/run" : "/tmp";
  // The account and the path make the name, so that a restart finds what it left.
  const std::string path =
      fmt::format("{}/rivermeet-{}-{:016x}", parent, account.uid, std::hash<std::string>()(folder.cluster));
  if (mkdir(path.c_str(), 0700) == 0 && geteuid() == 0 && lchown(path.c_str(), account.uid, account.gid) != 0) {
    return absl::InternalError(ToAbsl(fmt::format("can't give {} to {}: {}", path, account.name, strerror(errno))));
  }
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != account.uid ||
      (info.st_mode & 0077) != 0) {
    return absl::FailedPreconditionError(ToAbsl(
        fmt::format("{}, the folder for PostgreSQL's socket, is not {}'s alone: remove it, or use a shorter data "
                    "path",
                    path, account.name)));
  }
  return path;
}

std::string ClusterVersion(const PostgresFolder& folder) {
  return std::string(Trim(ReadFile(folder.cluster + "/PG_VERSION")));
}

bool ServerIsReady(const PostgresFolder& folder, pid_t pid) {
  const std::string content = ReadFile(folder.cluster + "/postmaster.pid");
  const std::vector<std::string_view> lines = Split(content, '\n');
  return lines.size() >= 8 && Trim(lines[0]) == std::to_string(pid) && Trim(lines[7]) == "ready";
}

absl::Status StopLeftovers(const PostgresFolder& folder, const std::string& sockets, absl::Time deadline) {
  const absl::Time start = absl::Now();
  pid_t postmaster = 0;
  const std::string content = ReadFile(folder.cluster + "/postmaster.pid");
  if (!ParseNumber(Trim(Split(content, '\n')[0]), postmaster)) postmaster = 0;
  int asked = 0;
  for (;;) {
    const std::vector<pid_t> pids = ProcessesIn(folder.cluster);
    if (pids.empty()) break;
    const absl::Duration waited = absl::Now() - start;
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          ToAbsl(fmt::format("a PostgreSQL server (process {}) on {} does not end: stop it", pids[0], folder.cluster)));
    }
    const bool headless = std::find(pids.begin(), pids.end(), postmaster) == pids.end();
    if (asked == 0 && !headless) {
      kill(postmaster, SIGINT);  // Fast shutdown.
      asked = 1;
    } else if (asked < 2 && waited > absl::Seconds(headless ? 1 : 5)) {
      for (const pid_t pid : pids) kill(pid, SIGQUIT);  // Immediate; the next start recovers.
      asked = 2;
    } else if (asked == 2 && waited > absl::Seconds(headless ? 2 : 7)) {
      for (const pid_t pid : pids) kill(pid, SIGKILL);
      asked = 3;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  unlink((folder.cluster + "/postmaster.pid").c_str());
  unlink(fmt::format("{}{}.lock", sockets, kSocketName).c_str());
  return absl::OkStatus();
}

std::string LogTail(const PostgresFolder& folder, int lines) {
  std::ifstream file(folder.log, std::ios::binary);
  file.seekg(0, std::ios::end);
  const auto size = static_cast<int64_t>(file.tellg());
  file.seekg(std::max<int64_t>(0, size - 4096));
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::string tail;
  const std::vector<std::string_view> all = Split(Trim(content), '\n');
  for (size_t i = all.size() - std::min<size_t>(all.size(), static_cast<size_t>(lines)); i < all.size(); ++i) {
    tail += fmt::format("{}{}", tail.empty() ? "" : " | ", all[i]);
  }
  return tail;
}

}  // namespace rivermeet::catalog
