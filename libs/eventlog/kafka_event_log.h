// The event log as a topic of Apache Kafka, through librdkafka.
#ifndef RIVERMEET_EVENTLOG_KAFKA_EVENT_LOG_H_
#define RIVERMEET_EVENTLOG_KAFKA_EVENT_LOG_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "eventlog/event_log.h"

namespace rivermeet::eventlog {

struct KafkaEventLogOptions {
  std::string brokers;           // "host:port", several separated by commas
  std::string topic = "events";  // made when missing
  uint32_t partitions = 4;

  // Of the topic when it is made.
  int replication_factor = 1;
  int min_insync_replicas = 1;
  std::map<std::string, std::string> topic_settings;  // for example retention.ms

  std::string compression = "lz4";  // lz4, zstd or none
  // An append that finds so many bytes not yet acknowledged is refused. At least one record is always taken.
  int64_t max_queue_bytes = 64 << 20;
  absl::Duration linger = absl::Milliseconds(1);
  // What the brokers have not acknowledged by then is given up.
  absl::Duration delivery_timeout = absl::Seconds(3);
  // How often the brokers' state is looked at; so long may an append be queued for a broker that is gone.
  absl::Duration state_interval = absl::Milliseconds(200);
  // Bytes that one reader fetches ahead.
  int64_t read_ahead_bytes = 64 << 20;
  absl::Duration open_timeout = absl::Seconds(10);
  // Further librdkafka properties, for example of TLS and SASL; they win.
  std::map<std::string, std::string> settings;
};

namespace internal {
struct Counters;
class KafkaHandle;
class KafkaProducer;
class TimerThread;
}  // namespace internal

// Idempotent producer, acks=all, partitions by hand, no consumer groups, no transactions. docs/formats/event-log.md
// says how header and payload are framed in the Kafka value; offsets are Kafka's and may have gaps.
//
// An append answers UNAVAILABLE at once while the leader of its partition is not connected, and nothing is kept for
// later. After a send with an unclear outcome, or a fatal error of the producer (fenced, out-of-order sequence), the
// producer is destroyed and made anew; its unclear records are answered with DEADLINE_EXCEEDED.
class KafkaEventLog final : public EventLog {
 public:
  // Connects, and makes the topic when it is missing.
  //
  // Errors:
  //   INVALID_ARGUMENT     An option or setting is wrong; the message names it.
  //   FAILED_PRECONDITION  The topic has another number of partitions, or takes too small messages.
  //   UNAVAILABLE          No broker answers within `open_timeout`.
  static absl::StatusOr<std::unique_ptr<KafkaEventLog>> Open(KafkaEventLogOptions options);
  ~KafkaEventLog() override;

  uint32_t partitions() const override;
  // Of cluster and topic; Kafka's API tells a topic from a later one of the same name by its offsets only.
  std::string identity() const override { return identity_; }
  void Append(PartitionId partition, Record record, absl::Time deadline, Done done) override;
  absl::StatusOr<std::unique_ptr<LogReader>> OpenReader(PartitionId partition, Offset from) override;
  absl::StatusOr<OffsetRange> Range(PartitionId partition, absl::Time deadline) override;
  absl::Status DeleteBefore(PartitionId partition, Offset offset) override;
  LogStats Stats() const override;
  void Stop(absl::Time deadline) override;

 private:
  KafkaEventLog(KafkaEventLogOptions options, std::unique_ptr<internal::KafkaHandle> client);

  absl::Status CheckPartition(PartitionId partition) const;
  absl::Status WaitAvailable(absl::Time deadline);
  absl::Status Send(PartitionId partition, const Record& record, absl::Time deadline, Done& done);
  // The producer, which is not destroyed before Return(); null when there is none.
  internal::KafkaProducer* Borrow();
  void Return();
  // Makes a producer; none once stopped.
  absl::Status MakeProducer();
  // Takes the producer away, once nobody has borrowed it any more.
  std::unique_ptr<internal::KafkaProducer> TakeProducer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Replaces `unclear`, when it is still the present one.
  void Renew(const internal::KafkaProducer* unclear);
  void Refuse(Done done, absl::Status status);

  const KafkaEventLogOptions options_;
  const std::unique_ptr<internal::Counters> counters_;
  const std::unique_ptr<internal::KafkaHandle> client_;  // for everything but messages
  std::string identity_;
  Mutex mutex_;
  CondVar unused_;
  std::unique_ptr<internal::KafkaProducer> producer_ ABSL_GUARDED_BY(mutex_);
  int borrowed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<internal::TimerThread> timer_;    // deadlines and refusals
  std::unique_ptr<internal::TimerThread> renewer_;  // takes as long as producers take to end
};

}  // namespace rivermeet::eventlog

#endif  // RIVERMEET_EVENTLOG_KAFKA_EVENT_LOG_H_
