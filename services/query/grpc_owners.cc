#include "query/grpc_owners.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/status.h"
#include "fmt/format.h"
#include "rpc/call.h"
#include "rpc/status.h"

namespace rivermeet::query {
namespace {

using aggregation::v1::AggregationService;
using aggregation::v1::ReadPartialsResponse;
using aggregation::v1::WatchPartialsRequest;
using aggregation::v1::WatchPartialsResponse;

// Addresses that are remembered; owners come and go with pods.
constexpr size_t kMaxStubs = 1'024;

void Prepare(grpc::ClientContext& context, const Call& call) {
  rpc::PrepareCall(context, {.bearer = call.bearer, .traceparent = call.traceparent, .deadline = call.deadline},
                   absl::Hours(1));
}

absl::Status FromOwner(const grpc::Status& status, const std::string& address) {
  return Annotate(rpc::FromGrpc(status), fmt::format("owner {}", address));
}

// What several reads have to tell the one thread that waits for them.
struct Rendezvous {
  Mutex mutex;
  CondVar changed;
};

class PartialsReader : public grpc::ClientReadReactor<ReadPartialsResponse> {
 public:
  PartialsReader(Rendezvous& rendezvous, AggregationService::StubInterface::async_interface& stub,
                 const Owners::PartialsRead& read, const Call& call)
      : rendezvous_(rendezvous) {
    Prepare(context_, call);
    stub.ReadPartials(&context_, &read.request, this);
    // Reads are started by the waiting thread: without a hold the call could be done between two of them.
    AddHold();
    StartRead(&response_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    MutexLock lock(rendezvous_.mutex);
    has_response_ = true;
    rendezvous_.changed.NotifyAll();
  }
  void OnDone(const grpc::Status& status) override {
    MutexLock lock(rendezvous_.mutex);
    done_ = true;
    status_ = status;
    rendezvous_.changed.NotifyAll();
  }

  // Under the rendezvous' mutex.
  bool done() const { return done_; }
  bool TakeResponse() { return std::exchange(has_response_, false); }
  const grpc::Status& status() const { return status_; }

  const ReadPartialsResponse& response() const { return response_; }
  void ReadNext() { StartRead(&response_); }
  void Cancel() { context_.TryCancel(); }

 private:
  Rendezvous& rendezvous_;
  grpc::ClientContext context_;
  ReadPartialsResponse response_;
  bool has_response_ = false;
  bool done_ = false;
  grpc::Status status_;
};

// Keeps itself alive until the call is done.
class GrpcWatch : public Watch,
                  public grpc::ClientReadReactor<WatchPartialsResponse>,
                  public std::enable_shared_from_this<GrpcWatch> {
 public:
  GrpcWatch(std::shared_ptr<AggregationService::Stub> stub, std::string address, const WatchPartialsRequest& request,
            const Call& call, std::shared_ptr<WatchObserver> observer)
      : stub_(std::move(stub)), address_(std::move(address)), request_(request), observer_(std::move(observer)) {
    rpc::PrepareCall(context_, {.bearer = call.bearer, .traceparent = call.traceparent}, absl::InfiniteDuration());
  }

  void Start() {
    self_ = shared_from_this();
    stub_->async()->WatchPartials(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void Cancel() override { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    observer_->OnUpdate(response_);
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    // This goes before the observer: whoever waits for the observer to be gone may then close the last channel, which
    // gRPC 1.51 can't do on one of its own threads.
    const std::shared_ptr<WatchObserver> observer = std::move(observer_);
    const std::shared_ptr<GrpcWatch> self = std::move(self_);
    observer->OnClosed(status.ok() ? absl::UnavailableError("the owner ended the watch") : FromOwner(status, address_));
  }

 private:
  const std::shared_ptr<AggregationService::Stub> stub_;
  const std::string address_;
  const WatchPartialsRequest request_;
  std::shared_ptr<WatchObserver> observer_;
  std::shared_ptr<GrpcWatch> self_;
  grpc::ClientContext context_;
  WatchPartialsResponse response_;
};

// Makes one unary call, cancelled with `call`.
template <typename Method, typename Request, typename Response>
absl::Status CallOnce(AggregationService::Stub& stub, Method method, const std::string& address, const Request& request,
                      const Call& call, Response& response) {
  grpc::ClientContext context;
  Prepare(context, call);
  const Cancellation::Registration registration(call.cancellation, [&context] { context.TryCancel(); });
  const grpc::Status status = (stub.*method)(&context, request, &response);
  return status.ok() ? absl::OkStatus() : FromOwner(status, address);
}

}  // namespace

GrpcOwners::GrpcOwners(OwnerDirectory& directory, MakeChannel make_channel)
    : directory_(directory), make_channel_(std::move(make_channel)) {}

std::shared_ptr<GrpcOwners::Stub> GrpcOwners::StubFor(const std::string& address) {
  MutexLock lock(mutex_);
  const auto found = stubs_.find(std::string_view(address));
  if (found != stubs_.end()) return found->second;
  if (stubs_.size() >= kMaxStubs) stubs_.clear();
  return stubs_.emplace(address, std::make_shared<Stub>(make_channel_(address))).first->second;
}

absl::StatusOr<std::vector<OwnedPartitions>> GrpcOwners::Find(const std::vector<uint32_t>& partitions, bool refresh,
                                                              const Call& call) {
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> addresses, directory_.Addresses(refresh, call.deadline));
  std::map<std::string, std::vector<uint32_t>> by_address;
  for (const uint32_t partition : partitions) {
    if (partition >= addresses.size() || addresses[partition].empty()) {
      return absl::UnavailableError(
          ToAbsl(fmt::format("partition {} of the event log has no owner just now", partition)));
    }
    by_address[addresses[partition]].push_back(partition);
  }
  std::vector<OwnedPartitions> owners;
  for (auto& [address, owned] : by_address) owners.push_back({address, std::move(owned)});
  return owners;
}

absl::Status GrpcOwners::ReadPartials(const std::vector<PartialsRead>& reads, const Call& call,
                                      const PartialsSink& sink) {
  Rendezvous rendezvous;
  std::vector<std::shared_ptr<Stub>> stubs;
  std::vector<std::unique_ptr<PartialsReader>> readers;
  for (const PartialsRead& read : reads) {
    stubs.push_back(StubFor(read.address));
    readers.push_back(std::make_unique<PartialsReader>(rendezvous, *stubs.back()->async(), read, call));
  }
  const auto cancel_all = [&readers] {
    for (const auto& reader : readers) reader->Cancel();
  };
  const Cancellation::Registration registration(call.cancellation, cancel_all);

  absl::Status result;
  MutexLock lock(rendezvous.mutex);
  while (true) {
    bool all_done = true;
    bool took_one = false;
    for (size_t i = 0; i < readers.size(); ++i) {
      PartialsReader& reader = *readers[i];
      if (reader.TakeResponse()) {
        took_one = true;
        rendezvous.mutex.Unlock();
        if (result.ok()) {
          result = sink(i, reader.response());
          if (!result.ok()) cancel_all();
        }
        reader.ReadNext();
        rendezvous.mutex.Lock();
      }
      if (!reader.done()) {
        all_done = false;
      } else if (result.ok() && !reader.status().ok()) {
        result = FromOwner(reader.status(), reads[i].address);
        rendezvous.mutex.Unlock();
        cancel_all();
        rendezvous.mutex.Lock();
      }
    }
    if (all_done) return result;
    if (!took_one) rendezvous.changed.Wait(rendezvous.mutex);
  }
}

std::shared_ptr<Watch> GrpcOwners::WatchPartials(const std::string& address, const WatchPartialsRequest& request,
                                                 const Call& call, std::shared_ptr<WatchObserver> observer) {
  auto watch = std::make_shared<GrpcWatch>(StubFor(address), address, request, call, std::move(observer));
  watch->Start();
  return watch;
}

absl::Status GrpcOwners::WaitForOffsets(const std::string& address,
                                        const aggregation::v1::WaitForOffsetsRequest& request, const Call& call) {
  aggregation::v1::WaitForOffsetsResponse response;
  return CallOnce(*StubFor(address), &Stub::WaitForOffsets, address, request, call, response);
}

absl::StatusOr<aggregation::v1::ReadLedgerResponse> GrpcOwners::ReadLedger(
    const std::string& address, const aggregation::v1::ReadLedgerRequest& request, const Call& call) {
  aggregation::v1::ReadLedgerResponse response;
  RM_RETURN_IF_ERROR(CallOnce(*StubFor(address), &Stub::ReadLedger, address, request, call, response));
  return response;
}

absl::StatusOr<aggregation::v1::ReadDimensionValuesResponse> GrpcOwners::ReadDimensionValues(
    const std::string& address, const aggregation::v1::ReadDimensionValuesRequest& request, const Call& call) {
  aggregation::v1::ReadDimensionValuesResponse response;
  RM_RETURN_IF_ERROR(CallOnce(*StubFor(address), &Stub::ReadDimensionValues, address, request, call, response));
  return response;
}

}  // namespace rivermeet::query
