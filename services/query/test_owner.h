// An owner of event partitions for tests: a real gRPC AggregationService over raw events.
#ifndef RIVERMEET_QUERY_TEST_OWNER_H_
#define RIVERMEET_QUERY_TEST_OWNER_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "query/owner_directory.h"
#include "query/segment_reader.h"
#include "query/test_events.h"
#include "rivermeet/aggregation/v1/aggregation.grpc.pb.h"

namespace rivermeet::query {

// What is stored, by object name. Thread-safe.
class TestSegments : public SegmentReader {
 public:
  absl::Status Read(const aggregation::v1::PartialsQuery& query,
                    const std::vector<aggregation::v1::SegmentReference>& segments, const Call& call,
                    const Sink& sink) override;

  void Put(const std::string& object, std::vector<TestEvent> events);
  void Remove(const std::string& object);
  int reads() const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::vector<TestEvent>> objects_ ABSL_GUARDED_BY(mutex_);
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Thread-safe.
class TestOwner : public aggregation::v1::AggregationService::Service {
 public:
  TestOwner(std::vector<uint32_t> partitions, TestSegments& segments);
  ~TestOwner() override;

  std::shared_ptr<grpc::Channel> channel();

  // Folds events of its partitions.
  void Add(const std::vector<TestEvent>& events);
  // Moves what is before `before_us` to a segment a partition; watchers whose step is longer than the resolution
  // get a fresh snapshot.
  void Store(int64_t before_us);
  // Ends every call and refuses new ones, as an owner that has lost its leases.
  void LoseLeases(const std::string& message);
  // Owns them again, with a new epoch.
  void TakeLeases(std::vector<uint32_t> partitions, std::vector<TestEvent> hot);
  std::vector<TestEvent> hot() const;

  std::string bearer() const;  // of the last call
  int reads() const;           // calls of ReadPartials

  grpc::Status ReadPartials(grpc::ServerContext* context, const aggregation::v1::ReadPartialsRequest* request,
                            grpc::ServerWriter<aggregation::v1::ReadPartialsResponse>* writer) override;
  grpc::Status WatchPartials(grpc::ServerContext* context, const aggregation::v1::WatchPartialsRequest* request,
                             grpc::ServerWriter<aggregation::v1::WatchPartialsResponse>* writer) override;
  grpc::Status WaitForOffsets(grpc::ServerContext* context, const aggregation::v1::WaitForOffsetsRequest* request,
                              aggregation::v1::WaitForOffsetsResponse* response) override;
  grpc::Status ReadLedger(grpc::ServerContext* context, const aggregation::v1::ReadLedgerRequest* request,
                          aggregation::v1::ReadLedgerResponse* response) override;
  grpc::Status ReadDimensionValues(grpc::ServerContext* context,
                                   const aggregation::v1::ReadDimensionValuesRequest* request,
                                   aggregation::v1::ReadDimensionValuesResponse* response) override;

 private:
  grpc::Status Check(grpc::ServerContext* context, std::vector<uint32_t> partitions)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Response>
  void FillVersion(Response& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename Response>
  void FillSegments(Response& response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TestSegments& segments_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::set<uint32_t> owned_ ABSL_GUARDED_BY(mutex_);
  std::string refusal_ ABSL_GUARDED_BY(mutex_);
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<std::pair<uint64_t, TestEvent>> hot_ ABSL_GUARDED_BY(mutex_);  // with the generation that brought it
  std::map<uint32_t, int64_t> offsets_ ABSL_GUARDED_BY(mutex_);
  std::vector<aggregation::v1::SegmentReference> references_ ABSL_GUARDED_BY(mutex_);
  uint64_t stored_generation_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::string bearer_ ABSL_GUARDED_BY(mutex_);
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<grpc::Server> server_;
};

// Who owns what, as a test says. Thread-safe.
class TestDirectory : public OwnerDirectory {
 public:
  explicit TestDirectory(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {}
  absl::StatusOr<std::vector<std::string>> Addresses(bool refresh, absl::Time deadline) override;
  void Set(std::vector<std::string> addresses);

 private:
  Mutex mutex_;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_TEST_OWNER_H_
