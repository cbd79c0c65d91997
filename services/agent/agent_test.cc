#include "agent/agent.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/agent_command.h"
#include "base/status.h"
#include "commandline/command_app.h"
#include "commandline/help_document.h"
#include "testing/temp_dir.h"

namespace rivermeet::agent {
namespace {

// A real gRPC server that takes streams and batches and remembers them.
class Suite final : public ingest::v1::IngestService::Service {
 public:
  class Streams final : public ingest::v1::StreamService::Service {
   public:
    grpc::Status PutStream(grpc::ServerContext*, const ingest::v1::PutStreamRequest* request,
                           ingest::v1::PutStreamResponse*) override {
      MutexLock lock(mutex);
      declared = request->stream();
      return grpc::Status::OK;
    }
    Mutex mutex;
    events::v1::Stream declared ABSL_GUARDED_BY(mutex);
  };

  void Start() {
    grpc::ServerBuilder builder;
    int port = port_;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    builder.RegisterService(&streams);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
    port_ = port;
  }
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }
  ~Suite() override { Stop(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status OpenProducer(grpc::ServerContext*, const ingest::v1::OpenProducerRequest*,
                            ingest::v1::OpenProducerResponse* response) override {
    response->set_producer_id(7);
    return grpc::Status::OK;
  }
  grpc::Status IngestStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<ingest::v1::IngestStreamResponse, ingest::v1::IngestStreamRequest>* stream) override {
    ingest::v1::IngestStreamRequest request;
    while (stream->Read(&request)) {
      events::v1::EventBatch batch;
      RM_CHECK(batch.ParseFromString(request.request().batch()));
      ingest::v1::IngestStreamResponse response;
      response.set_sequence(request.request().sequence());
      response.mutable_receipt()->set_accepted(static_cast<uint64_t>(batch.series_index_size()));
      {
        MutexLock lock(mutex_);
        times_us_.push_back(batch.base_time_us());
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
  std::vector<int64_t> times_us() {
    MutexLock lock(mutex_);
    return times_us_;
  }

  Streams streams;

 private:
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  Mutex mutex_;
  std::vector<int64_t> times_us_ ABSL_GUARDED_BY(mutex_);
};

template <typename Condition>
void WaitFor(Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    REQUIRE(absl::Now() < deadline);
    absl::SleepFor(absl::Milliseconds(5));
  }
}

Agent::Options OptionsFor(const Suite& suite) {
  Agent::Options options;
  options.address = suite.address();
  options.interval = absl::Milliseconds(20);
  return options;
}

TEST_CASE("the agent declares its stream and sends a sample each interval", "[agent]") {
  Suite suite;
  suite.Start();
  const auto agent = Agent::Open(OptionsFor(suite)).value();
  agent->Start();
  WaitFor([&] { return suite.times_us().size() >= 5; });
  agent->Stop(absl::Now() + absl::Seconds(10));
  const std::vector<int64_t> times = suite.times_us();
  CHECK(std::is_sorted(times.begin(), times.end()));
  CHECK(agent->Stats().batches_answered == times.size());
  MutexLock lock(suite.streams.mutex);
  CHECK(suite.streams.declared.name() == "host.metrics");
}

TEST_CASE("samples taken while the suite is away arrive in order, also from an agent that was stopped", "[agent]") {
  Suite suite;
  suite.Start();
  suite.Stop();
  const rivermeet::testing::TempDir folder;
  Agent::Options options = OptionsFor(suite);
  options.spool_folder = folder / "spool";
  uint64_t kept = 0;
  {
    const auto agent = Agent::Open(options).value();
    agent->Start();
    WaitFor([&] { return agent->Stats().spool_bytes > 0; });
    agent->Stop(absl::Now());
    kept = agent->Stats().spool_bytes;
    CHECK(agent->Stats().dropped_events == 0);
  }
  CHECK(kept > 0);
  suite.Start();
  const auto agent = Agent::Open(options).value();
  agent->Start();
  WaitFor([&] { return suite.times_us().size() >= 5 && agent->Stats().spool_bytes == 0; });
  agent->Stop(absl::Now() + absl::Seconds(10));
  const std::vector<int64_t> times = suite.times_us();
  CHECK(std::is_sorted(times.begin(), times.end()));
}

TEST_CASE("two agents can't share a spool", "[agent]") {
  Suite suite;
  suite.Start();
  const rivermeet::testing::TempDir folder;
  Agent::Options options = OptionsFor(suite);
  options.spool_folder = folder.path();
  const auto agent = Agent::Open(options).value();
  CHECK(absl::IsFailedPrecondition(Agent::Open(options).status()));
}

TEST_CASE("the command tells a wrong flag from a refusal", "[agent]") {
  const auto run = [](std::vector<const char*> arguments) {
    CLI::App app("A program", "rivermeet");
    commandline::PrepareApp(app);
    AddCommands(app);
    arguments.insert(arguments.begin(), {"rivermeet", "agent"});
    return commandline::RunApp(app, static_cast<int>(arguments.size()), arguments.data());
  };
  CHECK(run({"--nothing"}) == commandline::kUsage);
  CHECK(run({"--key-file", "/nowhere"}) == commandline::kFailed);
  CHECK(run({"--print", "--no-process-names", "--host", "test"}) == commandline::kOk);
}

}  // namespace
}  // namespace rivermeet::agent
