// On librdkafka's mock cluster: what brokers answer when producers are fenced, out of order or unknown, what a cluster
// does when a broker goes, and what is left when the system gives no more threads.
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <threads.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <set>

#include "eventlog/event_log_contract.h"
#include "eventlog/kafka_event_log.h"

#if defined(__SANITIZE_THREAD__)
#define RIVERMEET_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RIVERMEET_THREAD_SANITIZER 1
#endif
#endif

#ifndef RIVERMEET_THREAD_SANITIZER
namespace {
std::atomic<bool> out_of_threads{false};
}  // namespace

// In front of the C library's, for librdkafka: what it sees when the system's limit on threads is reached.
extern "C" int thrd_create(thrd_t* thread, thrd_start_t start, void* argument) {
  static const auto real = reinterpret_cast<int (*)(thrd_t*, thrd_start_t, void*)>(dlsym(RTLD_NEXT, "thrd_create"));
  return out_of_threads ? static_cast<int>(thrd_error) : real(thread, start, argument);
}
#endif

namespace rivermeet::eventlog {
namespace {

constexpr int16_t kProduceRequest = 0;
constexpr int16_t kInitProducerIdRequest = 22;

class MockCluster {
 public:
  explicit MockCluster(int brokers) {
    char error[256];
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    REQUIRE(client_ != nullptr);
    cluster_ = rd_kafka_mock_cluster_new(client_, brokers);
    REQUIRE(cluster_ != nullptr);
    REQUIRE(rd_kafka_mock_topic_create(cluster_, "events", 2, brokers) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_mock_partition_set_leader(cluster_, "events", 0, 1);
    rd_kafka_mock_partition_set_leader(cluster_, "events", 1, brokers);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }

  rd_kafka_mock_cluster_t* get() { return cluster_; }

  std::unique_ptr<KafkaEventLog> Open() {
    KafkaEventLogOptions options;
    options.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    options.partitions = 2;
    options.delivery_timeout = absl::Seconds(2);
    options.state_interval = absl::Milliseconds(50);
    auto log = KafkaEventLog::Open(options);
    INFO(log.status().ToString());
    REQUIRE(log.ok());
    return std::move(log).value();
  }

 private:
  rd_kafka_t* client_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

// Appends until one succeeds; true when that was in time.
bool ComesBack(EventLog& log, PartitionId partition) {
  const absl::Time deadline = TestDeadline();
  while (absl::Now() < deadline) {
    if (log.AppendAndWait(partition, {"", "back"}, absl::Now() + absl::Seconds(5)).ok()) return true;
  }
  return false;
}

TEST_CASE("after a fatal answer the producer is made anew, its records' outcome is unknown, and appends go on",
          "[kafka]") {
  const rd_kafka_resp_err_t error =
      GENERATE(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
               RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
  INFO(rd_kafka_err2name(error));
  MockCluster cluster(1);
  const auto log = cluster.Open();
  REQUIRE(log->AppendAndWait(0, {"", "first"}, TestDeadline()).ok());
  rd_kafka_mock_push_request_errors(cluster.get(), kProduceRequest, 1, error);
  const auto answer = log->AppendAndWait(0, {"", "unclear"}, TestDeadline());
  INFO(answer.status().ToString());
  // Either librdkafka could prove that nothing was written and tried again, or nobody knows.
  if (!answer.ok()) {
    CHECK((absl::IsDeadlineExceeded(answer.status()) || absl::IsUnavailable(answer.status())));
    CHECK(ComesBack(*log, 0));
  }
  if (absl::IsDeadlineExceeded(answer.status())) CHECK(log->Stats().producers_made == 2);
  CHECK(ComesBack(*log, 1));
  CHECK(log->Stats().queued_bytes == 0);
}

TEST_CASE("a producer that the system has no threads for is made once it has, or never when the log is closed first",
          "[kafka]") {
#ifdef RIVERMEET_THREAD_SANITIZER
  WARN("not run: the sanitizer's programs have a thrd_create of their own");
#else
  MockCluster cluster(1);
  auto log = cluster.Open();
  out_of_threads = true;
  rd_kafka_mock_push_request_errors(cluster.get(), kProduceRequest, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  CHECK(absl::IsDeadlineExceeded(log->AppendAndWait(0, {"", "unclear"}, TestDeadline()).status()));
  SECTION("once it has") {
    CHECK(absl::IsUnavailable(log->AppendAndWait(0, {"", "refused"}, TestDeadline()).status()));
    out_of_threads = false;
    CHECK(ComesBack(*log, 0));
    CHECK(log->Stats().producers_made == 2);
  }
  SECTION("closed first") {
    log = nullptr;
    out_of_threads = false;
  }
#endif
}

TEST_CASE("a broker that drops the connection after it took the records leaves none unanswered", "[kafka]") {
  MockCluster cluster(1);
  const auto log = cluster.Open();
  rd_kafka_mock_push_request_errors(cluster.get(), kProduceRequest, 3, RD_KAFKA_RESP_ERR__TRANSPORT,
                                    RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TRANSPORT);
  AppendOutcomes outcomes;
  for (size_t i = 0; i < 100; ++i) log->Append(0, {"", RandomText(i, 100)}, TestDeadline(), outcomes.Expect(i));
  const auto ended = outcomes.Wait();
  REQUIRE(ended.size() == 100);
  for (const auto& [i, results] : ended) CHECK(results.size() == 1);
  CHECK(ComesBack(*log, 0));
}

TEST_CASE("a producer id that the cluster does not give at first is asked for again", "[kafka]") {
  MockCluster cluster(1);
  rd_kafka_mock_push_request_errors(cluster.get(), kInitProducerIdRequest, 2,
                                    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
  const auto log = cluster.Open();
  CHECK(ComesBack(*log, 0));
}

TEST_CASE("with one broker of three gone, its partitions are UNAVAILABLE and the others go on", "[kafka]") {
  MockCluster cluster(3);
  const auto log = cluster.Open();
  REQUIRE(log->AppendAndWait(0, {"", "x"}, TestDeadline()).ok());
  REQUIRE(log->AppendAndWait(1, {"", "x"}, TestDeadline()).ok());
  REQUIRE(rd_kafka_mock_broker_set_down(cluster.get(), 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
  absl::StatusOr<Offset> lost = 0;
  const absl::Time deadline = TestDeadline();
  while (!absl::IsUnavailable(lost.status()) && absl::Now() < deadline) {
    lost = log->AppendAndWait(0, {"", "y"}, absl::Now() + absl::Seconds(5));
  }
  CHECK(absl::IsUnavailable(lost.status()));
  CHECK(ComesBack(*log, 1));
  SECTION("until the broker is back") {
    REQUIRE(rd_kafka_mock_broker_set_up(cluster.get(), 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    CHECK(ComesBack(*log, 0));
  }
  SECTION("until another one leads the partition") {
    rd_kafka_mock_partition_set_leader(cluster.get(), "events", 0, 2);
    CHECK(ComesBack(*log, 0));
  }
}

TEST_CASE("no acknowledged record is missing whatever the brokers answer", "[kafka]") {
  MockCluster cluster(1);
  const auto log = cluster.Open();
  const rd_kafka_resp_err_t errors[] = {
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT,
      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND};
  std::map<Offset, std::string> acknowledged;
  int attempts = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  for (int round = 0; round < 10; ++round) {
    rd_kafka_mock_push_request_errors(cluster.get(), kProduceRequest, 1, errors[round % 5]);
    for (size_t good = 0; good < 5 && absl::Now() < deadline;) {
      const std::string header = std::to_string(++attempts);
      const auto offset = log->AppendAndWait(0, {header, ""}, absl::Now() + absl::Seconds(5));
      if (!offset.ok()) continue;
      acknowledged[*offset] = header;
      ++good;
    }
  }
  REQUIRE(ComesBack(*log, 0));
  CHECK(acknowledged.size() == 50);
  std::map<Offset, std::string> found;
  auto reader = log->OpenReader(0, 0);
  REQUIRE(reader.ok());
  while (found.empty() || found.rbegin()->first < acknowledged.rbegin()->first) {
    const auto records = (*reader)->Read(1 << 20, TestDeadline());
    REQUIRE(records.ok());
    REQUIRE_FALSE(records->empty());
    for (const LogRecord& record : *records) found[record.offset] = record.header;
  }
  for (const auto& [offset, header] : acknowledged) {
    REQUIRE(found.contains(offset));
    CHECK(found[offset] == header);
  }
}

}  // namespace
}  // namespace rivermeet::eventlog
