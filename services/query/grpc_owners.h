// Owners reached by gRPC: in this process through an in-process channel, elsewhere over the network.
#ifndef RIVERMEET_QUERY_GRPC_OWNERS_H_
#define RIVERMEET_QUERY_GRPC_OWNERS_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/strings.h"
#include "query/owner_directory.h"
#include "query/owners.h"
#include "rivermeet/aggregation/v1/aggregation.grpc.pb.h"

namespace rivermeet::query {

// Thread-safe.
class GrpcOwners : public Owners {
 public:
  // Makes the channel to an address; called once an address.
  using MakeChannel = std::function<std::shared_ptr<grpc::Channel>(const std::string& address)>;

  // `directory` outlives this.
  GrpcOwners(OwnerDirectory& directory, MakeChannel make_channel);

  absl::StatusOr<std::vector<OwnedPartitions>> Find(const std::vector<uint32_t>& partitions, bool refresh,
                                                    const Call& call) override;
  absl::Status ReadPartials(const std::vector<PartialsRead>& reads, const Call& call,
                            const PartialsSink& sink) override;
  std::shared_ptr<Watch> WatchPartials(const std::string& address, const aggregation::v1::WatchPartialsRequest& request,
                                       const Call& call, std::shared_ptr<WatchObserver> observer) override;
  absl::Status WaitForOffsets(const std::string& address, const aggregation::v1::WaitForOffsetsRequest& request,
                              const Call& call) override;
  absl::StatusOr<aggregation::v1::ReadLedgerResponse> ReadLedger(const std::string& address,
                                                                 const aggregation::v1::ReadLedgerRequest& request,
                                                                 const Call& call) override;
  absl::StatusOr<aggregation::v1::ReadDimensionValuesResponse> ReadDimensionValues(
      const std::string& address, const aggregation::v1::ReadDimensionValuesRequest& request,
      const Call& call) override;

 private:
  using Stub = aggregation::v1::AggregationService::Stub;
  // Shared, because watches go on with it while the map may drop it.
  std::shared_ptr<Stub> StubFor(const std::string& address);

  OwnerDirectory& directory_;
  const MakeChannel make_channel_;
  Mutex mutex_;
  StringMap<std::shared_ptr<Stub>> stubs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_GRPC_OWNERS_H_
