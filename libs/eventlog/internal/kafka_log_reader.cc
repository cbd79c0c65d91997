#include "eventlog/internal/kafka_log_reader.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "eventlog/internal/kafka_frame.h"

namespace rivermeet::eventlog::internal {
namespace {

constexpr int64_t kFetchBytes = 8 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaLogReader>> KafkaLogReader::Open(const KafkaEventLogOptions& options,
                                                                     KafkaHandle& client, Counters& counters,
                                                                     PartitionId partition, Offset from,
                                                                     OffsetRange range) {
  std::unique_ptr<KafkaLogReader> reader(new KafkaLogReader(client, counters, partition, from));
  RM_ASSIGN_OR_RETURN(
      KafkaConf conf,
      MakeKafkaConf(options, {{"auto.offset.reset", "error"},
                              {"enable.partition.eof", "false"},
                              {"fetch.min.bytes", "1"},
                              {"fetch.wait.max.ms", "500"},
                              {"fetch.error.backoff.ms", "50"},
                              {"fetch.message.max.bytes", std::to_string(kFetchBytes)},
                              {"fetch.max.bytes", std::to_string(kFetchBytes)},
                              {"receive.message.max.bytes", std::to_string(kFetchBytes + (2 << 20))},
                              {"queued.min.messages", "1000000"},
                              {"queued.max.messages.kbytes", std::to_string(options.read_ahead_bytes / 1024)}}));
  RM_ASSIGN_OR_RETURN(reader->consumer_, MakeKafkaInstance(RD_KAFKA_CONSUMER, std::move(conf)));
  reader->topic_.reset(rd_kafka_topic_new(reader->consumer_.get(), options.topic.c_str(), nullptr));
  reader->queue_.reset(rd_kafka_queue_new(reader->consumer_.get()));
  // An offset beyond the end is an error to Kafka; the records before it are dropped here instead.
  const Offset start = std::min(from, range.end);
  if (rd_kafka_consume_start_queue(reader->topic_.get(), static_cast<int32_t>(partition), start,
                                   reader->queue_.get()) != 0) {
    return KafkaError(fmt::format("reading partition {}", partition), rd_kafka_last_error());
  }
  reader->started_ = true;
  return reader;
}

KafkaLogReader::~KafkaLogReader() {
  if (started_) rd_kafka_consume_stop(topic_.get(), static_cast<int32_t>(partition_));
  // In this order: the instance waits for what belongs to it.
  queue_ = nullptr;
  topic_ = nullptr;
  consumer_ = nullptr;
}

void KafkaLogReader::Cancel() {
  cancelled_ = true;
  rd_kafka_queue_yield(queue_.get());
}

absl::Status KafkaLogReader::Explain(const rd_kafka_message_t& message) {
  const char* const detail = rd_kafka_message_errstr(&message);
  const absl::Status error = KafkaError(
      fmt::format("reading partition {} at offset {}: {}", partition_, next_, detail == nullptr ? "" : detail),
      message.err);
  if (message.err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && message.err != RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return error;
  }
  const absl::StatusOr<OffsetRange> range = client_.Range(partition_, absl::Now() + absl::Seconds(1));
  if (!range.ok()) return error;
  // The consumer has stopped for good; the caller opens another one.
  if (next_ < range->first) {
    failed_ = absl::OutOfRangeError(fmt::format("retention removed offset {} of partition {}; the first one left is {}",
                                                next_, partition_, range->first));
  } else {
    failed_ =
        absl::DataLossError(fmt::format("partition {} ends at {} and had been read up to {}: a leader was elected "
                                        "that had not all acknowledged records",
                                        partition_, range->end, next_));
  }
  return failed_;
}

absl::StatusOr<std::vector<LogRecord>> KafkaLogReader::Read(size_t max_bytes, absl::Time deadline) {
  std::vector<LogRecord> records;
  size_t bytes = 0;
  while (records.empty() || bytes < max_bytes) {
    if (cancelled_) return absl::CancelledError("the reader was cancelled");
    RM_RETURN_IF_ERROR(failed_);
    // The first is waited for; of the others, those that are here already are taken.
    const absl::Duration left = deadline - absl::Now();
    const bool wait = records.empty() && left > absl::ZeroDuration();
    const KafkaMessage message(
        rd_kafka_consume_queue(queue_.get(), wait ? KafkaTimeout(deadline, absl::Seconds(1)) : 0));
    if (message == nullptr) {
      if (!wait) break;
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const absl::Status error = Explain(*message);
      if (records.empty()) return error;
      break;
    }
    if (message->offset < next_) continue;
    const std::string_view value(static_cast<const char*>(message->payload), message->len);
    std::optional<LogRecord> record = DecodeKafkaValue(message->offset, value);
    if (!record) {
      failed_ = absl::DataLossError(fmt::format(
          "partition {} offset {}: the value is not a record of this log, or damaged", partition_, message->offset));
      Counters::Add(counters_.damaged_segments, 1);
      if (records.empty()) return failed_;
      break;
    }
    bytes += record->header.size() + record->payload.size();
    next_ = record->offset + 1;
    records.push_back(*std::move(record));
  }
  Counters::Add(counters_.read_records, static_cast<int64_t>(records.size()));
  Counters::Add(counters_.read_bytes, static_cast<int64_t>(bytes));
  return records;
}

}  // namespace rivermeet::eventlog::internal
