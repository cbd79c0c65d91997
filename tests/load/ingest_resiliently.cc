#include <deque>

#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/strings.h"
#include "columnar_template.h"
#include "ingest.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"
#include "rpc/call.h"
#include "rpc/channel.h"
#include "rpc/status.h"

namespace rivermeet::load {
namespace {

using ingest::v1::IngestService;
using ingest::v1::IngestStreamRequest;
using ingest::v1::IngestStreamResponse;
using Stream = grpc::ClientReaderWriter<IngestStreamRequest, IngestStreamResponse>;

constexpr absl::Duration kGiveUp = absl::Minutes(2);

struct Sent {
  uint64_t sequence;
  std::string batch;
  Sums sums;
};

// One connection's work: makes batches at the wanted rate, keeps each until it is answered.
class ResilientSender {
 public:
  ResilientSender(const Options& options, uint32_t index)
      : options_(options),
        templates_(MakeColumnarTemplates(options, index)),
        stub_(IngestService::NewStub(rpc::MakeStreamingChannel(options.grpc_address))) {}

  absl::StatusOr<Result> Run() {
    start_ = absl::Now();
    RM_RETURN_IF_ERROR(OpenProducer());
    Pacer pacer(options_.events_per_second / options_.connections, start_);
    end_ = start_ + options_.warm_up + options_.duration;
    absl::Time last_progress = absl::Now();
    while (true) {
      const uint64_t before = result_.sent.events;
      RM_RETURN_IF_ERROR(RunStream(pacer));
      if (result_.sent.events != before) last_progress = absl::Now();
      if (absl::Now() >= end_ && AllAnswered()) break;
      if (absl::Now() - last_progress > kGiveUp) return absl::UnavailableError("no answer for two minutes");
      absl::SleepFor(absl::Milliseconds(20));
    }
    result_.measured_events = result_.sent.events;
    result_.measured = absl::Now() - start_;
    return result_;
  }

 private:
  bool AllAnswered() {
    MutexLock lock(mutex_);
    return unanswered_.empty();
  }

  absl::Status OpenProducer() {
    absl::Status status;
    while (absl::Now() - start_ < kGiveUp) {
      grpc::ClientContext context;
      rpc::PrepareCall(context, {.bearer = options_.api_key}, absl::Seconds(5));
      ingest::v1::OpenProducerResponse response;
      status = rpc::FromGrpc(stub_->OpenProducer(&context, {}, &response));
      producer_ = response.producer_id();
      if (status.ok() || (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status))) return status;
      absl::SleepFor(absl::Milliseconds(50));
    }
    return status;
  }

  // One stream's life: first what is unanswered, then new batches until `end_` or until the stream breaks. An error
  // is one that trying again would not mend.
  absl::Status RunStream(Pacer& pacer) {
    grpc::ClientContext context;
    rpc::PrepareCall(context, {.bearer = options_.api_key}, options_.warm_up + options_.duration + kGiveUp);
    const std::unique_ptr<Stream> stream = stub_->IngestStream(&context);
    {
      MutexLock lock(mutex_);
      broken_ = false;
    }
    std::thread reader([&] { Read(context, *stream); });
    bool writing = true;
    std::vector<Sent> again;
    {
      MutexLock lock(mutex_);
      again.assign(unanswered_.begin(), unanswered_.end());
    }
    for (const Sent& sent : again) writing = writing && Write(*stream, sent);
    while (writing && absl::Now() < end_) writing = WaitForRoom() && Write(*stream, MakeNext(pacer));
    stream->WritesDone();
    reader.join();
    const absl::Status status = rpc::FromGrpc(stream->Finish());
    MutexLock lock(mutex_);
    RM_RETURN_IF_ERROR(failure_);
    // Sent again after any end of the stream but a refusal.
    if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status) || absl::IsInvalidArgument(status)) {
      return status;
    }
    return absl::OkStatus();
  }

  // Counted from the oldest unanswered one: no batch is overtaken by more than that.
  bool WaitForRoom() {
    MutexLock lock(mutex_);
    while (!unanswered_.empty() && sequence_ - unanswered_.front().sequence + 1 >= options_.in_flight && !broken_) {
      changed_.Wait(mutex_);
    }
    return !broken_;
  }

  Sent MakeNext(Pacer& pacer) {
    ColumnarTemplate& made = templates_[sequence_ % templates_.size()];
    // By when it was due, so that event times are as even as the rate is.
    const absl::Time due = pacer.Wait(made.sums.events);
    made.SetTime(end_ - options_.time_factor * (end_ - due));
    Sent sent{++sequence_, made.bytes, made.sums};
    MutexLock lock(mutex_);
    unanswered_.push_back(sent);
    return sent;
  }

  bool Write(Stream& stream, const Sent& sent) {
    IngestStreamRequest request;
    request.mutable_request()->set_producer_id(producer_);
    request.mutable_request()->set_sequence(sent.sequence);
    request.mutable_request()->set_batch(sent.batch);
    return stream.Write(request);
  }

  void Read(grpc::ClientContext& context, Stream& stream) {
    IngestStreamResponse response;
    while (stream.Read(&response)) {
      MutexLock lock(mutex_);
      if (response.code() == 0 && response.receipt().rejected() == 0) {
        const auto found = std::find_if(unanswered_.begin(), unanswered_.end(),
                                        [&](const Sent& sent) { return sent.sequence == response.sequence(); });
        if (found != unanswered_.end()) {
          result_.sent.Add(found->sums);
          unanswered_.erase(found);
        }
      } else if (response.code() == 0) {
        failure_ = absl::InternalError(fmt::format("events rejected: {}", response.ShortDebugString()));
      }
      // A code other than 0 leaves the batch unanswered: it is sent again with the next stream.
      if (response.code() != 0 || !failure_.ok()) {
        context.TryCancel();
        break;
      }
      changed_.NotifyAll();
    }
    MutexLock lock(mutex_);
    broken_ = true;
    changed_.NotifyAll();
  }

  const Options& options_;
  std::vector<ColumnarTemplate> templates_;
  const std::unique_ptr<IngestService::Stub> stub_;
  uint64_t producer_ = 0;
  uint64_t sequence_ = 0;
  absl::Time start_;
  absl::Time end_;  // of new batches
  Mutex mutex_;
  CondVar changed_;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Sent> unanswered_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  Result result_;
};

}  // namespace

absl::StatusOr<Result> IngestResiliently(const Options& options) {
  return RunConnections(options.connections, [&](uint32_t index) { return ResilientSender(options, index).Run(); });
}

}  // namespace rivermeet::load
