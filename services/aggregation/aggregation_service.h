// The rules of reading from owners: which partitions are here, whose data it is, what fits together.
#ifndef RIVERMEET_AGGREGATION_AGGREGATION_SERVICE_H_
#define RIVERMEET_AGGREGATION_AGGREGATION_SERVICE_H_

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aggregation/aggregation_metrics.h"
#include "aggregation/partition_owner.h"
#include "aggregation/watch_hub.h"
#include "base/mutex.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"

namespace rivermeet::aggregation {

// Thread-safe. `tenant` is from the caller's verified token everywhere; another tenant's stream looks like one
// without events.
//
// Errors of every function, besides those named:
//   INVALID_ARGUMENT     The request can't be; the message says why.
//   FAILED_PRECONDITION  A partition is not owned here: find its owner anew.
//   UNAVAILABLE          The process is stopping, or a partition is changing hands. Retry after a pause.
//   DATA_LOSS            The log is damaged where a partition's fold stands.
class AggregationService {
 public:
  // `metrics` outlives this. An answer and an update of a watch have at most `answer_bytes` of rows.
  explicit AggregationService(AggregationMetrics& metrics, size_t answer_bytes = size_t{128} << 20);

  void Add(std::shared_ptr<PartitionOwner> owner);
  // Closes its watches; running reads end with what they have.
  void Remove(uint32_t partition);
  // What owners call when something changed.
  void OnChange() { hub_.Wake(); }
  WatchHub& hub() { return hub_; }

  // Gives `send` one message or several, each of about 4 MiB at most and as soon as it is full. Blocks while it adds
  // up; an error of `send` ends it.
  //
  // Errors:
  //   INVALID_ARGUMENT  The answer is over the limit; the message says what to narrow.
  using ReadSink = absl::FunctionRef<absl::Status(v1::ReadPartialsResponse)>;
  absl::Status ReadPartials(std::string_view tenant, const v1::ReadPartialsRequest& request, ReadSink send);

  absl::Status WatchPartials(std::string_view tenant, const v1::WatchPartialsRequest& request,
                             std::shared_ptr<WatchSubscriber> subscriber);

  // Waits for all positions; `done` is called once, perhaps before this returns.
  class Wait;
  using WaitDone = absl::AnyInvocable<void(const absl::Status&)>;
  std::shared_ptr<Wait> WaitForOffsets(const v1::WaitForOffsetsRequest& request, WaitDone done);
  // `done` gets CANCELLED when it was not called yet.
  void CancelWait(const std::shared_ptr<Wait>& wait);

  // Ledgers of what is folded: first wait for the log's end, as LedgerPositions() names it.
  absl::StatusOr<v1::ReadLedgerResponse> ReadLedger(std::string_view tenant, const v1::ReadLedgerRequest& request);
  // The ends of the partitions' logs: folded so far, nothing of what was acknowledged before is missing.
  absl::StatusOr<v1::WaitForOffsetsRequest> LedgerPositions(const v1::ReadLedgerRequest& request, absl::Time deadline);

  absl::StatusOr<v1::ReadDimensionValuesResponse> ReadDimensionValues(std::string_view tenant,
                                                                      const v1::ReadDimensionValuesRequest& request);

 private:
  template <typename Partitions>
  absl::StatusOr<std::vector<std::shared_ptr<PartitionOwner>>> Owners(const Partitions& partitions);

  AggregationMetrics& metrics_;
  const size_t answer_bytes_;
  Mutex mutex_;
  std::map<uint32_t, std::shared_ptr<PartitionOwner>> owners_ ABSL_GUARDED_BY(mutex_);
  WatchHub hub_;
};

}  // namespace rivermeet::aggregation

#endif  // RIVERMEET_AGGREGATION_AGGREGATION_SERVICE_H_
