#include "cli/doctor_checks.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "testing/temp_dir.h"

namespace rivermeet::cli {
namespace {

using Level = Finding::Level;

TEST_CASE("a full disk is a problem, an almost full one a note", "[doctor]") {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  CHECK(JudgeDiskSpace(50 * kGiB, 100 * kGiB).level == Level::kGood);
  CHECK(JudgeDiskSpace(10 * kGiB, 100 * kGiB).level == Level::kNote);
  CHECK(JudgeDiskSpace(4 * kGiB, 100 * kGiB).level == Level::kProblem);
  CHECK(JudgeDiskSpace(kGiB / 2, kGiB).level == Level::kProblem);
  CHECK_FALSE(JudgeDiskSpace(4 * kGiB, 100 * kGiB).advice.empty());
  const auto called_full = [](const Finding& finding) {
    return finding.detail.find("disk is full") != std::string::npos;
  };
  CHECK(called_full(JudgeDiskSpace(12'000, 100 * kGiB)));
  CHECK_FALSE(called_full(JudgeDiskSpace(4 * kGiB, 100 * kGiB)));
}

TEST_CASE("a slow disk is told with its time", "[doctor]") {
  CHECK(JudgeDiskSpeed(absl::Milliseconds(1)).level == Level::kGood);
  CHECK(JudgeDiskSpeed(absl::Milliseconds(20)).level == Level::kNote);
  CHECK(JudgeDiskSpeed(absl::Milliseconds(200)).level == Level::kProblem);
  CHECK(JudgeDiskSpeed(absl::Milliseconds(200)).detail.find("200.0 ms") != std::string::npos);
}

TEST_CASE("this machine's disk is measured and nothing is left behind", "[doctor]") {
  const rivermeet::testing::TempDir folder;
  CHECK(CheckDiskSpeed(folder.path()).detail.find("median") != std::string::npos);
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(CheckDiskSpeed(folder / "none").level == Level::kProblem);
}

TEST_CASE("a folder's size and growth are measured", "[doctor]") {
  const rivermeet::testing::TempDir folder;
  std::filesystem::create_directories(folder / "a/b");
  std::ofstream(folder / "a/b/new") << std::string(1000, 'x');
  std::ofstream(folder / "old") << std::string(500, 'x');
  std::filesystem::last_write_time(folder / "old",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  const FolderSize size = MeasureFolder(folder.path());
  CHECK(size.bytes == 1500);
  CHECK(size.files == 2);
  CHECK(size.changed_bytes == 1000);
  CHECK(JudgeGrowth(size, 1'000'000'000).level == Level::kGood);
  CHECK(JudgeGrowth(size, 100'000).level == Level::kNote);
  CHECK(JudgeGrowth(size, 10'000).level == Level::kProblem);
}

TEST_CASE("clocks that are apart are told", "[doctor]") {
  const absl::Time now = absl::FromUnixSeconds(784111777);  // RFC 9110's example
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
  CHECK(JudgeServerDate(date, now).level == Level::kGood);
  CHECK(JudgeServerDate(date, now + absl::Seconds(20)).level == Level::kNote);
  CHECK(JudgeServerDate(date, now - absl::Hours(1)).level == Level::kProblem);
  CHECK(JudgeServerDate("", now).level == Level::kNote);
}

TEST_CASE("the limit of open files is read from what the kernel says", "[doctor]") {
  CHECK(ParseFileLimit(
            "Max processes  5 6 processes\nMax open files            1024                 524288  files\n") == 1024u);
  CHECK(ParseFileLimit("Max open files unlimited unlimited files\n") == UINT64_MAX);
  CHECK_FALSE(ParseFileLimit(""));
  CHECK(CheckFileLimit(0).detail.find("limit is") != std::string::npos);
}

TEST_CASE("a private PostgreSQL that was left or can't be started is told with what to do", "[doctor]") {
  const rivermeet::testing::TempDir data;
  CHECK(CheckPostgres(data.path(), false).level == Level::kNote);
  std::filesystem::create_directories(data / "postgres");
  std::ofstream(data / "postgres/PG_VERSION") << "7\n";
  const Finding old = CheckPostgres(data.path(), true);
  CHECK(old.level == Level::kProblem);
  CHECK(old.advice.find("postgresql-7") != std::string::npos);
}

TEST_CASE("files that were set aside are named with what to do about them", "[doctor]") {
  const rivermeet::testing::TempDir data;
  CHECK(CheckSetAside(data.path()).level == Level::kGood);
  std::filesystem::create_directories(data / "objects/damaged/segments/p0");
  std::filesystem::create_directories(data / "log/events/0001");
  std::ofstream(data / "log/events/0001/00000000000000000000.log") << "sound";
  CHECK(CheckSetAside(data.path()).level == Level::kGood);
  std::ofstream(data / "objects/damaged/segments/p0/a.parquet") << "x";
  std::ofstream(data / "log/events/0001/00000000000000000000.log.640.damaged") << "x";
  const Finding finding = CheckSetAside(data.path());
  CHECK(finding.level == Level::kNote);
  CHECK(finding.detail ==
        "2 damaged files were set aside: log/events/0001/00000000000000000000.log.640.damaged, "
        "objects/damaged/segments/p0/a.parquet");
  CHECK_FALSE(finding.advice.empty());
  for (int i = 0; i < 9; ++i) std::ofstream(data / ("objects/damaged/" + std::to_string(i))) << "x";
  CHECK(CheckSetAside(data.path()).detail.ends_with(", ..."));
}

TEST_CASE("damage that the suite met in its log is a problem", "[doctor]") {
  constexpr std::string_view kHelp = "# HELP rivermeet_log_damaged_segments_total Damaged files found.\n";
  CHECK(JudgeLogDamage(kHelp).level == Level::kGood);
  CHECK(JudgeLogDamage(std::string(kHelp) + "rivermeet_log_damaged_segments_total 0\n").level == Level::kGood);
  const Finding finding = JudgeLogDamage(std::string(kHelp) + "rivermeet_log_damaged_segments_total 2\nother 0\n");
  CHECK(finding.level == Level::kProblem);
  CHECK_FALSE(finding.advice.empty());
}

TEST_CASE("a key file that others can read is a problem", "[doctor]") {
  const rivermeet::testing::TempDir data;
  CHECK(CheckKeyFile(data.path()).level == Level::kNote);
  std::filesystem::create_directories(data / "keys");
  std::ofstream(data / "keys/local.key") << "rm_a_b\n";
  REQUIRE(chmod((data / "keys/local.key").c_str(), 0644) == 0);
  CHECK(CheckKeyFile(data.path()).level == Level::kProblem);
  REQUIRE(chmod((data / "keys/local.key").c_str(), 0600) == 0);
  CHECK(CheckKeyFile(data.path()).level == Level::kGood);
}

TEST_CASE("a port that nothing listens at is a problem", "[doctor]") {
  CHECK(CheckPort("port", "127.0.0.1:1").level == Level::kProblem);
  CHECK(CheckPort("port", "https://127.0.0.1:1").detail == "nothing listens at 127.0.0.1:1");
  CHECK(CheckPort("port", "no.such.host.invalid:80").level == Level::kProblem);
}

TEST_CASE("a port that accepts connections is good, whether its address comes with a scheme or not", "[doctor]") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 8) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  for (const std::string scheme : {"", "http://", "https://"}) {
    CHECK(CheckPort("port", scheme + where).level == Level::kGood);
  }
  ::close(listener);
}

}  // namespace
}  // namespace rivermeet::cli
