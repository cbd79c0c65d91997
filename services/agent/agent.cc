#include "agent/agent.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "rpc/channel.h"
#include "rpc/status.h"
#include "telemetry/logging.h"

namespace rivermeet::agent {
namespace {

using telemetry::Level;
using telemetry::Log;

constexpr absl::Duration kDeclareTimeout = absl::Seconds(2);

}  // namespace

std::string LocalHostName() {
  utsname name{};
  return uname(&name) == 0 && name.nodename[0] != '\0' ? name.nodename : "localhost";
}

absl::StatusOr<std::unique_ptr<Agent>> Agent::Open(Options options) {
  RM_ASSIGN_OR_RETURN(
      std::unique_ptr<ProcReader> reader,
      ProcReader::Open({.proc = options.proc, .processes = options.process_names, .clock = options.clock}));
  std::shared_ptr<grpc::Channel> channel =
      options.channel != nullptr ? options.channel : rpc::MakeStreamingChannel(options.address);
  std::unique_ptr<Agent> agent(new Agent(std::move(options), std::move(reader), channel));
  client::BatchSender::Options sender;
  sender.channel = std::move(channel);
  sender.api_key = agent->options_.api_key;
  sender.max_memory_bytes = size_t{4} << 20;
  sender.spool_folder = agent->options_.spool_folder;
  sender.max_spool_bytes = agent->options_.max_spool_bytes;
  sender.on_result = [](const client::BatchResult& result) {
    if (!result.status.ok()) Log(Level::kWarn, "a batch was refused", {{"reason", result.status}});
    if (result.receipt.rejected() > 0) {
      const bool told = result.receipt.errors_size() > 0;
      Log(Level::kWarn, "events were rejected",
          {{"events", result.receipt.rejected()},
           {"field", told ? result.receipt.errors(0).field() : ""},
           {"reason", told ? result.receipt.errors(0).reason() : ""}});
    }
  };
  RM_ASSIGN_OR_RETURN(agent->sender_, client::BatchSender::Open(std::move(sender)));
  return agent;
}

Agent::Agent(Options options, std::unique_ptr<ProcReader> reader, std::shared_ptr<grpc::Channel> channel)
    : options_(std::move(options)),
      reader_(std::move(reader)),
      streams_(ingest::v1::StreamService::NewStub(std::move(channel))),
      metrics_(options_.host, sysconf(_SC_CLK_TCK), sysconf(_SC_PAGESIZE)) {}

Agent::~Agent() { Stop(absl::InfinitePast()); }

void Agent::Start() {
  RM_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { Run(); });
}

void Agent::Stop(absl::Time deadline) {
  stop_.Stop();
  if (thread_.joinable()) thread_.join();
  if (sender_ == nullptr) return;
  (void)sender_->Flush(deadline);
  sender_->Stop();
}

void Agent::Run() {
  absl::Duration next = options_.clock->MonotonicNow();
  do {
    DeclareStream();
    const absl::StatusOr<uint64_t> sent = sender_->Send(metrics_.Next(reader_->Read()), absl::InfinitePast());
    if (!sent.ok() && !std::exchange(failing_, true)) {
      Log(Level::kWarn, "metrics can't be kept any more and are lost", {{"reason", sent.status()}});
    }
    failing_ = failing_ && !sent.ok();
    LogChanges();
    // After a pause (a suspended machine) it goes on from now instead of making up for it.
    next = std::max(next + options_.interval, options_.clock->MonotonicNow());
  } while (stop_.SleepUntil(next, *options_.clock));
}

// Before the first batch where the suite is there, so that the stream has its units from the start.
void Agent::DeclareStream() {
  const absl::Duration now = options_.clock->MonotonicNow();
  if (declared_ || now < declare_due_) return;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kDeclareTimeout));
  if (const std::string key = options_.api_key ? options_.api_key() : ""; !key.empty()) {
    context.AddMetadata("authorization", "Bearer " + key);
  }
  ingest::v1::PutStreamRequest request;
  *request.mutable_stream() = HostMetricsStream();
  ingest::v1::PutStreamResponse response;
  const absl::Status status = rpc::FromGrpc(streams_->PutStream(&context, request, &response));
  declared_ = status.ok();
  declare_due_ = now + (absl::IsUnavailable(status) ? absl::Seconds(5) : absl::Seconds(60));
  if (!status.ok() && !absl::IsUnavailable(status)) {
    Log(Level::kWarn, "the stream can't be declared; it has no units", {{"stream", kHostMetrics}, {"reason", status}});
  }
}

void Agent::LogChanges() {
  const client::BatchSenderStats stats = sender_->Stats();
  const bool works = stats.last_error.ok() && stats.batches_answered > 0;
  const bool worked = reported_.last_error.ok() && reported_.batches_answered > 0;
  if (works && !worked) {
    Log(Level::kInfo, "sending metrics", {{"to", options_.address}, {"host", options_.host}});
  } else if (stats.last_error.code() != reported_.last_error.code() && !stats.last_error.ok()) {
    Log(Level::kWarn, "metrics can't be sent now; they are kept",
        {{"to", options_.address}, {"reason", stats.last_error}});
  }
  if (stats.dropped_events > reported_.dropped_events) {
    Log(Level::kWarn, "the oldest kept metrics were dropped",
        {{"events", stats.dropped_events - reported_.dropped_events}});
  }
  reported_ = stats;
}

}  // namespace rivermeet::agent
