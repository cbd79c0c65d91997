// Sends a file of events, several requests at a time, so that going on after a break counts nothing twice.
#ifndef RIVERMEET_CLI_UPLOAD_H_
#define RIVERMEET_CLI_UPLOAD_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "cli/record_splitter.h"
#include "client/rivermeet_client.h"

namespace rivermeet::cli {

// How far an upload is: everything before `offset` is answered. Kept in a file beside the data, it lets another
// process go on: the bodies after `offset` are cut alike and sent under the same sequences.
struct UploadState {
  std::string stream;
  std::string format;
  uint64_t producer_id = 0;
  uint64_t next_sequence = 1;
  uint64_t offset = 0;
  uint64_t max_events = 0;  // in one request, as the bodies before were cut
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  uint64_t head_hash = 0;  // of the input's first bytes, at most 64 KiB and at most `offset`
  std::string csv_header;
};

// Through a rename, so that a reader never sees half of it.
absl::Status WriteUploadState(const std::string& path, const UploadState& state);
// Errors:
//   NOT_FOUND         No such file.
//   INVALID_ARGUMENT  Not what WriteUploadState() writes.
absl::StatusOr<UploadState> ReadUploadState(const std::string& path);

// Runs once. The calling thread reads the input and cuts it, others send.
class Upload {
 public:
  struct Options {
    InputFormat format = InputFormat::kNdjson;
    // More than one at a time may be appended in another order than the input's.
    int parallel = 1;
    // How long one request is tried again before the upload ends.
    absl::Duration give_up_after = absl::Minutes(2);
    // The next piece of the input, from the state's offset on; empty at its end. Blocks.
    std::function<absl::StatusOr<std::string>()> read;
    // Each answer, in the order of the input, one at a time; the state already counts it.
    std::function<absl::Status(const EventBody&, const ingest::v1::Receipt&, const UploadState&)> on_answer;
    // Told when a request is tried again.
    std::function<void(const absl::Status&)> on_retry;
    std::function<bool()> cancelled;
  };

  // Both outlive the upload. `state` has a producer.
  Upload(client::RivermeetClient& client, UploadState& state, Options options);

  // Errors:
  //   INVALID_ARGUMENT   The input can't be cut, or the server refused a request for good; nothing after `state`
  //                      counts as done.
  //   UNAVAILABLE, ...   What the last try of a request said.
  //   CANCELLED          `cancelled` said so.
  absl::Status Run();

 private:
  struct Job {
    uint64_t sequence;
    EventBody body;
  };
  struct Done {
    EventBody body;
    ingest::v1::Receipt receipt;
  };

  void Work();
  absl::StatusOr<ingest::v1::Receipt> SendOne(const Job& job);
  void Finish(Job job, const absl::StatusOr<ingest::v1::Receipt>& receipt);
  absl::Status ReadAndCut();
  // Waits for room and hands a body to the workers; false once the upload has failed.
  bool Submit(EventBody body);
  bool Stopped();

  client::RivermeetClient& client_;
  UploadState& state_;  // under mutex_ while workers run
  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  std::map<uint64_t, Job> waiting_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Done> done_ ABSL_GUARDED_BY(mutex_);  // answered before an earlier one was
  uint64_t submitted_ ABSL_GUARDED_BY(mutex_) = 0;         // the last sequence handed out
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_UPLOAD_H_
