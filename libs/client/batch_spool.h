// A bounded first-in first-out of event batches in a folder: what could not be sent yet, kept over a restart.
#ifndef RIVERMEET_CLIENT_BATCH_SPOOL_H_
#define RIVERMEET_CLIENT_BATCH_SPOOL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::client {

// A batch and what makes its resend recognisable: `sender` is a random number of the process that made it, which
// stands for a producer id once the server has given one.
struct SpooledBatch {
  uint64_t sender = 0;
  uint64_t sequence = 0;
  uint32_t events = 0;
  std::string payload;
};

// Files of about a 64th of the bound, named by their order; each record carries a hash, so that a tail torn by a
// crash is cut at the next open. Appended records reach the disk when a file is full, at Sync() and at the end; a
// power cut can lose the last file, a killed process nothing.
//
// Not thread-safe. One process at a time has a folder; a second one is refused.
class BatchSpool {
 public:
  // Opens or makes the folder.
  //
  // Errors:
  //   UNAVAILABLE          The folder can't be used; the message says why.
  //   FAILED_PRECONDITION  Another process has it.
  static absl::StatusOr<std::unique_ptr<BatchSpool>> Open(std::string folder, uint64_t max_bytes);
  ~BatchSpool();
  BatchSpool(const BatchSpool&) = delete;
  BatchSpool& operator=(const BatchSpool&) = delete;

  // Adds at the end. Over the bound the oldest file is dropped and its events counted.
  //
  // Errors:
  //   RESOURCE_EXHAUSTED  The disk is full.
  //   UNAVAILABLE         It can't be written for another reason.
  absl::Status Append(const SpooledBatch& batch);

  // Puts batches before everything else, in their order.
  absl::Status Prepend(const std::vector<SpooledBatch>& batches);

  // Takes the oldest file's batches out of the queue. Their file stays until Forget(), so that a crash before it
  // brings them back: their sequence tells the server that it has seen them.
  struct Taken {
    uint64_t file = 0;
    std::vector<SpooledBatch> batches;
  };
  absl::StatusOr<std::optional<Taken>> Take();
  absl::Status Forget(uint64_t file);

  // Remembers which producer a sender stands for, durably, before anything is sent under it; 0 forgets it.
  absl::Status SetProducer(uint64_t sender, uint64_t producer_id);
  std::optional<uint64_t> ProducerOf(uint64_t sender) const;

  absl::Status Sync();
  bool empty() const { return files_.empty(); }
  uint64_t size_bytes() const { return size_bytes_; }
  uint64_t dropped_events() const { return dropped_events_; }

 private:
  struct File {
    uint64_t bytes = 0;
    uint64_t events = 0;
  };
  BatchSpool(std::string folder, uint64_t max_bytes) : folder_(std::move(folder)), max_bytes_(max_bytes) {}
  absl::Status Load();
  absl::Status LoadProducers();
  absl::Status OpenWriter();
  absl::Status CloseWriter();
  absl::Status WriteFile(uint64_t number, const std::vector<SpooledBatch>& batches);
  void DropOldest();
  std::string PathOf(uint64_t number) const;

  const std::string folder_;
  const uint64_t max_bytes_;
  int lock_ = -1;
  int writer_ = -1;
  uint64_t writing_ = 0;            // the file that `writer_` is for
  std::map<uint64_t, File> files_;  // in order, not those taken
  std::map<uint64_t, File> taken_;
  std::map<uint64_t, uint64_t> producers_;
  uint64_t size_bytes_ = 0;
  uint64_t dropped_events_ = 0;
};

}  // namespace rivermeet::client

#endif  // RIVERMEET_CLIENT_BATCH_SPOOL_H_
