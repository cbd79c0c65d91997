#include "client/batch_sender.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <set>

#include "client/batch_builder.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace rivermeet::client {
namespace {

// A real gRPC server that remembers what it took, as the log does, and misbehaves as told. Stop() and Start() lose
// connections, not memory.
class RecordingIngest final : public ingest::v1::IngestService::Service {
 public:
  using Key = std::pair<uint64_t, uint64_t>;  // producer, sequence
  enum class Act { kAnswer, kRefuse, kBreakBefore, kBreakAfter, kSilence };
  struct Reply {
    Act act = Act::kAnswer;
    absl::StatusCode code = absl::StatusCode::kOk;
  };

  ~RecordingIngest() override { Stop(); }

  void Start() {
    grpc::ServerBuilder builder;
    int port = port_;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
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
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Decides about each request; called under the lock.
  void Behave(std::function<Reply(const ingest::v1::IngestRequest&)> behaviour) {
    MutexLock lock(mutex_);
    behaviour_ = std::move(behaviour);
  }

  grpc::Status OpenProducer(grpc::ServerContext* context, const ingest::v1::OpenProducerRequest*,
                            ingest::v1::OpenProducerResponse* response) override {
    MutexLock lock(mutex_);
    const auto key = context->client_metadata().find("authorization");
    last_authorization_ =
        key == context->client_metadata().end() ? "" : std::string(key->second.data(), key->second.size());
    response->set_producer_id(++last_producer_);
    return grpc::Status::OK;
  }

  grpc::Status IngestStream(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<ingest::v1::IngestStreamResponse, ingest::v1::IngestStreamRequest>* stream) override {
    ++streams_;
    ingest::v1::IngestStreamRequest message;
    while (stream->Read(&message)) {
      const auto& request = message.request();
      Reply reply;
      {
        MutexLock lock(mutex_);
        if (behaviour_) reply = behaviour_(request);
        if (reply.act == Act::kAnswer || reply.act == Act::kBreakAfter || reply.act == Act::kSilence) {
          if (taken_.insert({request.producer_id(), request.sequence()}).second) {
            order_.push_back({request.producer_id(), request.sequence()});
          } else {
            ++repeats_;
          }
        }
      }
      if (reply.act == Act::kSilence) {
        while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(5));
        return grpc::Status::OK;
      }
      if (reply.act == Act::kBreakBefore || reply.act == Act::kBreakAfter) {
        return {grpc::StatusCode::UNAVAILABLE, "the test broke the stream"};
      }
      ingest::v1::IngestStreamResponse response;
      response.set_sequence(request.sequence());
      if (reply.act == Act::kRefuse) {
        response.set_code(static_cast<int>(reply.code));
        response.set_message("the test refused it");
      } else {
        response.mutable_receipt()->set_accepted(10);
      }
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }

  std::vector<Key> order() {
    MutexLock lock(mutex_);
    return order_;
  }
  uint64_t repeats() {
    MutexLock lock(mutex_);
    return repeats_;
  }
  // Calls of IngestStream so far.
  uint64_t streams() const { return streams_; }
  std::string last_authorization() {
    MutexLock lock(mutex_);
    return last_authorization_;
  }

 private:
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::atomic<uint64_t> streams_ = 0;
  Mutex mutex_;
  std::function<Reply(const ingest::v1::IngestRequest&)> behaviour_ ABSL_GUARDED_BY(mutex_);
  std::set<Key> taken_ ABSL_GUARDED_BY(mutex_);
  std::vector<Key> order_ ABSL_GUARDED_BY(mutex_);
  uint64_t repeats_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_producer_ ABSL_GUARDED_BY(mutex_) = 100;
  std::string last_authorization_ ABSL_GUARDED_BY(mutex_);
};

using Act = RecordingIngest::Act;

absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

BatchSender::Options OptionsFor(const RecordingIngest& server) {
  BatchSender::Options options;
  options.address = server.address();
  options.min_backoff = absl::Milliseconds(10);
  options.max_backoff = absl::Milliseconds(50);
  return options;
}

std::unique_ptr<BatchSender> OpenSender(BatchSender::Options options) {
  auto sender = BatchSender::Open(std::move(options));
  REQUIRE(sender.ok());
  return *std::move(sender);
}

void SendMany(BatchSender& sender, int count) {
  for (int i = 0; i < count; ++i) {
    const auto sequence = sender.SendEncoded(std::string(1000, 'x'), 10, Soon());
    if (!sequence.ok()) FAIL(sequence.status());
  }
}

// Every batch once, in order of its sequence. Where streams broke, the server can still be at work on the end of one
// while it takes the next: then the order between them is open.
void CheckAllTaken(RecordingIngest& server, uint64_t count, bool in_order = true) {
  std::vector<RecordingIngest::Key> order = server.order();
  if (!in_order) std::sort(order.begin(), order.end());
  REQUIRE(order.size() == count);
  for (uint64_t i = 0; i < count; ++i) CHECK(order[i].second == i + 1);
}

TEST_CASE("batches arrive once, in order, with the key, and every result is told", "[sender]") {
  RecordingIngest server;
  server.Start();
  std::vector<uint64_t> results;
  BatchSender::Options options = OptionsFor(server);
  options.api_key = [] { return "rm_a_b"; };
  options.on_result = [&](const BatchResult& result) { results.push_back(result.sequence); };
  const auto sender = OpenSender(std::move(options));
  SendMany(*sender, 500);
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 500);
  CHECK(results.size() == 500);
  CHECK(std::is_sorted(results.begin(), results.end()));
  CHECK(server.last_authorization() == "Bearer rm_a_b");
  CHECK(sender->Stats().accepted_events == 5000);
  CHECK(sender->Stats().waiting_bytes == 0);
}

TEST_CASE("after a broken stream unanswered batches come again under their sequence", "[sender]") {
  const uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  RecordingIngest server;
  std::mt19937_64 random(seed);
  server.Behave([&](const auto&) {
    const uint64_t dice = random() % 50;
    return RecordingIngest::Reply{dice == 0 ? Act::kBreakBefore : dice == 1 ? Act::kBreakAfter : Act::kAnswer};
  });
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  SendMany(*sender, 400);
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 400, false);
  CHECK(sender->Stats().accepted_events == 4000);
  CHECK(sender->Stats().connections > 1);
}

TEST_CASE("a broken stream is the sender's to open again, not gRPC's", "[sender]") {
  RecordingIngest server;
  int breaks = 2;
  server.Behave(
      [&](const auto&) { return breaks-- > 0 ? RecordingIngest::Reply{Act::kBreakBefore} : RecordingIngest::Reply{}; });
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  SendMany(*sender, 1);
  REQUIRE(sender->Flush(Soon()).ok());
  CHECK(sender->Stats().connections == 3);
  CHECK(server.streams() == 3);
}

TEST_CASE("what a server says as it ends a stream is told", "[sender]") {
  RecordingIngest server;
  server.Behave([](const auto& request) {
    return request.sequence() == 10 ? RecordingIngest::Reply{Act::kBreakBefore} : RecordingIngest::Reply{};
  });
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  SendMany(*sender, 200);
  REQUIRE(testing::Eventually([&] { return sender->Stats().connections >= 20; }));
  CHECK(sender->Stats().last_error == absl::UnavailableError("the test broke the stream"));
}

TEST_CASE("a server that goes away and comes back loses nothing", "[sender]") {
  RecordingIngest server;
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  SendMany(*sender, 50);
  REQUIRE(sender->Flush(Soon()).ok());
  server.Stop();
  SendMany(*sender, 50);
  CHECK(absl::IsDeadlineExceeded(sender->Flush(absl::Now() + absl::Milliseconds(50))));
  server.Start();
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 100);
}

TEST_CASE("a batch refused for good is told and the rest goes on", "[sender]") {
  RecordingIngest server;
  server.Behave([](const auto& request) {
    return request.sequence() == 3 ? RecordingIngest::Reply{Act::kRefuse, absl::StatusCode::kInvalidArgument}
                                   : RecordingIngest::Reply{};
  });
  server.Start();
  std::map<uint64_t, absl::Status> results;
  BatchSender::Options options = OptionsFor(server);
  options.on_result = [&](const BatchResult& result) { results[result.sequence] = result.status; };
  const auto sender = OpenSender(std::move(options));
  SendMany(*sender, 5);
  REQUIRE(sender->Flush(Soon()).ok());
  CHECK(results.size() == 5);
  CHECK(absl::IsInvalidArgument(results[3]));
  CHECK(results[4].ok());
  CHECK(sender->Stats().rejected_events == 10);
  CHECK(sender->Stats().connections == 1);
}

TEST_CASE("a refusal for now is tried again until it is taken", "[sender]") {
  RecordingIngest server;
  int refusals = 3;
  server.Behave([&](const auto& request) {
    if (request.sequence() == 2 && refusals-- > 0) {
      return RecordingIngest::Reply{Act::kRefuse, absl::StatusCode::kResourceExhausted};
    }
    return RecordingIngest::Reply{};
  });
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  SendMany(*sender, 1);
  REQUIRE(sender->Flush(Soon()).ok());
  SendMany(*sender, 1);
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 2);
  CHECK(sender->Stats().rejected_events == 0);
}

TEST_CASE("a producer that the server has forgotten is opened anew, once", "[sender]") {
  RecordingIngest server;
  server.Behave([](const auto& request) {
    return request.producer_id() == 101 ? RecordingIngest::Reply{Act::kRefuse, absl::StatusCode::kNotFound}
                                        : RecordingIngest::Reply{};
  });
  server.Start();
  const testing::TempDir folder;
  BatchSender::Options options = OptionsFor(server);
  SECTION("without a spool") {}
  SECTION("with a spool") { options.spool_folder = folder.path(); }
  const auto sender = OpenSender(std::move(options));
  SendMany(*sender, 20);
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 20);
  CHECK(server.order().front().first == 102);
}

TEST_CASE("a server that knows no producer refuses the batch in the end, instead of a loop without end", "[sender]") {
  RecordingIngest server;
  server.Behave([](const auto&) {
    return RecordingIngest::Reply{Act::kRefuse, absl::StatusCode::kFailedPrecondition};
  });
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  SendMany(*sender, 3);
  REQUIRE(sender->Flush(Soon()).ok());
  CHECK(sender->Stats().rejected_events == 30);
}

TEST_CASE("a server that falls silent is left and the batch sent again", "[sender]") {
  RecordingIngest server;
  std::atomic<bool> silent = true;
  server.Behave(
      [&](const auto&) { return RecordingIngest::Reply{silent.exchange(false) ? Act::kSilence : Act::kAnswer}; });
  server.Start();
  BatchSender::Options options = OptionsFor(server);
  options.answer_timeout = absl::Milliseconds(200);
  const auto sender = OpenSender(std::move(options));
  SendMany(*sender, 1);
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 1);
  CHECK(server.repeats() == 1);
}

TEST_CASE("without a spool memory is bounded: sending waits, and says why at its deadline", "[sender]") {
  RecordingIngest server;
  server.Start();
  server.Stop();
  BatchSender::Options options = OptionsFor(server);
  options.max_memory_bytes = 3000;
  const auto sender = OpenSender(std::move(options));
  SendMany(*sender, 3);
  const auto fourth = sender->SendEncoded(std::string(1000, 'x'), 10, absl::Now() + absl::Milliseconds(100));
  CHECK(absl::IsDeadlineExceeded(fourth.status()));
  server.Start();
  SendMany(*sender, 10);
  REQUIRE(sender->Flush(Soon()).ok());
  CheckAllTaken(server, 13);
}

TEST_CASE("what could not be sent is kept over a restart and sent first", "[sender]") {
  RecordingIngest server;
  server.Start();
  server.Stop();
  const testing::TempDir folder;
  BatchSender::Options options = OptionsFor(server);
  options.spool_folder = folder.path();
  options.max_memory_bytes = 3000;
  {
    const auto sender = OpenSender(options);
    SendMany(*sender, 40);
    sender->Stop();
    CHECK(sender->Stats().dropped_events == 0);
  }
  const auto sender = OpenSender(options);
  SendMany(*sender, 10);
  server.Start();
  REQUIRE(sender->Flush(Soon()).ok());
  const auto order = server.order();
  REQUIRE(order.size() == 50);
  for (uint64_t i = 0; i < 40; ++i) CHECK(order[i].second == i + 1);
  for (uint64_t i = 0; i < 10; ++i) CHECK(order[40 + i].second == i + 1);
  CHECK(order[0].first != order[40].first);
  CHECK(server.repeats() == 0);
}

TEST_CASE("batches sent but not answered before a restart are recognised as repeats after it", "[sender]") {
  RecordingIngest server;
  std::atomic<bool> silent = true;
  server.Behave([&](const auto&) { return RecordingIngest::Reply{silent ? Act::kSilence : Act::kAnswer}; });
  server.Start();
  const testing::TempDir folder;
  BatchSender::Options options = OptionsFor(server);
  options.spool_folder = folder.path();
  {
    const auto sender = OpenSender(options);
    SendMany(*sender, 1);
    while (server.order().empty()) absl::SleepFor(absl::Milliseconds(1));
  }
  silent = false;
  const auto sender = OpenSender(options);
  SendMany(*sender, 1);
  REQUIRE(sender->Flush(Soon()).ok());
  CHECK(server.order().size() == 2);
  CHECK(server.repeats() == 1);
}

TEST_CASE("a batch over the limit and options out of range are refused", "[sender]") {
  RecordingIngest server;
  server.Start();
  const auto sender = OpenSender(OptionsFor(server));
  CHECK(absl::IsInvalidArgument(sender->SendEncoded(std::string(kMaxBatchBytes + 1, 'x'), 1, Soon()).status()));
  BatchSender::Options options = OptionsFor(server);
  options.max_in_flight = 1024;
  CHECK(absl::IsInvalidArgument(BatchSender::Open(options).status()));
  sender->Stop();
  CHECK(absl::IsCancelled(sender->SendEncoded("x", 1, Soon()).status()));
}

}  // namespace
}  // namespace rivermeet::client
