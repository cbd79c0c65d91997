#include "eventlog/internal/kafka_handle.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "eventlog/internal/kafka_frame.h"

namespace rivermeet::eventlog::internal {
namespace {

using KafkaOptions = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaDeleter<rd_kafka_AdminOptions_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaDeleter<rd_kafka_event_destroy>>;
using KafkaNewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDeleter<rd_kafka_NewTopic_destroy>>;
using KafkaConfig = std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDeleter<rd_kafka_ConfigResource_destroy>>;
using KafkaDelete = std::unique_ptr<rd_kafka_DeleteRecords_t, KafkaDeleter<rd_kafka_DeleteRecords_destroy>>;
using KafkaPartitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, KafkaDeleter<rd_kafka_topic_partition_list_destroy>>;

using ErrorText = std::array<char, 512>;

// What librdkafka would write to standard error; what matters of it comes back as errors.
void DropLog(const rd_kafka_t*, int, const char*, const char*) {}

KafkaOptions AdminOptions(rd_kafka_t* client, rd_kafka_admin_op_t operation, absl::Time deadline) {
  KafkaOptions options(rd_kafka_AdminOptions_new(client, operation));
  ErrorText text;
  rd_kafka_AdminOptions_set_request_timeout(options.get(), KafkaTimeout(deadline), text.data(), text.size());
  return options;
}

// The answer to an admin request whose answer comes to `queue`.
absl::StatusOr<KafkaEvent> AwaitAnswer(rd_kafka_queue_t* queue, std::string_view what, absl::Time deadline) {
  KafkaEvent event(rd_kafka_queue_poll(queue, KafkaTimeout(deadline) + 100));
  if (event == nullptr) return absl::UnavailableError(fmt::format("{}: no answer in time", what));
  if (const auto error = rd_kafka_event_error(event.get())) return KafkaError(what, error);
  return event;
}

}  // namespace

int KafkaTimeout(absl::Time deadline, absl::Duration most) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 1, absl::ToInt64Milliseconds(most)));
}

absl::Status KafkaError(std::string_view what, rd_kafka_resp_err_t error) {
  const std::string message = fmt::format("{}: {} ({})", what, rd_kafka_err2str(error), rd_kafka_err2name(error));
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return absl::PermissionDeniedError(message);
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
      return absl::InvalidArgumentError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::StatusOr<KafkaConf> MakeKafkaConf(const KafkaEventLogOptions& options, const KafkaSettings& settings) {
  KafkaSettings all = {
      {"bootstrap.servers", options.brokers},
      {"client.id", "rivermeet"},
      {"message.max.bytes", std::to_string(kMaxKafkaMessageBytes)},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      // Back within half a second once the broker is.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"topic.metadata.refresh.fast.interval.ms", "100"},
      {"allow.auto.create.topics", "false"},
  };
  for (const auto& [name, value] : settings) all[name] = value;
  for (const auto& [name, value] : options.settings) all[name] = value;
  KafkaConf conf(rd_kafka_conf_new());
  ErrorText text;
  for (const auto& [name, value] : all) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK) {
      return absl::InvalidArgumentError(fmt::format("Kafka setting {}: {}", name, text.data()));
    }
  }
  rd_kafka_conf_set_log_cb(conf.get(), DropLog);
  return conf;
}

absl::StatusOr<KafkaInstance> MakeKafkaInstance(rd_kafka_type_t type, KafkaConf conf) {
  ErrorText text;
  KafkaInstance instance(rd_kafka_new(type, conf.get(), text.data(), text.size()));
  if (instance == nullptr) return absl::InvalidArgumentError(fmt::format("Kafka client: {}", text.data()));
  conf.release();  // now the instance's
  return instance;
}

absl::StatusOr<std::unique_ptr<KafkaHandle>> KafkaHandle::Open(const KafkaEventLogOptions& options) {
  RM_ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(options, {{"log.thread.name", "false"}}));
  auto failure = std::make_unique<Failure>();
  rd_kafka_conf_set_opaque(conf.get(), failure.get());
  // Its events would have to be fetched for ever; what it logs says the same.
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  RM_ASSIGN_OR_RETURN(KafkaInstance client, MakeKafkaInstance(RD_KAFKA_PRODUCER, std::move(conf)));
  return std::unique_ptr<KafkaHandle>(new KafkaHandle(options, std::move(failure), std::move(client)));
}

void KafkaHandle::OnLog(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  if (client == nullptr || level > LOG_ERR || std::string_view(facility) != "FAIL") return;
  Failure& failure = *static_cast<Failure*>(rd_kafka_opaque(client));
  MutexLock lock(failure.mutex);
  failure.text = text;
}

absl::Status KafkaHandle::PrepareTopic(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(int partitions, CountPartitions(deadline));
  if (partitions == 0) {
    RM_RETURN_IF_ERROR(CreateTopic(deadline));
    // The answer comes before every broker knows the topic.
    while (partitions == 0) {
      if (absl::Now() > deadline) return absl::UnavailableError("the new topic did not appear in time");
      RM_ASSIGN_OR_RETURN(partitions, CountPartitions(deadline));
    }
  }
  if (partitions != static_cast<int>(options_.partitions)) {
    return absl::FailedPreconditionError(fmt::format("Kafka topic \"{}\" has {} partitions, the configuration says {}",
                                                     options_.topic, partitions, options_.partitions));
  }
  // Asked only to say early what the first large record would tell.
  return CheckMessageSize(std::min(deadline, absl::Now() + absl::Seconds(1)));
}

absl::StatusOr<int> KafkaHandle::CountPartitions(absl::Time deadline) {
  const KafkaTopic topic(rd_kafka_topic_new(client_.get(), options_.topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = rd_kafka_metadata(client_.get(), 0, topic.get(), &metadata, KafkaTimeout(deadline));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return WithReason(KafkaError(fmt::format("brokers {}", options_.brokers), error));
  }
  const std::unique_ptr<const rd_kafka_metadata_t, KafkaDeleter<rd_kafka_metadata_destroy>> owned(metadata);
  if (metadata->topic_cnt != 1) return absl::UnavailableError("the broker said nothing about the topic");
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError(fmt::format("topic {}", options_.topic), found.err);
  return found.partition_cnt;
}

absl::Status KafkaHandle::WithReason(const absl::Status& error) {
  MutexLock lock(failure_->mutex);
  if (failure_->text.empty()) return error;
  return absl::Status(error.code(), fmt::format("{}: {}", MessageOf(error), failure_->text));
}

absl::Status KafkaHandle::CreateTopic(absl::Time deadline) {
  ErrorText text;
  const KafkaNewTopic topic(rd_kafka_NewTopic_new(options_.topic.c_str(), static_cast<int>(options_.partitions),
                                                  options_.replication_factor, text.data(), text.size()));
  if (topic == nullptr) return absl::InvalidArgumentError(fmt::format("topic {}: {}", options_.topic, text.data()));
  KafkaSettings settings = {{"max.message.bytes", std::to_string(kMaxKafkaMessageBytes)},
                            {"message.timestamp.type", "CreateTime"},
                            {"cleanup.policy", "delete"},
                            {"min.insync.replicas", std::to_string(options_.min_insync_replicas)}};
  for (const auto& [name, value] : options_.topic_settings) settings[name] = value;
  for (const auto& [name, value] : settings) rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  const KafkaOptions options = AdminOptions(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline);
  const KafkaQueue queue(rd_kafka_queue_new(client_.get()));
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  rd_kafka_CreateTopics(client_.get(), topics, 1, options.get(), queue.get());
  const std::string what = fmt::format("making topic {}", options_.topic);
  RM_ASSIGN_OR_RETURN(const KafkaEvent event, AwaitAnswer(queue.get(), what, deadline));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    // Another process may be opening the same log.
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* const detail = rd_kafka_topic_result_error_string(results[i]);
    return KafkaError(fmt::format("{}: {}", what, detail == nullptr ? "" : detail), error);
  }
  return absl::OkStatus();
}

absl::Status KafkaHandle::CheckMessageSize(absl::Time deadline) {
  const KafkaConfig resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, options_.topic.c_str()));
  const KafkaOptions options = AdminOptions(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, deadline);
  const KafkaQueue queue(rd_kafka_queue_new(client_.get()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  rd_kafka_DescribeConfigs(client_.get(), resources, 1, options.get(), queue.get());
  const auto event = AwaitAnswer(queue.get(), "describing the topic", deadline);
  // Not every broker lets every client ask; then the first large record tells.
  if (!event.ok()) return absl::OkStatus();
  size_t count = 0;
  const rd_kafka_ConfigResource_t** results =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  if (count != 1) return absl::OkStatus();
  size_t entries = 0;
  const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(results[0], &entries);
  for (size_t i = 0; i < entries; ++i) {
    const char* const value = rd_kafka_ConfigEntry_value(entry[i]);
    int64_t bytes = 0;
    if (std::string_view(rd_kafka_ConfigEntry_name(entry[i])) != "max.message.bytes" || value == nullptr ||
        !ParseNumber(std::string_view(value), bytes) || bytes >= static_cast<int64_t>(kMaxKafkaMessageBytes)) {
      continue;
    }
    return absl::FailedPreconditionError(
        fmt::format("Kafka topic \"{}\" takes messages of {} bytes; set its max.message.bytes to {} at least",
                    options_.topic, bytes, kMaxKafkaMessageBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> KafkaHandle::ClusterId(absl::Time deadline) {
  char* const id = rd_kafka_clusterid(client_.get(), KafkaTimeout(deadline));
  if (id == nullptr) return absl::UnavailableError(fmt::format("brokers {}: no cluster id", options_.brokers));
  std::string copy = id;
  rd_kafka_mem_free(client_.get(), id);
  return copy;
}

// rd_kafka_query_watermark_offsets() would do, but it waits past its time-out while a broker is away. ListOffsets
// understands two times that are none: -1 is the end, -2 the beginning.
absl::StatusOr<Offset> KafkaHandle::OffsetAt(PartitionId partition, int64_t time, absl::Time deadline) {
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* const asked =
      rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), static_cast<int32_t>(partition));
  asked->offset = time;
  const auto error =
      rd_kafka_offsets_for_times(client_.get(), list.get(), KafkaTimeout(deadline, options_.delivery_timeout));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError(fmt::format("partition {}", partition), error);
  if (asked->err != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError(fmt::format("partition {}", partition), asked->err);
  return asked->offset;
}

absl::StatusOr<OffsetRange> KafkaHandle::Range(PartitionId partition, absl::Time deadline) {
  OffsetRange range;
  RM_ASSIGN_OR_RETURN(range.first, OffsetAt(partition, RD_KAFKA_OFFSET_BEGINNING, deadline));
  RM_ASSIGN_OR_RETURN(range.end, OffsetAt(partition, RD_KAFKA_OFFSET_END, deadline));
  return range;
}

absl::Status KafkaHandle::DeleteBefore(PartitionId partition, Offset offset, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const OffsetRange range, Range(partition, deadline));
  if (offset <= range.first) return absl::OkStatus();
  const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), static_cast<int32_t>(partition))->offset =
      std::min(offset, range.end);
  const KafkaDelete request(rd_kafka_DeleteRecords_new(list.get()));
  const KafkaOptions options = AdminOptions(client_.get(), RD_KAFKA_ADMIN_OP_DELETERECORDS, deadline);
  const KafkaQueue queue(rd_kafka_queue_new(client_.get()));
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  rd_kafka_DeleteRecords(client_.get(), requests, 1, options.get(), queue.get());
  RM_ASSIGN_OR_RETURN(const KafkaEvent event, AwaitAnswer(queue.get(), "deleting records", deadline));
  const rd_kafka_topic_partition_list_t* offsets =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < offsets->cnt; ++i) {
    if (offsets->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return KafkaError("deleting records", offsets->elems[i].err);
  }
  return absl::OkStatus();
}

}  // namespace rivermeet::eventlog::internal
