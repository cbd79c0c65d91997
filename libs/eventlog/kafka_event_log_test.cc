// Against a real broker: tools/setup --kafka brings it.
#include "eventlog/kafka_event_log.h"

#include <catch2/catch.hpp>
#include <set>

#include "eventlog/event_log_contract.h"
#include "testing/kafka_broker.h"
#include "testing/temp_dir.h"

namespace rivermeet::eventlog {
namespace {

using testing::KafkaBroker;
using testing::TempDir;

// One broker for all tests of this program, brought back up when one has killed it.
KafkaBroker& Broker() {
  static const TempDir folder;
  static std::unique_ptr<KafkaBroker> broker;
  if (broker == nullptr) {
    auto started = KafkaBroker::Start(folder.path());
    INFO(started.status().ToString());
    REQUIRE(started.ok());
    broker = std::move(started).value();
  }
  if (broker->pid() < 0) REQUIRE(broker->Restart().ok());
  return *broker;
}

KafkaEventLogOptions Options() {
  static int topics = 0;
  KafkaEventLogOptions options;
  options.brokers = Broker().address();
  options.topic = "events-" + std::to_string(++topics);
  options.partitions = 2;
  return options;
}

std::unique_ptr<KafkaEventLog> Open(const KafkaEventLogOptions& options) {
  auto log = KafkaEventLog::Open(options);
  INFO(log.status().ToString());
  REQUIRE(log.ok());
  return std::move(log).value();
}

class KafkaFixture final : public EventLogFixture {
 public:
  KafkaFixture() : options_(Options()) { Reopen(); }
  EventLog& log() override { return *log_; }
  void Reopen() override {
    log_ = nullptr;
    log_ = Open(options_);
  }

 private:
  const KafkaEventLogOptions options_;
  std::unique_ptr<KafkaEventLog> log_;
};

TEST_CASE("the log on Kafka keeps the contract of every log", "[kafka]") {
  KafkaFixture fixture;
  CheckEventLogContract(fixture);
}

TEST_CASE("topics are logs of their own", "[kafka]") {
  CHECK(Open(Options())->identity() != Open(Options())->identity());
}

TEST_CASE("every compression carries every record", "[kafka]") {
  for (const char* const compression : {"lz4", "zstd", "none"}) {
    KafkaEventLogOptions options = Options();
    options.compression = compression;
    const auto log = Open(options);
    REQUIRE(log->AppendAndWait(1, {"h", std::string(300'000, 'x')}, TestDeadline()).ok());
    CHECK(ReadRecords(*log, 1, 0, 1).front().payload.size() == 300'000);
  }
}

TEST_CASE("opening says what is wrong with the brokers, the topic or a setting", "[kafka]") {
  KafkaEventLogOptions options = Options();
  Open(options);
  options.partitions = 3;
  CHECK(KafkaEventLog::Open(options).status().code() == absl::StatusCode::kFailedPrecondition);
  options = Options();
  options.settings["no.such.setting"] = "1";
  const auto refused = KafkaEventLog::Open(options);
  CHECK(absl::IsInvalidArgument(refused.status()));
  CHECK(refused.status().ToString().find("no.such.setting") != std::string::npos);
  options = Options();
  options.topic_settings["max.message.bytes"] = "100000";
  const auto small = KafkaEventLog::Open(options);
  CHECK(small.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(small.status().ToString().find("max.message.bytes") != std::string::npos);
  options = Options();
  options.brokers = "127.0.0.1:1";
  options.open_timeout = absl::Milliseconds(500);
  CHECK(absl::IsUnavailable(KafkaEventLog::Open(options).status()));
}

TEST_CASE("the producer is idempotent, so that no setting can ask for fewer acknowledgements", "[kafka]") {
  KafkaEventLogOptions options = Options();
  options.settings["acks"] = "all";
  CHECK(KafkaEventLog::Open(options).ok());
  options.settings["acks"] = "1";
  CHECK(absl::IsInvalidArgument(KafkaEventLog::Open(options).status()));
}

// Appends until the log answers `wanted`, and says how long that took; the last answer is returned.
absl::StatusOr<Offset> AppendUntil(EventLog& log, bool ok) {
  absl::StatusOr<Offset> last;
  const absl::Time deadline = TestDeadline();
  do {
    last = log.AppendAndWait(0, {"", "x"}, absl::Now() + absl::Seconds(5));
  } while (last.ok() != ok && absl::Now() < deadline);
  return last;
}

TEST_CASE("a killed broker means UNAVAILABLE at once, nothing kept for later, and no acknowledged record lost",
          "[kafka]") {
  const auto log = Open(Options());
  std::set<Offset> acknowledged;
  for (int i = 0; i < 100; ++i) {
    acknowledged.insert(log->AppendAndWait(0, {std::to_string(i), RandomText(1, 1000)}, TestDeadline()).value());
  }
  AppendOutcomes outcomes;
  for (size_t i = 0; i < 200; ++i)
    log->Append(0, {"unclear", RandomText(2, 20'000)}, TestDeadline(), outcomes.Expect(i));
  KafkaBroker& broker = Broker();
  broker.Kill();
  const auto refused = AppendUntil(*log, false);
  const auto ended = outcomes.Wait();
  REQUIRE(ended.size() == 200);
  for (const auto& [i, results] : ended) {
    REQUIRE(results.size() == 1);
    if (results[0].ok()) acknowledged.insert(*results[0]);
    if (!results[0].ok() && !absl::IsUnavailable(results[0].status())) {
      CHECK(absl::IsDeadlineExceeded(results[0].status()));
    }
  }
  CHECK_FALSE(refused.ok());
  const absl::Time before = absl::Now();
  size_t unavailable = 0;
  for (int i = 0; i < 20; ++i) {
    unavailable += absl::IsUnavailable(log->AppendAndWait(0, {"refused", ""}, absl::Now() + absl::Seconds(5)).status());
  }
  CHECK(unavailable == 20);
  CHECK(absl::Now() - before < absl::Seconds(2));
  CHECK(log->Stats().queued_bytes == 0);
  CHECK(absl::IsUnavailable(log->Range(0, absl::Now() + absl::Seconds(1)).status()));

  REQUIRE(broker.Restart().ok());
  const auto back = AppendUntil(*log, true);
  INFO(back.status().ToString());
  REQUIRE(back.ok());
  acknowledged.insert(*back);
  const auto range = log->Range(0, TestDeadline());
  REQUIRE(range.ok());
  std::set<Offset> found;
  auto reader = log->OpenReader(0, 0);
  while (found.empty() || *found.rbegin() < *back) {
    const auto records = (*reader)->Read(1 << 20, TestDeadline());
    REQUIRE(records.ok());
    REQUIRE_FALSE(records->empty());
    for (const LogRecord& record : *records) {
      found.insert(record.offset);
      CHECK(record.header != "refused");
    }
  }
  for (const Offset offset : acknowledged) CHECK(found.contains(offset));
}

TEST_CASE("a broker that hangs is noticed within the delivery time-out, and deadlines hold", "[kafka]") {
  KafkaEventLogOptions options = Options();
  options.delivery_timeout = absl::Seconds(1);
  const auto log = Open(options);
  REQUIRE(log->AppendAndWait(0, {"", "x"}, TestDeadline()).ok());
  KafkaBroker& broker = Broker();
  broker.Pause();
  const absl::Time started = absl::Now();
  const auto late = log->AppendAndWait(0, {"", "y"}, started + absl::Milliseconds(300));
  const absl::Duration took = absl::Now() - started;
  CHECK(absl::IsDeadlineExceeded(late.status()));
  CHECK(took < absl::Milliseconds(2000));
  const auto given_up = log->AppendAndWait(0, {"", "z"}, TestDeadline());
  CHECK_FALSE(given_up.ok());
  broker.Resume();
  CHECK(AppendUntil(*log, true).ok());
  CHECK(log->Stats().producers_made >= 2);
}

}  // namespace
}  // namespace rivermeet::eventlog
