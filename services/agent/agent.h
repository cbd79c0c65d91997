// Streams this machine's metrics to a suite, once a second, and keeps what it could not send.
#ifndef RIVERMEET_AGENT_AGENT_H_
#define RIVERMEET_AGENT_AGENT_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "agent/host_metrics.h"
#include "agent/proc_reader.h"
#include "base/clock.h"
#include "base/stop_signal.h"
#include "client/batch_sender.h"
#include "rivermeet/ingest/v1/streams.grpc.pb.h"

namespace rivermeet::agent {

// The name of this machine in `host`, as uname(2) has it.
std::string LocalHostName();

// Thread-safe. One thread of its own besides the sender's.
class Agent {
 public:
  struct Options {
    std::string address = "127.0.0.1:7401";  // gRPC
    // Of rpc::MakeStreamingChannel(), to that address; null: without TLS.
    std::shared_ptr<grpc::Channel> channel;
    // "rm_..."; asked for at each connection, so that a new key is picked up.
    std::function<std::string()> api_key;
    std::string host = LocalHostName();
    // Names of processes and their use of CPU and memory; arguments are never read.
    bool process_names = true;
    // Where unsent events are kept, over a restart too; empty: in 4 MiB of memory.
    std::string spool_folder;
    uint64_t max_spool_bytes = uint64_t{256} << 20;
    std::string proc = "/proc";
    absl::Duration interval = absl::Seconds(1);
    const Clock* clock = &Clock::System();
  };

  // Does not wait for the suite.
  //
  // Errors:
  //   NOT_FOUND            `proc` is not Linux's /proc.
  //   FAILED_PRECONDITION  Another agent has the spool's folder.
  //   UNAVAILABLE          The spool's folder can't be used.
  static absl::StatusOr<std::unique_ptr<Agent>> Open(Options options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  void Start();

  // Sends what waits until `deadline`; the rest goes to the spool. Idempotent.
  void Stop(absl::Time deadline);

  client::BatchSenderStats Stats() const { return sender_->Stats(); }

 private:
  Agent(Options options, std::unique_ptr<ProcReader> reader, std::shared_ptr<grpc::Channel> channel);
  void Run();
  void DeclareStream();
  void LogChanges();

  const Options options_;
  const std::unique_ptr<ProcReader> reader_;
  const std::unique_ptr<ingest::v1::StreamService::Stub> streams_;
  HostMetrics metrics_;
  std::unique_ptr<client::BatchSender> sender_;
  bool declared_ = false;              // by thread_ alone
  absl::Duration declare_due_;         // by thread_ alone
  client::BatchSenderStats reported_;  // by thread_ alone
  bool failing_ = false;               // by thread_ alone
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace rivermeet::agent

#endif  // RIVERMEET_AGENT_AGENT_H_
