// The rules of the query service: from a request to an answer. Knows no gRPC, no catalog and no files.
#ifndef RIVERMEET_QUERY_QUERY_SERVICE_H_
#define RIVERMEET_QUERY_QUERY_SERVICE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "query/owners.h"
#include "query/plan.h"
#include "query/planner.h"
#include "query/query_metrics.h"
#include "query/segment_reader.h"
#include "query/stream_directory.h"
#include "rivermeet/query/v1/query.pb.h"
#include "visibility/visibility_token.h"

namespace rivermeet::query {

struct QueryServiceOptions {
  PlannerLimits planner;
  // The longest time a query may take.
  absl::Duration timeout = absl::Seconds(30);
  // Memory that one query may use while it merges, in bytes.
  uint64_t memory_bytes = uint64_t{256} << 20;
  // How long owners that are away are waited for: longer than a lease, so that a killed owner's successor is found.
  absl::Duration owner_patience = absl::Seconds(12);
};

// Thread-safe. Every call blocks, at most until the earlier of `call.deadline` and the timeout.
//
// Errors of every call:
//   INVALID_ARGUMENT    The message begins with the field at fault.
//   NOT_FOUND           No such stream.
//   PERMISSION_DENIED   The visibility token is another tenant's.
//   RESOURCE_EXHAUSTED  Over a limit; the message names it. Ask for less.
//   UNAVAILABLE         A partition has no owner, or the catalog is away. Retry.
//   CANCELLED, DEADLINE_EXCEEDED
class QueryService {
 public:
  // All outlive the service.
  QueryService(QueryServiceOptions options, StreamDirectory& streams, Owners& owners, SegmentReader& segments,
               const visibility::VisibilityTokens& tokens, QueryMetrics& metrics, const Clock& clock);

  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request, const Call& call);
  absl::StatusOr<v1::ListDimensionValuesResponse> ListDimensionValues(const v1::ListDimensionValuesRequest& request,
                                                                      const Call& call);
  absl::StatusOr<v1::GetLedgerResponse> GetLedger(const v1::GetLedgerRequest& request, const Call& call);

  // What a subscription shall watch.
  absl::StatusOr<Plan> PlanSubscription(const v1::SubscribeRequest& request, const Call& call);

 private:
  struct Reading;

  Call Bounded(const Call& call) const;
  absl::StatusOr<std::shared_ptr<const events::v1::Stream>> FindStream(const Call& call, const std::string& name);
  absl::Status WaitFor(const std::string& token, const std::string& stream, const Call& call);
  absl::Status ReadOnce(const Plan& plan, bool refresh, const Call& call, Reading& reading);
  // Runs `attempt` again, with fresh owners, while it fails because an owner is away or has changed.
  absl::Status WithOwners(const Call& call, const std::function<absl::Status(bool refresh)>& attempt);

  const QueryServiceOptions options_;
  StreamDirectory& streams_;
  Owners& owners_;
  SegmentReader& segments_;
  const visibility::VisibilityTokens& tokens_;
  QueryMetrics& metrics_;
  const Clock& clock_;
};

// Whether an owner that is away or has changed may be the reason.
bool IsOwnerTrouble(const absl::Status& status);

// Blocks for `pause` at most; returns early with
//   CANCELLED, DEADLINE_EXCEEDED  of the call.
absl::Status Pause(absl::Duration pause, const Call& call, const Clock& clock);

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_QUERY_SERVICE_H_
