// librdkafka's C API as owned values and statuses.
#ifndef RIVERMEET_EVENTLOG_INTERNAL_KAFKA_HANDLE_H_
#define RIVERMEET_EVENTLOG_INTERNAL_KAFKA_HANDLE_H_

#include <librdkafka/rdkafka.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "eventlog/kafka_event_log.h"

namespace rivermeet::eventlog::internal {

template <auto kDestroy>
struct KafkaDeleter {
  template <typename T>
  void operator()(T* object) const {
    kDestroy(object);
  }
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaDeleter<rd_kafka_conf_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaDeleter<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaDeleter<rd_kafka_queue_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaDeleter<rd_kafka_message_destroy>>;
using KafkaInstance = std::unique_ptr<rd_kafka_t, KafkaDeleter<rd_kafka_destroy>>;

using KafkaSettings = std::map<std::string, std::string>;

// A configuration with what all our clients share, then `settings`, then the options' own settings.
//
// Errors:
//   INVALID_ARGUMENT  librdkafka refuses a setting; the message names it.
absl::StatusOr<KafkaConf> MakeKafkaConf(const KafkaEventLogOptions& options, const KafkaSettings& settings);
absl::StatusOr<KafkaInstance> MakeKafkaInstance(rd_kafka_type_t type, KafkaConf conf);

// An error of librdkafka or a broker as UNAVAILABLE, but for the few that are the caller's to mend.
absl::Status KafkaError(std::string_view what, rd_kafka_resp_err_t error);

// Milliseconds until `deadline`, 1 to `most`.
int KafkaTimeout(absl::Time deadline, absl::Duration most = absl::Seconds(60));

// A client that asks brokers about a topic and changes it. Thread-safe; every function blocks until its deadline.
class KafkaHandle {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaHandle>> Open(const KafkaEventLogOptions& options);

  // Makes the topic when it is missing, else checks it.
  absl::Status PrepareTopic(absl::Time deadline);
  absl::StatusOr<std::string> ClusterId(absl::Time deadline);
  absl::StatusOr<OffsetRange> Range(PartitionId partition, absl::Time deadline);
  absl::Status DeleteBefore(PartitionId partition, Offset offset, absl::Time deadline);

 private:
  // The last failure of a connection.
  struct Failure {
    Mutex mutex;
    std::string text ABSL_GUARDED_BY(mutex);
  };

  KafkaHandle(const KafkaEventLogOptions& options, std::unique_ptr<Failure> failure, KafkaInstance client)
      : options_(options), failure_(std::move(failure)), client_(std::move(client)) {}

  static void OnLog(const rd_kafka_t* client, int level, const char* facility, const char* text);

  // The topic's number of partitions, 0 when there is no such topic.
  absl::StatusOr<int> CountPartitions(absl::Time deadline);
  absl::Status CreateTopic(absl::Time deadline);
  absl::Status CheckMessageSize(absl::Time deadline);
  absl::StatusOr<Offset> OffsetAt(PartitionId partition, int64_t time, absl::Time deadline);
  // `error` with why the brokers could not be reached: a refused password, an unknown authority.
  absl::Status WithReason(const absl::Status& error);

  const KafkaEventLogOptions options_;
  const std::unique_ptr<Failure> failure_;  // outlives the client, whose threads write to it
  const KafkaInstance client_;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_KAFKA_HANDLE_H_
