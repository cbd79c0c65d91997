// A process that appends is killed at each named point, and what it had
// been told was durable is there.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "eventlog/event_log_contract.h"
#include "eventlog/local_event_log.h"
#include "fmt/format.h"
#include "testing/temp_dir.h"

namespace rivermeet::eventlog {
namespace {

LocalEventLogOptions Options(const std::string& folder) {
  LocalEventLogOptions options;
  options.folder = folder;
  options.partitions = 1;
  options.segment_bytes = 8192;
  return options;
}

std::string PayloadOf(int i) { return RandomText(static_cast<uint64_t>(i), 700); }

// The child of the next test. It says on a pipe what was acknowledged, as a client would remember it.
TEST_CASE("appends until it is killed", "[.killed]") {
  auto log = LocalEventLog::Open(Options(std::getenv("RIVERMEET_TEST_FOLDER")));
  REQUIRE(log.ok());
  const int out = std::atoi(std::getenv("RIVERMEET_TEST_PIPE"));
  for (int i = 0; i < 60; ++i) {
    const Offset offset = (*log)->AppendAndWait(0, {std::to_string(i), PayloadOf(i)}, TestDeadline()).value();
    const int64_t said[2] = {offset, i};
    REQUIRE(write(out, said, sizeof said) == sizeof said);
    if (i == 40) REQUIRE((*log)->DeleteBefore(0, 20).ok());
  }
}

struct Child {
  int signal = 0;
  std::map<Offset, int> acknowledged;
};

Child RunChild(const std::string& folder, const std::string& point) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    setenv("RIVERMEET_TEST_FOLDER", folder.c_str(), 1);
    setenv("RIVERMEET_TEST_PIPE", std::to_string(ends[1]).c_str(), 1);
    setenv("RIVERMEET_CRASH_AT", point.c_str(), 1);
    execl("/proc/self/exe", "eventlog_crash_test", "[.killed]", "-o", "/dev/null", nullptr);
    _exit(127);
  }
  close(ends[1]);
  Child child;
  int64_t said[2];
  while (read(ends[0], said, sizeof said) == sizeof said) child.acknowledged[said[0]] = static_cast<int>(said[1]);
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  child.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return child;
}

void CheckAcknowledged(const std::string& folder, const Child& child) {
  auto log = LocalEventLog::Open(Options(folder));
  INFO(log.status().ToString());
  REQUIRE(log.ok());
  const OffsetRange range = (*log)->Range(0, TestDeadline()).value();
  CHECK(range.first <= 20);
  std::map<Offset, LogRecord> found;
  for (LogRecord& record : ReadRecords(**log, 0, range.first, static_cast<size_t>(range.end - range.first))) {
    const Offset offset = record.offset;
    found[offset] = std::move(record);
  }
  for (const auto& [offset, i] : child.acknowledged) {
    if (offset < range.first) continue;
    REQUIRE(found.contains(offset));
    CHECK(found[offset].header == std::to_string(i));
    CHECK((found[offset].payload == PayloadOf(i)));
  }
  // At most the one record whose answer never came.
  CHECK(found.size() <= child.acknowledged.size() + 1);
}

TEST_CASE("a process killed at any named point has lost nothing that it acknowledged", "[eventlog][crash]") {
  for (const char* const point :
       {"log.append.before_write", "log.append.after_write", "log.append.before_sync", "log.append.after_sync",
        "log.roll.before_create", "log.roll.before_rename", "log.roll.before_sync_directory", "log.roll.after_create",
        "log.roll.before_index", "log.roll.after_index", "log.retention.before_remove", "log.retention.after_remove"}) {
    for (const int visit : {1, 2}) {
      const testing::TempDir folder;
      if (std::string_view(point).starts_with("log.retention") && visit == 2) continue;  // one file is removed
      const std::string at = fmt::format("{}:{}", point, visit);
      INFO(at);
      const Child child = RunChild(folder.path(), at);
      CHECK(child.signal == SIGKILL);
      CheckAcknowledged(folder.path(), child);
    }
  }
}

TEST_CASE("a process killed while it recovers loses nothing either", "[eventlog][crash]") {
  for (const char* const point : {"log.recover.before_cut:1", "log.recover.after_cut:1"}) {
    INFO(point);
    const testing::TempDir folder;
    const Child child = RunChild(folder.path(), "log.append.after_write:25");
    REQUIRE(child.signal == SIGKILL);
    // A torn end for it to cut.
    std::string last;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "events/0000")) {
      if (entry.path().extension() == ".log") last = std::max(last, entry.path().string());
    }
    std::ofstream(last, std::ios::app | std::ios::binary) << std::string(20, 'x');
    CHECK(RunChild(folder.path(), point).signal == SIGKILL);
    CheckAcknowledged(folder.path(), child);
  }
}

}  // namespace
}  // namespace rivermeet::eventlog
