#include "eventlog/kafka_event_log.h"

#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "eventlog/internal/counters.h"
#include "eventlog/internal/kafka_handle.h"
#include "eventlog/internal/kafka_log_reader.h"
#include "eventlog/internal/kafka_producer.h"
#include "eventlog/internal/timer_thread.h"

namespace rivermeet::eventlog {
namespace {

// DeleteBefore() has no deadline of its caller's.
constexpr absl::Duration kDeleteTimeout = absl::Seconds(5);

absl::Status Check(const KafkaEventLogOptions& options) {
  if (options.brokers.empty()) return absl::InvalidArgumentError("brokers must be given");
  if (options.topic.empty()) return absl::InvalidArgumentError("topic must be given");
  if (options.partitions < 1) return absl::InvalidArgumentError("partitions must be at least 1");
  return absl::OkStatus();
}

absl::Status Reconnecting() { return absl::UnavailableError("the log is stopped or reconnecting"); }

}  // namespace

KafkaEventLog::KafkaEventLog(KafkaEventLogOptions options, std::unique_ptr<internal::KafkaHandle> client)
    : options_(std::move(options)),
      counters_(std::make_unique<internal::Counters>()),
      client_(std::move(client)),
      timer_(std::make_unique<internal::TimerThread>()),
      renewer_(std::make_unique<internal::TimerThread>()) {}

absl::StatusOr<std::unique_ptr<KafkaEventLog>> KafkaEventLog::Open(KafkaEventLogOptions options) {
  RM_RETURN_IF_ERROR(Check(options));
  const absl::Time deadline = absl::Now() + options.open_timeout;
  RM_ASSIGN_OR_RETURN(auto client, internal::KafkaHandle::Open(options));
  RM_RETURN_IF_ERROR(client->PrepareTopic(deadline));
  RM_ASSIGN_OR_RETURN(const std::string cluster, client->ClusterId(deadline));
  std::unique_ptr<KafkaEventLog> log(new KafkaEventLog(std::move(options), std::move(client)));
  log->identity_ = fmt::format("Kafka topic \"{}\" of cluster {}", log->options_.topic, cluster);
  RM_RETURN_IF_ERROR(log->MakeProducer());
  RM_RETURN_IF_ERROR(log->WaitAvailable(deadline));
  return log;
}

KafkaEventLog::~KafkaEventLog() {
  Stop(absl::Now() + absl::Seconds(10));
  renewer_.reset();
  timer_.reset();
}

uint32_t KafkaEventLog::partitions() const { return options_.partitions; }

absl::Status KafkaEventLog::CheckPartition(PartitionId partition) const {
  if (partition < options_.partitions) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the log has no partition {}: there are {}", partition, options_.partitions));
}

internal::KafkaProducer* KafkaEventLog::Borrow() {
  MutexLock lock(mutex_);
  if (producer_ != nullptr) ++borrowed_;
  return producer_.get();
}

void KafkaEventLog::Return() {
  MutexLock lock(mutex_);
  if (--borrowed_ == 0) unused_.NotifyAll();
}

absl::Status KafkaEventLog::MakeProducer() {
  MutexLock lock(mutex_);
  if (stopped_) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(producer_, internal::KafkaProducer::Open(options_, *counters_, *timer_,
                                                               [this](const internal::KafkaProducer* unclear) {
                                                                 renewer_->RunSoon([this, unclear] { Renew(unclear); });
                                                               }));
  return absl::OkStatus();
}

std::unique_ptr<internal::KafkaProducer> KafkaEventLog::TakeProducer() {
  auto taken = std::exchange(producer_, nullptr);
  while (borrowed_ > 0) unused_.Wait(mutex_);
  return taken;
}

void KafkaEventLog::Renew(const internal::KafkaProducer* unclear) {
  std::unique_ptr<internal::KafkaProducer> old;
  {
    MutexLock lock(mutex_);
    if (stopped_ || producer_.get() != unclear) return;
    old = TakeProducer();
  }
  old = nullptr;
  if (MakeProducer().ok()) return;
  MutexLock lock(mutex_);
  // The settings were right once; only the system's limits can be in the way. The renewer that is being destroyed would
  // call at once, and again.
  if (!stopped_) renewer_->RunAt(absl::Now() + absl::Seconds(1), [this] { Renew(nullptr); });
}

void KafkaEventLog::Refuse(Done done, absl::Status status) {
  if (!absl::IsResourceExhausted(status)) internal::Counters::Add(counters_->failed_appends, 1);
  timer_->RunSoon([done = std::move(done), status = std::move(status)]() mutable { done(status); });
}

void KafkaEventLog::Append(PartitionId partition, Record record, absl::Time deadline, Done done) {
  absl::Status checked = CheckPartition(partition);
  if (checked.ok() && record.header.size() > kMaxHeaderBytes) {
    checked = absl::InvalidArgumentError(
        fmt::format("the record's header has {} bytes; at most {} are allowed", record.header.size(), kMaxHeaderBytes));
  }
  if (checked.ok() && record.payload.size() > kMaxRecordBytes) {
    checked = absl::InvalidArgumentError(
        fmt::format("the record has {} bytes; at most {} are allowed", record.payload.size(), kMaxRecordBytes));
  }
  if (!checked.ok()) return Refuse(std::move(done), std::move(checked));
  absl::Status sent = Send(partition, record, deadline, done);
  if (!sent.ok()) Refuse(std::move(done), std::move(sent));
}

absl::Status KafkaEventLog::WaitAvailable(absl::Time deadline) {
  internal::KafkaProducer* const producer = Borrow();
  if (producer == nullptr) return Reconnecting();
  absl::Status available =
      producer->WaitAvailable(deadline) ? absl::OkStatus() : absl::UnavailableError(producer->LastError());
  Return();
  return available;
}

absl::Status KafkaEventLog::Send(PartitionId partition, const Record& record, absl::Time deadline, Done& done) {
  internal::KafkaProducer* const producer = Borrow();
  if (producer == nullptr) return Reconnecting();
  absl::Status sent = producer->Available(partition)
                          ? producer->Send(partition, record, deadline, done)
                          : absl::UnavailableError(fmt::format("nothing was appended: {}", producer->LastError()));
  Return();
  return sent;
}

absl::StatusOr<std::unique_ptr<LogReader>> KafkaEventLog::OpenReader(PartitionId partition, Offset from) {
  RM_RETURN_IF_ERROR(CheckPartition(partition));
  if (from < 0) return absl::InvalidArgumentError("an offset is at least 0");
  RM_ASSIGN_OR_RETURN(const OffsetRange range, client_->Range(partition, absl::Now() + options_.delivery_timeout));
  if (from < range.first) {
    return absl::OutOfRangeError(fmt::format("retention removed offset {} of partition {}; the first one left is {}",
                                             from, partition, range.first));
  }
  return internal::KafkaLogReader::Open(options_, *client_, *counters_, partition, from, range);
}

absl::StatusOr<OffsetRange> KafkaEventLog::Range(PartitionId partition, absl::Time deadline) {
  RM_RETURN_IF_ERROR(CheckPartition(partition));
  return client_->Range(partition, deadline);
}

absl::Status KafkaEventLog::DeleteBefore(PartitionId partition, Offset offset) {
  RM_RETURN_IF_ERROR(CheckPartition(partition));
  return client_->DeleteBefore(partition, offset, absl::Now() + kDeleteTimeout);
}

LogStats KafkaEventLog::Stats() const { return counters_->Snapshot(); }

void KafkaEventLog::Stop(absl::Time deadline) {
  std::unique_ptr<internal::KafkaProducer> last;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    last = TakeProducer();
  }
  if (last != nullptr) last->Flush(deadline);
}

}  // namespace rivermeet::eventlog
