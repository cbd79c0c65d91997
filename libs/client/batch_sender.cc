#include "client/batch_sender.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"
#include "client/batch_builder.h"
#include "rpc/channel.h"
#include "rpc/status.h"

namespace rivermeet::client {
namespace {

using ingest::v1::IngestStreamRequest;
using ingest::v1::IngestStreamResponse;

// Refusals that the same batch can only meet again.
bool IsFinal(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

// The server no longer knows the producer, or never gave it to this key.
bool IsProducerLost(absl::StatusCode code) {
  return code == absl::StatusCode::kNotFound || code == absl::StatusCode::kFailedPrecondition;
}

}  // namespace

// One stream's life. The supervisor makes it and waits; the others end it by `broken`.
struct BatchSender::Connection {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientReaderWriter<IngestStreamRequest, IngestStreamResponse>> stream;
  bool broken = false;   // under mutex_
  bool ended = false;    // under mutex_: by the server, whose status cancelling would hide
  absl::Status refused;  // under mutex_: an answer that ended the connection
};

absl::StatusOr<std::unique_ptr<BatchSender>> BatchSender::Open(Options options) {
  if (options.max_in_flight < 1 || options.max_in_flight > 1023) {
    return absl::InvalidArgumentError("max_in_flight is 1 to 1,023");
  }
  if (options.channel == nullptr && options.address.empty()) return absl::InvalidArgumentError("no address was given");
  if (options.channel == nullptr) options.channel = rpc::MakeStreamingChannel(options.address);
  std::unique_ptr<BatchSpool> spool;
  if (!options.spool_folder.empty()) {
    RM_ASSIGN_OR_RETURN(spool, BatchSpool::Open(options.spool_folder, options.max_spool_bytes));
  }
  std::unique_ptr<BatchSender> sender(new BatchSender(std::move(options)));
  {
    MutexLock lock(sender->mutex_);
    sender->spool_ = std::move(spool);
  }
  sender->thread_ = std::thread([raw = sender.get()] { raw->Run(); });
  return sender;
}

BatchSender::BatchSender(Options options)
    : options_(std::move(options)), sender_(RandomId()), stub_(ingest::v1::IngestService::NewStub(options_.channel)) {}

BatchSender::~BatchSender() { Stop(); }

absl::StatusOr<uint64_t> BatchSender::Send(const events::v1::EventBatch& batch, absl::Time deadline) {
  return SendEncoded(batch.SerializeAsString(), static_cast<uint32_t>(batch.time_offset_us_size()), deadline);
}

absl::StatusOr<uint64_t> BatchSender::SendEncoded(std::string batch, uint32_t events, absl::Time deadline) {
  if (batch.size() > kMaxBatchBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the batch has {} bytes, over the limit of {}: split it", batch.size(), kMaxBatchBytes));
  }
  MutexLock lock(mutex_);
  // One batch always fits, however small the limit.
  const auto full = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return memory_bytes_ > 0 && memory_bytes_ + batch.size() > options_.max_memory_bytes;
  };
  while (spool_ == nullptr && full() && !stopping_) {
    const absl::Duration left = deadline - options_.clock->Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          fmt::format("{} bytes wait to be sent; {}", memory_bytes_,
                      stats_.last_error.ok() ? "the server is slower than the sender" : MessageOf(stats_.last_error)));
    }
    changed_.WaitFor(mutex_, std::min(left, absl::Seconds(1)));
  }
  if (stopping_) return absl::CancelledError("the sender is stopped");
  const uint64_t sequence = next_sequence_++;
  if (spool_ != nullptr && (full() || !spool_->empty())) {
    const absl::Status kept = spool_->Append({sender_, sequence, events, std::move(batch)});
    if (!kept.ok()) stats_.dropped_events += events;
    RM_RETURN_IF_ERROR(kept);
    changed_.NotifyAll();
    return sequence;
  }
  Item item{.sender = sender_, .events = events, .since = options_.clock->MonotonicNow()};
  item.request = std::make_shared<IngestStreamRequest>();
  item.request->mutable_request()->set_sequence(sequence);
  item.request->mutable_request()->set_batch(std::move(batch));
  memory_bytes_ += item.bytes();
  pending_.push_back(std::move(item));
  changed_.NotifyAll();
  return sequence;
}

bool BatchSender::DrainedLocked() const {
  return pending_.empty() && in_flight_.empty() && (spool_ == nullptr || spool_->empty());
}

absl::Status BatchSender::Flush(absl::Time deadline) {
  MutexLock lock(mutex_);
  while (!DrainedLocked()) {
    if (stopping_) return absl::CancelledError("the sender is stopped");
    const absl::Duration left = deadline - options_.clock->Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(
          fmt::format("{} batches in memory and {} bytes in the spool are not answered{}{}",
                      pending_.size() + in_flight_.size(), spool_ == nullptr ? 0 : spool_->size_bytes(),
                      stats_.last_error.ok() ? "" : "; last error: ", MessageOf(stats_.last_error)));
    }
    changed_.WaitFor(mutex_, std::min(left, absl::Seconds(1)));
  }
  return absl::OkStatus();
}

void BatchSender::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (opening_ != nullptr) opening_->TryCancel();
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  MutexLock lock(mutex_);
  if (std::exchange(stopped_, true)) return;
  Requeue();
  if (spool_ != nullptr) SpillToSpool();
  for (const Item& item : pending_) {
    if (item.spool_file == 0) stats_.dropped_events += item.events;
  }
  pending_.clear();
  if (spool_ != nullptr) {
    (void)spool_->Sync();
    stats_.spool_bytes = spool_->size_bytes();
    stats_.dropped_events += spool_->dropped_events();
    spool_.reset();
  }
}

BatchSenderStats BatchSender::Stats() const {
  MutexLock lock(mutex_);
  BatchSenderStats stats = stats_;
  stats.batches_waiting = pending_.size() + in_flight_.size();
  stats.waiting_bytes = memory_bytes_;
  if (spool_ != nullptr) {
    stats.spool_bytes = spool_->size_bytes();
    stats.dropped_events += spool_->dropped_events();
  }
  return stats;
}

void BatchSender::Run() {
  absl::Duration backoff = options_.min_backoff;
  while (true) {
    uint64_t answered_before = 0;
    {
      MutexLock lock(mutex_);
      // An idle sender holds no connection that it never needed.
      while (!stopping_ && DrainedLocked()) changed_.Wait(mutex_);
      if (stopping_) return;
      answered_before = stats_.batches_answered;
    }
    const absl::Status status = RunConnection();
    AfterConnection(status);
    MutexLock lock(mutex_);
    if (stats_.batches_answered > answered_before) backoff = options_.min_backoff;
    const absl::Duration until = options_.clock->MonotonicNow() + backoff;
    while (!stopping_ && options_.clock->MonotonicNow() < until) {
      changed_.WaitFor(mutex_, until - options_.clock->MonotonicNow());
    }
    if (stopping_) return;
    backoff = std::min(backoff * 2, options_.max_backoff);
  }
}

std::unique_ptr<grpc::ClientContext> BatchSender::NewContext() const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (const std::string key = options_.api_key ? options_.api_key() : ""; !key.empty()) {
    context->AddMetadata("authorization", "Bearer " + key);
  }
  return context;
}

// Gives every sender among the pending batches a producer.
absl::Status BatchSender::OpenProducers() {
  while (true) {
    uint64_t sender = 0;
    const std::unique_ptr<grpc::ClientContext> context = NewContext();
    context->set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(options_.answer_timeout));
    {
      MutexLock lock(mutex_);
      if (stopping_) return absl::CancelledError("the sender is stopped");
      RefillFromSpool();
      for (Item& item : pending_) {
        if (item.producer_id != 0) continue;
        const auto known = producers_.find(item.sender);
        if (known == producers_.end()) {
          sender = item.sender;
          break;
        }
        item.producer_id = known->second;
      }
      if (sender == 0) return absl::OkStatus();
      opening_ = context.get();
    }
    ingest::v1::OpenProducerResponse response;
    const absl::Status opened =
        rpc::FromGrpc(stub_->OpenProducer(context.get(), ingest::v1::OpenProducerRequest(), &response));
    MutexLock lock(mutex_);
    opening_ = nullptr;
    RM_RETURN_IF_ERROR(opened);
    if (spool_ != nullptr) RM_RETURN_IF_ERROR(spool_->SetProducer(sender, response.producer_id()));
    producers_[sender] = response.producer_id();
  }
}

absl::Status BatchSender::RunConnection() {
  RM_RETURN_IF_ERROR(OpenProducers());
  Connection connection;
  connection.context = NewContext();
  connection.stream = stub_->IngestStream(connection.context.get());
  {
    MutexLock lock(mutex_);
    stats_.connected = true;
    ++stats_.connections;
  }
  std::thread writer([&] { Write(connection); });
  std::thread reader([&] { Read(connection); });
  Supervise(connection);
  {
    MutexLock lock(mutex_);
    if (!connection.ended) connection.context->TryCancel();
  }
  writer.join();
  reader.join();
  const absl::Status finished = rpc::FromGrpc(connection.stream->Finish());
  MutexLock lock(mutex_);
  if (!connection.refused.ok()) return connection.refused;
  return finished.ok() ? absl::UnavailableError("the server ended the stream") : finished;
}

// Returns when the connection is over: broken, stopped, or without an answer for too long.
void BatchSender::Supervise(Connection& connection) {
  MutexLock lock(mutex_);
  while (!stopping_ && !connection.broken) {
    const absl::Duration now = options_.clock->MonotonicNow();
    if (!in_flight_.empty() && now - in_flight_.front().sent > options_.answer_timeout) {
      connection.refused =
          absl::DeadlineExceededError(fmt::format("no answer for {}", absl::FormatDuration(options_.answer_timeout)));
      break;
    }
    const bool quiet = in_flight_.empty();
    changed_.WaitFor(mutex_, quiet ? absl::Hours(1) : std::min(absl::Seconds(1), options_.answer_timeout));
  }
  connection.broken = true;
  changed_.NotifyAll();
}

void BatchSender::Write(Connection& connection) {
  while (true) {
    std::shared_ptr<const IngestStreamRequest> request;
    {
      MutexLock lock(mutex_);
      while (!connection.broken && !stopping_) {
        RefillFromSpool();
        if (!pending_.empty() && in_flight_.size() < options_.max_in_flight) break;
        changed_.Wait(mutex_);
      }
      if (connection.broken || stopping_) return;
      Item& item = pending_.front();
      if (item.producer_id == 0) {
        const auto known = producers_.find(item.sender);
        if (known == producers_.end()) {
          // A sender of an earlier process: the next connection opens a producer for it, once all is answered.
          while (!in_flight_.empty() && !connection.broken && !stopping_) changed_.Wait(mutex_);
          connection.broken = true;
          changed_.NotifyAll();
          return;
        }
        item.producer_id = known->second;
      }
      item.request->mutable_request()->set_producer_id(item.producer_id);
      item.sent = options_.clock->MonotonicNow();
      in_flight_.push_back(std::move(item));
      pending_.pop_front();
      if (in_flight_.size() == 1) changed_.NotifyAll();
      request = in_flight_.back().request;
    }
    // The stream is over, which the reader finds after the answers that still came.
    if (!connection.stream->Write(*request)) return;
  }
}

void BatchSender::Read(Connection& connection) {
  IngestStreamResponse response;
  while (connection.stream->Read(&response)) {
    if (!Answer(response, connection)) break;
  }
  MutexLock lock(mutex_);
  connection.ended = connection.refused.ok();
  connection.broken = true;
  changed_.NotifyAll();
}

bool BatchSender::Answer(const IngestStreamResponse& response, Connection& connection) {
  BatchResult result{.sequence = response.sequence(), .receipt = response.receipt()};
  {
    MutexLock lock(mutex_);
    if (in_flight_.empty() || in_flight_.front().request->request().sequence() != response.sequence()) {
      connection.refused =
          absl::InternalError(fmt::format("an answer for sequence {} came out of order", response.sequence()));
      return false;
    }
    const Item& item = in_flight_.front();
    const absl::Status status(static_cast<absl::StatusCode>(response.code()), ToAbsl(response.message()));
    const bool renew = IsProducerLost(status.code()) && !renewed_.contains(item.sender);
    if (renew) LoseProducer(item.sender);
    if (!status.ok() && (renew || !(IsFinal(status.code()) || IsProducerLost(status.code())))) {
      connection.refused = status;
      return false;
    }
    if (status.ok()) renewed_.erase(item.sender);
    result.status = status;
    result.events = item.events;
    result.latency = options_.clock->MonotonicNow() - item.since;
    stats_.accepted_events += status.ok() ? response.receipt().accepted() : 0;
    stats_.rejected_events += status.ok() ? response.receipt().rejected() : item.events;
    ++stats_.batches_answered;
    stats_.last_error = absl::OkStatus();
  }
  // While the batch still counts as unanswered, so that Flush() returns after the last result.
  if (options_.on_result) options_.on_result(result);
  MutexLock lock(mutex_);
  memory_bytes_ -= in_flight_.front().bytes();
  Forget(in_flight_.front());
  in_flight_.pop_front();
  changed_.NotifyAll();
  return true;
}

// The next connection opens another one and sends what is unanswered under it.
void BatchSender::LoseProducer(uint64_t sender) {
  renewed_.insert(sender);
  producers_.erase(sender);
  if (spool_ != nullptr) (void)spool_->SetProducer(sender, 0);
  for (std::deque<Item>* items : {&in_flight_, &pending_}) {
    for (Item& item : *items) {
      if (item.sender == sender) item.producer_id = 0;
    }
  }
}

void BatchSender::Forget(const Item& item) {
  if (item.spool_file == 0) return;
  const auto left = unanswered_of_file_.find(item.spool_file);
  if (left == unanswered_of_file_.end() || --left->second > 0) return;
  (void)spool_->Forget(item.spool_file);
  unanswered_of_file_.erase(left);
}

void BatchSender::AfterConnection(const absl::Status& status) {
  MutexLock lock(mutex_);
  stats_.connected = false;
  if (!stopping_) stats_.last_error = status;
  Requeue();
  if (spool_ != nullptr) SpillToSpool();
  changed_.NotifyAll();
}

void BatchSender::Requeue() {
  while (!in_flight_.empty()) {
    pending_.push_front(std::move(in_flight_.back()));
    in_flight_.pop_back();
  }
}

// What only memory has goes to the disk; what came from there stays in memory too.
void BatchSender::SpillToSpool() {
  std::vector<SpooledBatch> batches;
  for (const Item& item : pending_) {
    if (item.spool_file != 0) continue;
    const auto& request = item.request->request();
    batches.push_back({item.sender, request.sequence(), item.events, request.batch()});
  }
  if (!spool_->Prepend(batches).ok()) return;  // then memory still has them
  const auto gone = [](const Item& item) { return item.spool_file == 0; };
  for (const Item& item : pending_) memory_bytes_ -= gone(item) ? item.bytes() : 0;
  pending_.erase(std::remove_if(pending_.begin(), pending_.end(), gone), pending_.end());
}

void BatchSender::RefillFromSpool() {
  if (spool_ == nullptr || !pending_.empty() || spool_->empty()) return;
  absl::StatusOr<std::optional<BatchSpool::Taken>> taken = spool_->Take();
  if (!taken.ok() || !taken->has_value()) {
    if (!taken.ok()) stats_.last_error = taken.status();
    return;
  }
  const uint64_t file = (*taken)->file;
  for (SpooledBatch& batch : (*taken)->batches) {
    Item item{.sender = batch.sender, .spool_file = file, .events = batch.events};
    item.since = options_.clock->MonotonicNow();
    item.request = std::make_shared<IngestStreamRequest>();
    item.request->mutable_request()->set_sequence(batch.sequence);
    item.request->mutable_request()->set_batch(std::move(batch.payload));
    if (const auto known = spool_->ProducerOf(batch.sender)) producers_.try_emplace(batch.sender, *known);
    memory_bytes_ += item.bytes();
    pending_.push_back(std::move(item));
  }
  if ((*taken)->batches.empty()) {
    (void)spool_->Forget(file);
  } else {
    unanswered_of_file_[file] = (*taken)->batches.size();
  }
}

}  // namespace rivermeet::client
