// A full disk and a read-only one, on a real file system.
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/disk_full.h"
#include "eventlog/event_log_contract.h"
#include "eventlog/local_event_log.h"
#include "testing/temp_dir.h"

namespace rivermeet::eventlog {
namespace {

// A file system of a few MiB in memory; needs the right to mount.
class SmallDisk {
 public:
  explicit SmallDisk(const char* options) {
    mounted_ = mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options) == 0;
    if (!mounted_) WARN("not run: mounting a tmpfs needs root: " << std::strerror(errno));
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return folder_.path(); }

 private:
  const testing::TempDir folder_;
  bool mounted_ = false;
};

TEST_CASE("on a full disk appends are refused, all that was acknowledged is served, and space makes it go on",
          "[eventlog][disk]") {
  const SmallDisk disk("size=8m");
  if (!disk.mounted()) return;
  LocalEventLogOptions options;
  options.folder = disk.path();
  options.partitions = 2;
  options.segment_bytes = 1 << 20;
  auto opened = LocalEventLog::Open(options);
  REQUIRE(opened.ok());
  std::unique_ptr<LocalEventLog> log = std::move(opened).value();
  std::ofstream(disk.path() + "/ballast") << std::string(1 << 20, 'b');

  std::map<Offset, Record> acknowledged;
  const auto append = [&](int i) {
    const Record record{std::to_string(i), RandomText(static_cast<uint64_t>(i), 50'000)};
    const auto offset = log->AppendAndWait(0, record, TestDeadline());
    if (offset.ok()) acknowledged[*offset] = record;
    return offset.status();
  };
  int next = 0;
  absl::Status refused;
  while (refused.ok() && next < 1000) refused = append(next++);
  INFO(refused.ToString());
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(IsDiskFull(refused));
  CHECK(refused.ToString().find("No space left") != std::string::npos);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(append(next++).ok());
  CHECK(log->Stats().disk_full >= 1);

  const auto check = [&] {
    const auto read = ReadRecords(*log, 0, 0, acknowledged.size());
    for (const LogRecord& record : read) {
      REQUIRE(acknowledged.contains(record.offset));
      CHECK((record.payload == acknowledged[record.offset].payload));
    }
  };
  check();
  SECTION("once there is space again") {
    std::filesystem::remove(disk.path() + "/ballast");
    for (int i = 0; i < 5; ++i) CHECK(append(next++).ok());
    check();
  }
  SECTION("when it was opened while the disk was full") {
    log = nullptr;
    auto again = LocalEventLog::Open(options);
    INFO(again.status().ToString());
    REQUIRE(again.ok());
    log = std::move(again).value();
    check();
    std::filesystem::remove(disk.path() + "/ballast");
    CHECK(append(next++).ok());
    check();
  }
}

TEST_CASE("on a disk that became read-only appends answer UNAVAILABLE and reading goes on", "[eventlog][disk]") {
  const SmallDisk disk("size=8m");
  if (!disk.mounted()) return;
  LocalEventLogOptions options;
  options.folder = disk.path();
  options.partitions = 1;
  options.segment_bytes = 4096;
  auto log = LocalEventLog::Open(options);
  REQUIRE(log.ok());
  for (int i = 0; i < 3; ++i) REQUIRE((*log)->AppendAndWait(0, {"", RandomText(1, 3000)}, TestDeadline()).ok());
  // The open file forbids a read-only remount, so the folder is covered by a read-only one instead.
  const std::string folder = disk.path() + "/events/0000";
  REQUIRE(mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) == 0);
  REQUIRE(mount(nullptr, folder.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0);
  CHECK(absl::IsUnavailable((*log)->AppendAndWait(0, {"", RandomText(1, 3000)}, TestDeadline()).status()));
  CHECK(ReadRecords(**log, 0, 0, 3).size() == 3);
  REQUIRE(umount2(folder.c_str(), MNT_DETACH) == 0);
  CHECK((*log)->AppendAndWait(0, {"", RandomText(1, 3000)}, TestDeadline()).ok());
}

}  // namespace
}  // namespace rivermeet::eventlog
