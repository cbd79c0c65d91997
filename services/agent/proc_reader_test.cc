#include "agent/proc_reader.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "testing/manual_clock.h"
#include "testing/temp_dir.h"

namespace rivermeet::agent {
namespace {

void WriteText(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::trunc) << text;
}

TEST_CASE("this machine is read, with this process in it", "[reader]") {
  const auto reader = ProcReader::Open({}).value();
  const Sample sample = reader->Read();
  CHECK(sample.cpu);
  CHECK(sample.memory);
  CHECK(sample.load);
  CHECK_FALSE(sample.filesystems.empty());
  REQUIRE(sample.processes);
  const auto self = std::find_if(sample.processes->begin(), sample.processes->end(),
                                 [](const Process& process) { return process.pid == getpid(); });
  REQUIRE(self != sample.processes->end());
  CHECK(self->stat.name == "agent_test");
}

TEST_CASE("what a kernel does not show is missing, and the rest is there", "[reader]") {
  const testing::TempDir proc;
  WriteText(proc / "stat", "cpu  1 2 3 4\n");
  const auto reader = ProcReader::Open({.proc = proc.path()}).value();
  const Sample sample = reader->Read();
  CHECK(sample.cpu);
  CHECK_FALSE(sample.memory);
  CHECK_FALSE(sample.pressure_io);
  CHECK(sample.disks.empty());
  CHECK(sample.processes->empty());
}

TEST_CASE("a folder that is not /proc is refused with its name", "[reader]") {
  const testing::TempDir empty;
  CHECK(absl::IsNotFound(ProcReader::Open({.proc = empty.path()}).status()));
  CHECK(absl::IsNotFound(ProcReader::Open({.proc = empty / "none"}).status()));
}

TEST_CASE("each read sees the files as they are now", "[reader]") {
  const testing::TempDir proc;
  WriteText(proc / "stat", "cpu  1 2 3 4\n");
  WriteText(proc / "7/stat", "7 (a) S 1 2 3 0 -1 4194560 10 0 1 0 700 300 5 6 20 0 1 0 12345 99999 4242 1");
  const testing::ManualClock clock;
  const auto reader = ProcReader::Open({.proc = proc.path(), .process_budget = 1e9, .clock = &clock}).value();
  CHECK(reader->Read().processes->size() == 1);
  WriteText(proc / "stat", "cpu  10 2 3 4\n");
  std::filesystem::remove_all(proc / "7");
  const Sample second = reader->Read();
  CHECK(second.cpu->all.total == 19);
}

TEST_CASE("processes are read as seldom as their budget asks", "[reader]") {
  testing::ManualClock clock;
  const auto reader = ProcReader::Open({.process_budget = 1e-9, .clock = &clock}).value();
  CHECK(reader->Read().processes);
  clock.Advance(absl::Seconds(10));
  CHECK_FALSE(reader->Read().processes);
  clock.Advance(absl::Hours(10'000));
  CHECK(reader->Read().processes);
}

TEST_CASE("processes are not read when that is not wanted", "[reader]") {
  CHECK_FALSE(ProcReader::Open({.processes = false}).value()->Read().processes);
}

}  // namespace
}  // namespace rivermeet::agent
