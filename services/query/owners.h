// The processes that own a stream's partitions, as query sees them.
#ifndef RIVERMEET_QUERY_OWNERS_H_
#define RIVERMEET_QUERY_OWNERS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "query/cancellation.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"

namespace rivermeet::query {

// On whose behalf something is read, and until when.
struct Call {
  std::string tenant;
  // Forwarded with every call to an owner, which verifies it itself.
  std::string bearer;
  std::string traceparent;
  absl::Time deadline = absl::InfiniteFuture();
  // Null: can't be cancelled. Outlives the call.
  Cancellation* cancellation = nullptr;
};

// Partitions that one process owns.
struct OwnedPartitions {
  std::string address;
  std::vector<uint32_t> partitions;
};

// What a watch tells. The calls come one at a time, on threads of the transport; they must not block for long.
class WatchObserver {
 public:
  virtual ~WatchObserver() = default;
  virtual void OnUpdate(const aggregation::v1::WatchPartialsResponse& update) = 0;
  // The watch is over, for whatever reason; the last call.
  virtual void OnClosed(const absl::Status& status) = 0;
};

// A watch under way.
class Watch {
 public:
  virtual ~Watch() = default;
  // Asks it to end; OnClosed() still comes. Harmless when it has ended.
  virtual void Cancel() = 0;
};

// Thread-safe. Every blocking call ends at `call.deadline` or soon after `call.cancellation`.
//
// Errors of all calls, besides the named ones:
//   UNAVAILABLE          An owner can't be reached, or a partition has none just now.
//   FAILED_PRECONDITION  A process asked is not the owner any more. After both: Find() with `refresh`, try again.
//   CANCELLED, DEADLINE_EXCEEDED
class Owners {
 public:
  virtual ~Owners() = default;

  // Who owns `partitions`, grouped by process. `refresh` does not trust what is cached.
  virtual absl::StatusOr<std::vector<OwnedPartitions>> Find(const std::vector<uint32_t>& partitions, bool refresh,
                                                            const Call& call) = 0;

  struct PartialsRead {
    std::string address;
    aggregation::v1::ReadPartialsRequest request;
  };
  // Gets a response of the read with that index; an error ends all reads.
  using PartialsSink = std::function<absl::Status(size_t read, const aggregation::v1::ReadPartialsResponse& response)>;

  // Reads from several owners at the same time. `sink` is called on this thread, one response after the other, and
  // slows the senders down when it is slow.
  virtual absl::Status ReadPartials(const std::vector<PartialsRead>& reads, const Call& call,
                                    const PartialsSink& sink) = 0;

  // Begins to watch. `call.deadline` and `call.cancellation` are not looked at: the watch lasts until it is
  // cancelled or the owner ends it.
  virtual std::shared_ptr<Watch> WatchPartials(const std::string& address,
                                               const aggregation::v1::WatchPartialsRequest& request, const Call& call,
                                               std::shared_ptr<WatchObserver> observer) = 0;

  virtual absl::Status WaitForOffsets(const std::string& address, const aggregation::v1::WaitForOffsetsRequest& request,
                                      const Call& call) = 0;
  virtual absl::StatusOr<aggregation::v1::ReadLedgerResponse> ReadLedger(
      const std::string& address, const aggregation::v1::ReadLedgerRequest& request, const Call& call) = 0;
  virtual absl::StatusOr<aggregation::v1::ReadDimensionValuesResponse> ReadDimensionValues(
      const std::string& address, const aggregation::v1::ReadDimensionValuesRequest& request, const Call& call) = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_OWNERS_H_
