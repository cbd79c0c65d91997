// One idempotent producer and the thread that hears from it.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_KAFKA_PRODUCER_H_
#define RIVERMEET_EVENTLOG_INTERNAL_KAFKA_PRODUCER_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/mutex.h"
#include "eventlog/internal/kafka_handle.h"
#include "eventlog/internal/waiters.h"

namespace rivermeet::eventlog::internal {

// Thread-safe.
class KafkaProducer {
 public:
  // `on_unclear` is called, on the producer's thread and perhaps often, once nothing more should be sent through it.
  static absl::StatusOr<std::unique_ptr<KafkaProducer>> Open(const KafkaEventLogOptions& options, Counters& counters,
                                                             TimerThread& timer,
                                                             absl::AnyInvocable<void(const KafkaProducer*)> on_unclear);
  // Gives up what is not acknowledged: each record that was perhaps sent is answered with DEADLINE_EXCEEDED.
  ~KafkaProducer();

  // Whether the partition's leader is connected.
  bool Available(PartitionId partition) const { return available_[partition]; }
  // Whether all leaders are, waiting until `deadline`.
  bool WaitAvailable(absl::Time deadline);
  // What the client said last about why not.
  std::string LastError() const;

  // Takes the record and `done`, or answers why not and leaves `done` alone.
  absl::Status Send(PartitionId partition, const Record& record, absl::Time deadline, EventLog::Done& done);

  // Waits until all is acknowledged or given up.
  void Flush(absl::Time deadline);

 private:
  KafkaProducer(const KafkaEventLogOptions& options, Counters& counters, TimerThread& timer,
                absl::AnyInvocable<void(const KafkaProducer*)> on_unclear);

  static void OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);
  static void OnError(rd_kafka_t*, int error, const char* reason, void* self);
  static int OnStatistics(rd_kafka_t*, char* json, size_t size, void* self);
  void Delivered(const rd_kafka_message_t& message);
  void ReadStatistics(std::string_view json);
  void Poll();
  void MarkUnclear();

  const KafkaEventLogOptions options_;
  Counters& counters_;
  const std::shared_ptr<Waiters> waiters_;
  absl::AnyInvocable<void(const KafkaProducer*)> on_unclear_;  // the polling thread's
  KafkaInstance client_;
  KafkaTopic topic_;
  std::vector<std::atomic<bool>> available_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> unclear_{false};
  mutable Mutex mutex_;
  CondVar changed_;
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_KAFKA_PRODUCER_H_
