// A gRPC stream of requests with a bounded number unanswered; shared by columns and rows.
#ifndef RIVERMEET_LOAD_GRPC_STREAM_H_
#define RIVERMEET_LOAD_GRPC_STREAM_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/time/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/strings.h"
#include "ingest.h"
#include "rpc/call.h"
#include "rpc/status.h"

namespace rivermeet::load {

template <typename Request, typename Response>
class GrpcStream {
 public:
  using Stream = grpc::ClientReaderWriter<Request, Response>;

  // `open(context)` opens the stream.
  template <typename Open>
  GrpcStream(const Options& options, absl::Time measure_from, Open open)
      : options_(options), measure_from_(measure_from) {
    rpc::PrepareCall(context_, {.bearer = options.api_key}, options.warm_up + options.duration + absl::Minutes(2));
    stream_ = open(&context_);
    reader_ = std::thread([this] { Read(); });
  }

  // Blocks while `in_flight` requests are unanswered; false once the stream has failed.
  bool Send(const Request& request, uint64_t sequence, const Sums& sums) {
    {
      MutexLock lock(mutex_);
      while (unanswered_.size() >= options_.in_flight && failure_.ok()) changed_.Wait(mutex_);
      if (!failure_.ok()) return false;
      unanswered_.emplace(sequence, std::make_pair(absl::Now(), sums));
    }
    return stream_->Write(request);
  }

  // Waits for the answers and returns what became of everything.
  absl::StatusOr<Result> Finish() {
    stream_->WritesDone();
    reader_.join();
    const absl::Status status = rpc::FromGrpc(stream_->Finish());
    MutexLock lock(mutex_);
    RM_RETURN_IF_ERROR(failure_);
    RM_RETURN_IF_ERROR(status);
    if (!unanswered_.empty()) return absl::DataLossError(fmt::format("{} requests got no answer", unanswered_.size()));
    result_.measured = last_answer_ - measure_from_;
    return result_;
  }

 private:
  void Read() {
    Response response;
    while (stream_->Read(&response)) {
      const absl::Time now = absl::Now();
      MutexLock lock(mutex_);
      const auto found = unanswered_.find(response.sequence());
      if (found == unanswered_.end()) {
        failure_ = absl::InternalError(fmt::format("an answer to sequence {}, never sent", response.sequence()));
      } else if (response.code() != 0 || response.receipt().rejected() != 0) {
        failure_ =
            absl::InternalError(fmt::format("sequence {}: {}", response.sequence(), response.ShortDebugString()));
      } else {
        Count(found->second.first, found->second.second, now, response);
        unanswered_.erase(found);
      }
      changed_.NotifyAll();
      if (!failure_.ok()) break;
    }
    MutexLock lock(mutex_);
    if (failure_.ok() && !unanswered_.empty()) failure_ = absl::UnavailableError("the stream ended early");
    changed_.NotifyAll();
  }

  void Count(absl::Time sent, const Sums& sums, absl::Time now, const Response& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    result_.sent.Add(sums);
    result_.visibility_token = response.receipt().visibility_token();
    if (sent < measure_from_) return;
    result_.measured_events += sums.events;
    result_.ack.Record(absl::ToInt64Microseconds(now - sent));
    if (options_.keep_positions) {
      for (const auto& position : response.receipt().positions()) {
        result_.positions.push_back({position.partition(), position.offset(), sent});
      }
    }
    last_answer_ = now;
  }

  const Options& options_;
  const absl::Time measure_from_;
  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
  std::thread reader_;
  Mutex mutex_;
  CondVar changed_;
  std::unordered_map<uint64_t, std::pair<absl::Time, Sums>> unanswered_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  Result result_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_answer_ ABSL_GUARDED_BY(mutex_) = measure_from_;
};

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_GRPC_STREAM_H_
