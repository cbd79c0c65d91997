// Streams event batches to ingest over gRPC so that each is counted exactly once, whatever breaks on the way.
//
// A batch gets a sequence when it is handed over and keeps it: after a lost connection it is sent again under the
// same producer and sequence, and the owner of its partition recognises the repeat (ingest.proto, OpenProducer).
// A producer that the server has forgotten (7 days without a batch) is replaced by a new one.
#ifndef RIVERMEET_CLIENT_BATCH_SENDER_H_
#define RIVERMEET_CLIENT_BATCH_SENDER_H_

#include <grpcpp/channel.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "client/batch_spool.h"
#include "rivermeet/events/v1/event_batch.pb.h"
#include "rivermeet/ingest/v1/ingest.grpc.pb.h"

namespace rivermeet::client {

// What became of one batch; final.
struct BatchResult {
  uint64_t sequence = 0;
  uint32_t events = 0;
  // Not OK: the batch was refused as a whole and will not be sent again.
  absl::Status status;
  ingest::v1::Receipt receipt;
  // From the first hand-over to the answer; of a batch from the spool, from when it was read back.
  absl::Duration latency;
};

struct BatchSenderStats {
  bool connected = false;
  absl::Status last_error;       // of the last connection that ended; OK once batches are answered again
  uint64_t accepted_events = 0;  // durable
  uint64_t rejected_events = 0;  // not taken, alone or with their whole batch
  uint64_t dropped_events = 0;   // fell out of the spool or could not be kept
  uint64_t batches_answered = 0;
  uint64_t batches_waiting = 0;  // in memory, not answered
  uint64_t waiting_bytes = 0;    // the same, in bytes
  uint64_t spool_bytes = 0;
  uint64_t connections = 0;  // made so far
};

// Thread-safe. Batches go out in the order of Send(); three threads of its own.
class BatchSender {
 public:
  struct Options {
    // "host:port" of the gRPC server; or a channel of rpc::MakeStreamingChannel(), which comes first.
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
    // "rm_..."; asked for at each connection, so that a new key is picked up.
    std::function<std::string()> api_key;
    // Unanswered batches, 1 to 1,023: the owner recognises repeats among the last 1,024.
    size_t max_in_flight = 256;
    // Batches in memory that are not answered, in bytes. More go to the spool, or Send() waits.
    size_t max_memory_bytes = size_t{64} << 20;
    // Keeps what can't be sent, here and over a restart; empty: nowhere.
    std::string spool_folder;
    uint64_t max_spool_bytes = uint64_t{256} << 20;
    // Called in order, from a thread of the sender's: return soon, don't call the sender's Stop() or Flush().
    std::function<void(const BatchResult&)> on_result;
    // A batch without an answer for so long means that the connection is dead.
    absl::Duration answer_timeout = absl::Seconds(30);
    // Between attempts to connect; doubles from the first to the second.
    absl::Duration min_backoff = absl::Milliseconds(100);
    absl::Duration max_backoff = absl::Seconds(5);
    const Clock* clock = &Clock::System();
  };

  // Does not wait for the server.
  //
  // Errors:
  //   INVALID_ARGUMENT     Options out of their ranges.
  //   FAILED_PRECONDITION  Another process has the spool's folder.
  //   UNAVAILABLE          The spool's folder can't be used.
  static absl::StatusOr<std::unique_ptr<BatchSender>> Open(Options options);

  // Stops at once; see Stop().
  ~BatchSender();
  BatchSender(const BatchSender&) = delete;
  BatchSender& operator=(const BatchSender&) = delete;

  // Hands a batch over; returns its sequence. Blocks while memory is full and there is no spool.
  //
  // Errors:
  //   INVALID_ARGUMENT     The encoded batch is over kMaxBatchBytes. Split it.
  //   DEADLINE_EXCEEDED    Memory was full until `deadline`; the batch was not taken.
  //   RESOURCE_EXHAUSTED,
  //   UNAVAILABLE          It had to go to the spool, and that can't be written; it is counted as dropped.
  //   CANCELLED            The sender is stopped.
  absl::StatusOr<uint64_t> Send(const events::v1::EventBatch& batch, absl::Time deadline);
  // The same with a serialized EventBatch of `events` events, which is not looked into.
  absl::StatusOr<uint64_t> SendEncoded(std::string batch, uint32_t events, absl::Time deadline);

  // Waits until everything handed over, the spool included, is answered.
  //
  // Errors:
  //   DEADLINE_EXCEEDED  It was not; the message says how much is left and what the last error was.
  absl::Status Flush(absl::Time deadline);

  // Ends the connection. What is not answered goes to the spool; without one it is counted as dropped. Idempotent.
  void Stop();

  BatchSenderStats Stats() const;

 private:
  struct Item {
    uint64_t sender = 0;
    uint64_t producer_id = 0;  // 0: not known yet
    uint64_t spool_file = 0;   // 0: not from the spool
    uint32_t events = 0;
    absl::Duration since;  // monotonic time of the hand-over
    absl::Duration sent;   // monotonic time of the last transmission
    // Shared with the writer, which may still be writing it when a bad server answers.
    std::shared_ptr<ingest::v1::IngestStreamRequest> request;
    size_t bytes() const { return request->request().batch().size(); }
  };
  struct Connection;

  explicit BatchSender(Options options);
  void Run();
  absl::Status RunConnection();
  void Supervise(Connection& connection);
  void Write(Connection& connection);
  void Read(Connection& connection);
  // False when the answer ends the connection.
  bool Answer(const ingest::v1::IngestStreamResponse& response, Connection& connection);
  absl::Status OpenProducers();
  void LoseProducer(uint64_t sender) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AfterConnection(const absl::Status& status);
  void Requeue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SpillToSpool() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefillFromSpool() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const Item& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DrainedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::unique_ptr<grpc::ClientContext> NewContext() const;

  const Options options_;
  const uint64_t sender_;  // this sender's own random number
  std::unique_ptr<ingest::v1::IngestService::Stub> stub_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Item> pending_ ABSL_GUARDED_BY(mutex_);    // to be sent
  std::deque<Item> in_flight_ ABSL_GUARDED_BY(mutex_);  // sent, not answered
  std::map<uint64_t, uint64_t> unanswered_of_file_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, uint64_t> producers_ ABSL_GUARDED_BY(mutex_);  // by sender
  // Senders whose producer the server did not know, until an answer says that the new one works.
  std::set<uint64_t> renewed_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<BatchSpool> spool_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t memory_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  BatchSenderStats stats_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* opening_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of an OpenProducer call under way
  std::thread thread_;
};

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_BATCH_SENDER_H_
