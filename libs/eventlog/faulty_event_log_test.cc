#include "eventlog/faulty_event_log.h"

#include <catch2/catch.hpp>

#include "eventlog/event_log_contract.h"
#include "eventlog/local_event_log.h"
#include "testing/lossy_file_system.h"

namespace rivermeet::eventlog {
namespace {

class FaultyFixture final : public EventLogFixture {
 public:
  explicit FaultyFixture(LogFaults faults) : faults_(faults) { Reopen(); }
  FaultyEventLog& log() override { return *log_; }
  void Reopen() override {
    log_ = nullptr;
    LocalEventLogOptions options;
    options.folder = "data";
    options.partitions = 2;
    options.segment_bytes = 16 << 10;
    options.fs = &fs_;
    auto local = LocalEventLog::Open(options);
    REQUIRE(local.ok());
    log_ = std::make_unique<FaultyEventLog>(std::move(local).value(), 7, faults_);
  }

 private:
  const LogFaults faults_;
  testing::LossyFileSystem fs_;
  std::unique_ptr<FaultyEventLog> log_;
};

TEST_CASE("a faulty log without faults keeps the contract of every log", "[eventlog]") {
  FaultyFixture fixture({});
  CheckEventLogContract(fixture);
}

TEST_CASE("each fault does to the log and to the answer what it says", "[eventlog]") {
  LogFaults faults;
  faults.unavailable = faults.unclear_done = faults.unclear_lost = faults.duplicated = 0.2;
  faults.delayed = 0.3;
  FaultyFixture fixture(faults);
  std::map<std::string, absl::StatusCode> answers;
  for (int i = 0; i < 400; ++i) {
    const auto offset = fixture.log().AppendAndWait(0, {std::to_string(i), ""}, TestDeadline());
    answers[std::to_string(i)] = offset.status().code();
  }
  std::map<std::string, int> found;
  const Offset end = fixture.log().Range(0, TestDeadline())->end;
  for (const LogRecord& record : ReadRecords(fixture.log(), 0, 0, static_cast<size_t>(end))) ++found[record.header];
  std::map<std::pair<absl::StatusCode, int>, int> cases;
  for (const auto& [header, code] : answers) ++cases[{code, found[header]}];
  const auto count = [&](absl::StatusCode code, int times) { return cases[{code, times}]; };
  CHECK(count(absl::StatusCode::kOk, 1) > 20);
  CHECK(count(absl::StatusCode::kOk, 2) > 20);
  CHECK(count(absl::StatusCode::kUnavailable, 0) > 20);
  CHECK(count(absl::StatusCode::kDeadlineExceeded, 0) > 20);
  CHECK(count(absl::StatusCode::kDeadlineExceeded, 1) > 20);
  CHECK(count(absl::StatusCode::kOk, 0) == 0);
  CHECK(count(absl::StatusCode::kUnavailable, 1) == 0);
  CHECK(fixture.log().injected() > 200);
}

TEST_CASE("a failed read leaves the position, and healing makes the log whole", "[eventlog]") {
  FaultyFixture fixture({});
  for (int i = 0; i < 50; ++i) REQUIRE(fixture.log().AppendAndWait(0, {std::to_string(i), ""}, TestDeadline()).ok());
  LogFaults faults;
  faults.read_unavailable = 0.5;
  fixture.log().SetFaults(faults);
  auto reader = fixture.log().OpenReader(0, 0);
  REQUIRE(reader.ok());
  Offset next = 0;
  int failed = 0;
  while (next < 50) {
    const auto records = (*reader)->Read(1, TestDeadline());
    failed += absl::IsUnavailable(records.status());
    if (!records.ok()) continue;
    CHECK(records->front().offset == next++);
  }
  CHECK(failed > 5);
  fixture.log().SetFaults({});
  CHECK(ReadRecords(fixture.log(), 0, 0, 50).size() == 50);
}

}  // namespace
}  // namespace rivermeet::eventlog
