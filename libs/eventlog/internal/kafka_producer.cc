#include "eventlog/internal/kafka_producer.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "eventlog/internal/kafka_frame.h"

namespace rivermeet::eventlog::internal {
namespace {

std::string Milliseconds(absl::Duration duration) { return std::to_string(absl::ToInt64Milliseconds(duration)); }

KafkaSettings ProducerSettings(const KafkaEventLogOptions& options) {
  return {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"compression.type", options.compression},
      {"linger.ms", Milliseconds(options.linger)},
      {"batch.size", std::to_string(kMaxKafkaMessageBytes)},
      {"message.timeout.ms", Milliseconds(options.delivery_timeout)},
      {"request.timeout.ms", Milliseconds(options.delivery_timeout)},
      {"socket.timeout.ms", Milliseconds(options.delivery_timeout + absl::Seconds(1))},
      {"statistics.interval.ms", Milliseconds(options.state_interval)},
      // Ours is the queue that refuses; librdkafka's is never full before.
      {"queue.buffering.max.kbytes", std::to_string(options.max_queue_bytes / 1024 + 64 * 1024)},
      {"queue.buffering.max.messages", "1000000"},
      // A connection that is only made when it is needed could not tell that it isn't there.
      {"enable.sparse.connections", "false"},
  };
}

}  // namespace

KafkaProducer::KafkaProducer(const KafkaEventLogOptions& options, Counters& counters, TimerThread& timer,
                             absl::AnyInvocable<void(const KafkaProducer*)> on_unclear)
    : options_(options),
      counters_(counters),
      waiters_(std::make_shared<Waiters>(counters, timer)),
      on_unclear_(std::move(on_unclear)),
      available_(options.partitions) {}

absl::StatusOr<std::unique_ptr<KafkaProducer>> KafkaProducer::Open(
    const KafkaEventLogOptions& options, Counters& counters, TimerThread& timer,
    absl::AnyInvocable<void(const KafkaProducer*)> on_unclear) {
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(options, counters, timer, std::move(on_unclear)));
  RM_ASSIGN_OR_RETURN(KafkaConf conf, MakeKafkaConf(options, ProducerSettings(options)));
  rd_kafka_conf_set_opaque(conf.get(), producer.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivery);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  rd_kafka_conf_set_stats_cb(conf.get(), OnStatistics);
  RM_ASSIGN_OR_RETURN(producer->client_, MakeKafkaInstance(RD_KAFKA_PRODUCER, std::move(conf)));
  producer->topic_.reset(rd_kafka_topic_new(producer->client_.get(), options.topic.c_str(), nullptr));
  if (producer->topic_ == nullptr) return KafkaError(fmt::format("topic {}", options.topic), rd_kafka_last_error());
  Counters::Add(counters.producers_made, 1);
  producer->thread_ = std::thread([self = producer.get()] { self->Poll(); });
  return producer;
}

KafkaProducer::~KafkaProducer() {
  stopping_ = true;
  if (client_ != nullptr) rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  if (thread_.joinable()) thread_.join();
  // Calls back for what was purged.
  if (client_ != nullptr) rd_kafka_flush(client_.get(), 1000);
  topic_ = nullptr;
  client_ = nullptr;
  for (Waiters::Waiter& waiter : waiters_->TakeAll()) {
    Counters::Add(counters_.failed_appends, 1);
    if (waiter.done) waiter.done(absl::DeadlineExceededError("outcome unknown: the producer was given up"));
  }
}

void KafkaProducer::Poll() {
  while (!stopping_) rd_kafka_poll(client_.get(), 100);
}

void KafkaProducer::Flush(absl::Time deadline) {
  while (waiters_->size() > 0 && absl::Now() < deadline && !unclear_) absl::SleepFor(absl::Milliseconds(2));
}

absl::Status KafkaProducer::Send(PartitionId partition, const Record& record, absl::Time deadline,
                                 EventLog::Done& done) {
  const size_t bytes = kKafkaFrameBytes + record.header.size() + record.payload.size();
  const auto number = waiters_->Push(static_cast<int64_t>(bytes), options_.max_queue_bytes, deadline, done);
  if (!number) {
    Counters::Add(counters_.refused_appends, 1);
    return absl::ResourceExhaustedError(
        fmt::format("the log's queue is full (limit {} bytes)", options_.max_queue_bytes));
  }
  const int64_t now_us = absl::ToUnixMicros(absl::Now());
  // librdkafka frees it with free().
  char* const value = static_cast<char*>(std::malloc(bytes));
  RM_CHECK(value != nullptr);
  EncodeKafkaValue(record, now_us, value);
  const auto error = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_PARTITION(static_cast<int32_t>(partition)),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE), RD_KAFKA_V_VALUE(value, bytes), RD_KAFKA_V_TIMESTAMP(now_us / 1000),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(*number)), RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  std::free(value);
  if (auto waiter = waiters_->Take(*number)) done = std::move(waiter->done);
  if (error == RD_KAFKA_RESP_ERR__FATAL) MarkUnclear();
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return absl::ResourceExhaustedError("the Kafka client's queue is full");
  return absl::UnavailableError(fmt::format("nothing was appended: {}", rd_kafka_err2str(error)));
}

void KafkaProducer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  static_cast<KafkaProducer*>(self)->Delivered(*message);
}

void KafkaProducer::Delivered(const rd_kafka_message_t& message) {
  const auto status = rd_kafka_message_status(&message);
  absl::StatusOr<Offset> outcome = message.offset;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string_view value(static_cast<const char*>(message.payload), message.len);
    Counters::Add(counters_.appended_records, 1);
    Counters::Add(counters_.appended_bytes, static_cast<int64_t>(value.size() - kKafkaFrameBytes));
    Counters::Add(counters_.stored_bytes, static_cast<int64_t>(value.size()));
    counters_.AddSync(absl::Microseconds(rd_kafka_message_latency(&message)));
  } else if (message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    outcome = absl::InvalidArgumentError("the topic's max.message.bytes is below what a record may have");
  } else if (status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
    outcome = absl::UnavailableError(fmt::format("nothing was appended: {}", rd_kafka_err2str(message.err)));
  } else {
    Counters::Add(counters_.failed_syncs, 1);
    outcome = absl::DeadlineExceededError(fmt::format("outcome unknown: {}", rd_kafka_err2str(message.err)));
    MarkUnclear();
  }
  auto waiter = waiters_->Take(reinterpret_cast<uint64_t>(message._private));
  if (!waiter || !waiter->done) return;
  if (!outcome.ok()) Counters::Add(counters_.failed_appends, 1);
  waiter->done(std::move(outcome));
}

void KafkaProducer::OnError(rd_kafka_t*, int error, const char* reason, void* opaque) {
  auto* const self = static_cast<KafkaProducer*>(opaque);
  {
    MutexLock lock(self->mutex_);
    self->last_error_ = reason;
  }
  if (error == RD_KAFKA_RESP_ERR__FATAL) self->MarkUnclear();
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  for (auto& available : self->available_) available = false;
  // What waits in the client would be sent once a broker is back, long after its caller was told otherwise.
  if (self->waiters_->size() > 0) self->MarkUnclear();
}

int KafkaProducer::OnStatistics(rd_kafka_t*, char* json, size_t size, void* self) {
  static_cast<KafkaProducer*>(self)->ReadStatistics({json, size});
  return 0;  // librdkafka frees it
}

void KafkaProducer::ReadStatistics(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return;
  std::set<int64_t> connected;
  simdjson::dom::object brokers;
  if (root["brokers"].get(brokers) != simdjson::SUCCESS) return;
  for (const auto& [name, broker] : brokers) {
    int64_t node = -1;
    std::string_view state;
    if (broker["nodeid"].get(node) == simdjson::SUCCESS && broker["state"].get(state) == simdjson::SUCCESS &&
        (state == "UP" || state == "UPDATE") && node >= 0) {
      connected.insert(node);
    }
  }
  simdjson::dom::object partitions;
  if (root["topics"][options_.topic]["partitions"].get(partitions) != simdjson::SUCCESS) return;
  for (const auto& [name, partition] : partitions) {
    int64_t number = -1;
    int64_t leader = -1;
    if (partition["partition"].get(number) != simdjson::SUCCESS || number < 0 ||
        number >= static_cast<int64_t>(available_.size()) || partition["leader"].get(leader) != simdjson::SUCCESS) {
      continue;
    }
    available_[static_cast<size_t>(number)] = connected.contains(leader) && !unclear_;
  }
  MutexLock lock(mutex_);
  changed_.NotifyAll();
}

bool KafkaProducer::WaitAvailable(absl::Time deadline) {
  const auto all = [this] {
    return std::all_of(available_.begin(), available_.end(), [](const auto& available) { return available.load(); });
  };
  MutexLock lock(mutex_);
  while (!all() && absl::Now() < deadline) changed_.WaitFor(mutex_, deadline - absl::Now());
  return all();
}

std::string KafkaProducer::LastError() const {
  MutexLock lock(mutex_);
  return last_error_.empty() ? "the partition's leader is not connected" : last_error_;
}

void KafkaProducer::MarkUnclear() {
  if (unclear_.exchange(true)) return;
  for (auto& available : available_) available = false;
  on_unclear_(this);
}

}  // namespace rivermeet::eventlog::internal
