#ifndef RIVERMEET_EVENTLOG_INTERNAL_KAFKA_LOG_READER_H_
#define RIVERMEET_EVENTLOG_INTERNAL_KAFKA_LOG_READER_H_

#include <atomic>
#include <memory>
#include <vector>

#include "eventlog/internal/counters.h"
#include "eventlog/internal/kafka_handle.h"

namespace rivermeet::eventlog::internal {

// A consumer of one partition, without a group: its position is its caller's.
class KafkaLogReader final : public LogReader {
 public:
  // `range` is what the partition holds now, and `from` is not below it.
  static absl::StatusOr<std::unique_ptr<KafkaLogReader>> Open(const KafkaEventLogOptions& options, KafkaHandle& client,
                                                              Counters& counters, PartitionId partition, Offset from,
                                                              OffsetRange range);
  ~KafkaLogReader() override;

  absl::StatusOr<std::vector<LogRecord>> Read(size_t max_bytes, absl::Time deadline) override;
  void Cancel() override;

 private:
  KafkaLogReader(KafkaHandle& client, Counters& counters, PartitionId partition, Offset from)
      : client_(client), counters_(counters), partition_(partition), next_(from) {}

  absl::Status Explain(const rd_kafka_message_t& message);

  KafkaHandle& client_;
  Counters& counters_;
  const PartitionId partition_;
  Offset next_;  // records below it are not returned
  std::atomic<bool> cancelled_{false};
  absl::Status failed_;
  KafkaInstance consumer_;
  KafkaTopic topic_;
  KafkaQueue queue_;
  bool started_ = false;
};

}  // namespace rivermeet::eventlog::internal

#endif  // RIVERMEET_EVENTLOG_INTERNAL_KAFKA_LOG_READER_H_
