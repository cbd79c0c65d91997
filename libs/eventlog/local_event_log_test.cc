#include "eventlog/local_event_log.h"

#include <catch2/catch.hpp>

#include "eventlog/event_log_contract.h"
#include "files/file_system.h"
#include "testing/lossy_file_system.h"
#include "testing/manual_clock.h"
#include "testing/temp_dir.h"

namespace rivermeet::eventlog {
namespace {

using testing::FileOperation;

class LocalFixture final : public EventLogFixture {
 public:
  LocalFixture() {
    options_.folder = folder_.path();
    options_.partitions = 2;
    options_.segment_bytes = 16 << 10;
    Reopen();
  }
  EventLog& log() override { return *log_; }
  void Reopen() override {
    log_ = nullptr;
    auto opened = LocalEventLog::Open(options_);
    REQUIRE(opened.ok());
    log_ = std::move(opened).value();
  }

 private:
  const testing::TempDir folder_;
  LocalEventLogOptions options_;
  std::unique_ptr<LocalEventLog> log_;
};

TEST_CASE("the built-in log keeps the contract of every log", "[eventlog]") {
  LocalFixture fixture;
  CheckEventLogContract(fixture);
}

// A log on a file system in memory.
struct Lossy {
  testing::LossyFileSystem fs;
  LocalEventLogOptions options;

  Lossy() {
    options.folder = "data";
    options.partitions = 1;
    options.fs = &fs;
    options.max_group_wait = absl::ZeroDuration();
  }
  std::unique_ptr<LocalEventLog> Open() {
    auto log = LocalEventLog::Open(options);
    INFO(log.status().ToString());
    REQUIRE(log.ok());
    return std::move(log).value();
  }
};

Record Small(int i) { return {"h", std::to_string(i)}; }

TEST_CASE("a second process can't open the log, and the message says why", "[eventlog]") {
  Lossy lossy;
  const auto log = lossy.Open();
  CHECK(LocalEventLog::Open(lossy.options).status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a log made anew in the same folder is another one", "[eventlog]") {
  Lossy lossy;
  const std::string identity = lossy.Open()->identity();
  REQUIRE(lossy.fs.Remove("data/events/identity").ok());
  CHECK(lossy.Open()->identity() != identity);
  REQUIRE(files::WriteWholeFile(lossy.fs, "data/events/identity", "half").ok());
  const auto damaged = LocalEventLog::Open(lossy.options);
  CHECK(damaged.status().code() == absl::StatusCode::kDataLoss);
  CHECK(std::string(damaged.status().message()).find("data/events/identity") != std::string::npos);
}

TEST_CASE("options out of their range are refused by name", "[eventlog]") {
  Lossy lossy;
  lossy.options.max_group_wait = absl::Milliseconds(3);
  const auto refused = LocalEventLog::Open(lossy.options);
  CHECK(absl::IsInvalidArgument(refused.status()));
  CHECK(refused.status().ToString().find("max_group_wait") != std::string::npos);
  lossy.options.max_group_wait = absl::ZeroDuration();
  lossy.options.partitions = 3;
  lossy.Open();
  lossy.options.partitions = 2;
  CHECK(LocalEventLog::Open(lossy.options).status().code() == absl::StatusCode::kFailedPrecondition);
  lossy.options.partitions = 4;
  CHECK(lossy.Open()->partitions() == 4);
}

TEST_CASE("a full queue refuses at once and takes again once it has drained", "[eventlog]") {
  Lossy lossy;
  lossy.options.max_queue_bytes = 10'000;
  const auto log = lossy.Open();
  AppendOutcomes outcomes;
  for (size_t i = 0; i < 200; ++i) log->Append(0, {"", RandomText(i, 3000)}, TestDeadline(), outcomes.Expect(i));
  size_t appended = 0;
  size_t refused = 0;
  for (const auto& [index, results] : outcomes.Wait()) {
    REQUIRE(results.size() == 1);
    if (results[0].ok()) {
      ++appended;
    } else {
      REQUIRE(absl::IsResourceExhausted(results[0].status()));
      ++refused;
    }
  }
  CHECK(appended >= 3);
  CHECK(refused >= 1);
  CHECK(log->Stats().refused_appends == static_cast<int64_t>(refused));
  CHECK(log->Range(0, TestDeadline())->end == static_cast<Offset>(appended));
  CHECK(log->AppendAndWait(0, Small(1), TestDeadline()).ok());
}

TEST_CASE("appends of one group share one sync", "[eventlog]") {
  Lossy lossy;
  lossy.options.max_group_wait = absl::Milliseconds(2);
  const auto log = lossy.Open();
  AppendOutcomes outcomes;
  for (size_t i = 0; i < 2000; ++i) log->Append(0, Small(1), TestDeadline(), outcomes.Expect(i));
  REQUIRE(outcomes.Wait().size() == 2000);
  CHECK(log->Stats().syncs < 1000);
  CHECK(log->Stats().appended_records == 2000);
}

TEST_CASE("a full disk is said, the partial group is gone, and the log goes on once there is space", "[eventlog]") {
  Lossy lossy;
  lossy.options.compress = false;
  auto log = lossy.Open();
  REQUIRE(log->AppendAndWait(0, {"", std::string(1000, 'a')}, TestDeadline()).ok());
  lossy.fs.SetCapacity(2500);
  const auto full = log->AppendAndWait(0, {"", std::string(2000, 'b')}, TestDeadline());
  CHECK(absl::IsResourceExhausted(full.status()));
  CHECK(log->Stats().disk_full == 1);
  CHECK(log->AppendAndWait(0, {"", std::string(100, 'c')}, TestDeadline()).value() == 1);
  lossy.fs.SetCapacity(INT64_MAX);
  CHECK(log->AppendAndWait(0, {"", std::string(2000, 'd')}, TestDeadline()).value() == 2);
  log = nullptr;
  log = lossy.Open();
  const auto records = ReadRecords(*log, 0, 0, 3);
  CHECK(records[1].payload == std::string(100, 'c'));
  CHECK(records[2].payload == std::string(2000, 'd'));
}

TEST_CASE("a failed sync gives the file up, is never taken for success, and the log goes on in a new file",
          "[eventlog]") {
  Lossy lossy;
  auto log = lossy.Open();
  REQUIRE(log->AppendAndWait(0, Small(0), TestDeadline()).ok());
  lossy.fs.FailNext(FileOperation::kSync, absl::UnavailableError("EIO"), 1, ".log");
  const auto failed = log->AppendAndWait(0, Small(1), TestDeadline());
  CHECK(absl::IsUnavailable(failed.status()));
  CHECK(log->AppendAndWait(0, Small(2), TestDeadline()).value() == 1);
  CHECK(log->Stats().failed_syncs == 1);
  CHECK(ReadRecords(*log, 0, 0, 2)[1].payload == "2");
  SECTION("after a clean stop") { log = nullptr; }
  SECTION("after a power cut that happens to keep what was not synced") {
    log = nullptr;
    lossy.fs.Remove("data/events/0000/00000000000000000000.index").IgnoreError();
    lossy.fs.Crash({.seed = 3});
  }
  log = lossy.Open();
  const auto records = ReadRecords(*log, 0, 0, 2);
  CHECK(records[0].payload == "0");
  CHECK(records[1].payload == "2");
}

TEST_CASE("when not even a new file can be made after a failed sync, the outcome is unknown and said so",
          "[eventlog]") {
  Lossy lossy;
  auto log = lossy.Open();
  lossy.fs.FailNext(FileOperation::kSync, absl::UnavailableError("EIO"), 2, ".log");
  CHECK(absl::IsDeadlineExceeded(log->AppendAndWait(0, Small(1), TestDeadline()).status()));
  CHECK(log->AppendAndWait(0, Small(2), TestDeadline()).ok());
}

TEST_CASE("an append that the disk holds up is answered at its deadline", "[eventlog]") {
  Lossy lossy;
  const auto log = lossy.Open();
  const absl::Time started = absl::Now();
  // A deadline in the past is the shortest hold-up there is.
  const auto late = log->AppendAndWait(0, Small(1), started - absl::Seconds(1));
  if (!late.ok()) CHECK(absl::IsDeadlineExceeded(late.status()));
  CHECK(absl::Now() - started < absl::Seconds(10));
  CHECK(log->AppendAndWait(0, Small(2), TestDeadline()).ok());
}

TEST_CASE("retention by bytes and by age removes whole files, the oldest first", "[eventlog]") {
  Lossy lossy;
  testing::ManualClock clock;
  lossy.options.clock = &clock;
  lossy.options.segment_bytes = 4096;
  lossy.options.compress = false;
  lossy.options.retention_check = absl::Milliseconds(1);
  const auto await = [](LocalEventLog& log, int64_t segments) {
    const absl::Time deadline = TestDeadline();
    while (log.Stats().segments > segments && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));
    CHECK(log.Stats().segments == segments);
  };
  SECTION("bytes") {
    lossy.options.retention_bytes = 10'000;
    const auto log = lossy.Open();
    for (int i = 0; i < 20; ++i) REQUIRE(log->AppendAndWait(0, {"", std::string(2000, 'x')}, TestDeadline()).ok());
    await(*log, 4);
    CHECK(log->Stats().disk_bytes <= 10'000);
    CHECK(ReadRecords(*log, 0, 19, 1).size() == 1);
  }
  SECTION("age") {
    lossy.options.retention_age = absl::Hours(1);
    const auto log = lossy.Open();
    for (int i = 0; i < 3; ++i) REQUIRE(log->AppendAndWait(0, {"", std::string(4000, 'x')}, TestDeadline()).ok());
    clock.Advance(absl::Minutes(59));
    REQUIRE(log->AppendAndWait(0, {"", std::string(4000, 'x')}, TestDeadline()).ok());
    CHECK(log->Stats().segments == 4);
    clock.Advance(absl::Minutes(2));
    await(*log, 1);
    CHECK(log->Range(0, TestDeadline())->first == 3);
  }
}

TEST_CASE("a file that could not be removed is served and counted, and removed the next time", "[eventlog]") {
  Lossy lossy;
  lossy.options.segment_bytes = 4096;
  lossy.options.compress = false;
  auto log = lossy.Open();
  for (int i = 0; i < 4; ++i) REQUIRE(log->AppendAndWait(0, {"", std::string(4000, 'x')}, TestDeadline()).ok());
  lossy.fs.FailNext(FileOperation::kRemove, absl::UnavailableError("EIO"), 1, ".log");
  const absl::Status failed = log->DeleteBefore(0, 2);
  CHECK(absl::IsUnavailable(failed));
  CHECK_THAT(std::string(failed.message()), Catch::Matchers::Contains("00000000000000000000.log could not be removed"));
  CHECK(log->Stats().failed_removals == 1);
  CHECK(log->Range(0, TestDeadline())->first == 0);
  CHECK(ReadRecords(*log, 0, 0, 4).size() == 4);

  CHECK(log->DeleteBefore(0, 3).ok());
  log = nullptr;
  log = lossy.Open();
  CHECK(log->Damage().empty());
  CHECK(log->Range(0, TestDeadline())->first == 3);
}

TEST_CASE("append times never go back, whatever the wall clock does", "[eventlog]") {
  Lossy lossy;
  testing::ManualClock clock;
  lossy.options.clock = &clock;
  auto log = lossy.Open();
  REQUIRE(log->AppendAndWait(0, Small(0), TestDeadline()).ok());
  clock.SetWall(clock.Now() - absl::Hours(1));
  REQUIRE(log->AppendAndWait(0, Small(1), TestDeadline()).ok());
  log = nullptr;
  log = lossy.Open();
  REQUIRE(log->AppendAndWait(0, Small(2), TestDeadline()).ok());
  const auto records = ReadRecords(*log, 0, 0, 3);
  CHECK(records[1].append_time_us == records[0].append_time_us);
  CHECK(records[2].append_time_us == records[0].append_time_us);
}

TEST_CASE("a reader keeps its place while retention removes what it has read", "[eventlog]") {
  Lossy lossy;
  lossy.options.segment_bytes = 4096;
  const auto log = lossy.Open();
  for (int i = 0; i < 30; ++i) REQUIRE(log->AppendAndWait(0, {"", RandomText(1, 1500)}, TestDeadline()).ok());
  auto reader = log->OpenReader(0, 0);
  REQUIRE(reader.ok());
  Offset next = 0;
  while (next < 30) {
    const auto records = (*reader)->Read(1, TestDeadline());
    REQUIRE(records.ok());
    CHECK(records->front().offset == next++);
    REQUIRE(log->DeleteBefore(0, next).ok());
  }
  auto behind = log->OpenReader(0, log->Range(0, TestDeadline())->first);
  REQUIRE(behind.ok());
}

}  // namespace
}  // namespace rivermeet::eventlog
