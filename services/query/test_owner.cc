#include "query/test_owner.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/status.h"
#include "fmt/format.h"
#include "rpc/call.h"

namespace rivermeet::query {

using aggregation::v1::SegmentReference;

absl::Status TestSegments::Read(const aggregation::v1::PartialsQuery& query,
                                const std::vector<SegmentReference>& segments, const Call&, const Sink& sink) {
  for (const SegmentReference& segment : segments) {
    std::vector<TestEvent> events;
    {
      MutexLock lock(mutex_);
      const auto found = objects_.find(segment.object());
      if (found == objects_.end()) return absl::NotFoundError("no object " + segment.object());
      events = found->second;
      ++reads_;
    }
    RM_RETURN_IF_ERROR(sink(RollUp(events, query)));
  }
  return absl::OkStatus();
}

void TestSegments::Put(const std::string& object, std::vector<TestEvent> events) {
  MutexLock lock(mutex_);
  objects_[object] = std::move(events);
}

void TestSegments::Remove(const std::string& object) {
  MutexLock lock(mutex_);
  objects_.erase(object);
}

int TestSegments::reads() const {
  MutexLock lock(mutex_);
  return reads_;
}

absl::StatusOr<std::vector<std::string>> TestDirectory::Addresses(bool, absl::Time) {
  MutexLock lock(mutex_);
  return addresses_;
}

void TestDirectory::Set(std::vector<std::string> addresses) {
  MutexLock lock(mutex_);
  addresses_ = std::move(addresses);
}

TestOwner::TestOwner(std::vector<uint32_t> partitions, TestSegments& segments)
    : segments_(segments), owned_(partitions.begin(), partitions.end()) {
  grpc::ServerBuilder builder;
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

TestOwner::~TestOwner() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

std::shared_ptr<grpc::Channel> TestOwner::channel() { return server_->InProcessChannel({}); }

void TestOwner::Add(const std::vector<TestEvent>& events) {
  MutexLock lock(mutex_);
  ++generation_;
  for (const TestEvent& event : events) {
    if (!owned_.contains(event.partition)) continue;
    hot_.emplace_back(generation_, event);
    ++offsets_[event.partition];
  }
  changed_.NotifyAll();
}

void TestOwner::Store(int64_t before_us) {
  MutexLock lock(mutex_);
  std::map<uint32_t, std::vector<TestEvent>> moved;
  for (const auto& [generation, event] : hot_) {
    if (event.time_us < before_us) moved[event.partition].push_back(event);
  }
  std::erase_if(hot_, [before_us](const auto& entry) { return entry.second.time_us < before_us; });
  for (auto& [partition, events] : moved) {
    SegmentReference& reference = references_.emplace_back();
    reference.set_object(fmt::format("segment-{}-{}-{}", partition, epoch_, references_.size()));
    reference.set_partition(partition);
    reference.set_rows(events.size());
    segments_.Put(reference.object(), std::move(events));
  }
  stored_generation_ = ++generation_;
  changed_.NotifyAll();
}

void TestOwner::LoseLeases(const std::string& message) {
  MutexLock lock(mutex_);
  refusal_ = message;
  owned_.clear();
  ++generation_;
  changed_.NotifyAll();
}

void TestOwner::TakeLeases(std::vector<uint32_t> partitions, std::vector<TestEvent> hot) {
  MutexLock lock(mutex_);
  refusal_.clear();
  owned_ = {partitions.begin(), partitions.end()};
  ++epoch_;
  ++generation_;
  hot_.clear();
  for (TestEvent& event : hot) hot_.emplace_back(generation_, std::move(event));
}

std::vector<TestEvent> TestOwner::hot() const {
  MutexLock lock(mutex_);
  std::vector<TestEvent> events;
  for (const auto& [generation, event] : hot_) events.push_back(event);
  return events;
}

std::string TestOwner::bearer() const {
  MutexLock lock(mutex_);
  return bearer_;
}

int TestOwner::reads() const {
  MutexLock lock(mutex_);
  return reads_;
}

grpc::Status TestOwner::Check(grpc::ServerContext* context, std::vector<uint32_t> partitions) {
  bearer_ = rpc::ReadCall(*context).bearer;
  for (const uint32_t partition : partitions) {
    if (!owned_.contains(partition)) {
      return {grpc::StatusCode::FAILED_PRECONDITION, fmt::format("not the owner of {}: {}", partition, refusal_)};
    }
  }
  return grpc::Status::OK;
}

template <typename Response>
void TestOwner::FillVersion(Response& response) {
  for (const uint32_t partition : owned_) {
    auto* version = response.mutable_data_version()->add_partitions();
    version->set_partition(partition);
    version->set_epoch(epoch_);
    version->set_through_offset(offsets_[partition] - 1);
  }
}

template <typename Response>
void TestOwner::FillSegments(Response& response) {
  for (const SegmentReference& reference : references_) *response.add_segments() = reference;
}

grpc::Status TestOwner::ReadPartials(grpc::ServerContext* context, const aggregation::v1::ReadPartialsRequest* request,
                                     grpc::ServerWriter<aggregation::v1::ReadPartialsResponse>* writer) {
  const auto& query = request->query();
  aggregation::v1::ReadPartialsResponse head;
  std::vector<TestEvent> events;
  {
    MutexLock lock(mutex_);
    ++reads_;
    const grpc::Status status = Check(context, {query.partitions().begin(), query.partitions().end()});
    if (!status.ok()) return status;
    FillVersion(head);
    FillSegments(head);
    for (const auto& [generation, event] : hot_) events.push_back(event);
  }
  writer->Write(head);
  // In several messages, each with states of its own for the same windows.
  for (size_t from = 0; from < events.size(); from += 1'000) {
    const size_t to = std::min(events.size(), from + 1'000);
    aggregation::v1::ReadPartialsResponse response;
    *response.mutable_partials() =
        RollUp({events.begin() + static_cast<ptrdiff_t>(from), events.begin() + static_cast<ptrdiff_t>(to)}, query);
    writer->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status TestOwner::WatchPartials(grpc::ServerContext* context,
                                      const aggregation::v1::WatchPartialsRequest* request,
                                      grpc::ServerWriter<aggregation::v1::WatchPartialsResponse>* writer) {
  const auto& query = request->query();
  uint64_t seen = 0;
  while (!context->IsCancelled()) {
    aggregation::v1::WatchPartialsResponse response;
    {
      MutexLock lock(mutex_);
      while (generation_ == seen && !stopping_ && !context->IsCancelled()) {
        changed_.WaitFor(mutex_, absl::Milliseconds(10));  // IsCancelled() notifies nobody
      }
      if (stopping_) return {grpc::StatusCode::UNAVAILABLE, "stopping"};
      const grpc::Status status = Check(context, {query.partitions().begin(), query.partitions().end()});
      if (!status.ok()) return status;
      const bool snapshot = seen == 0 || (stored_generation_ > seen && query.step_us() > query.resolution_us());
      std::set<std::pair<int64_t, uint32_t>> changed;
      std::vector<TestEvent> events;
      for (const auto& [generation, event] : hot_) {
        if (generation > seen) changed.emplace(event.time_us / query.step_us(), event.partition);
      }
      for (const auto& [generation, event] : hot_) {
        if (snapshot || changed.contains({event.time_us / query.step_us(), event.partition})) events.push_back(event);
      }
      response.set_snapshot(snapshot);
      FillVersion(response);
      if (snapshot) FillSegments(response);
      *response.mutable_partials() = RollUp(events, query);
      response.set_newest_append_time_us(absl::ToUnixMicros(absl::Now()));
      seen = generation_;
    }
    writer->Write(response);
  }
  return grpc::Status::CANCELLED;
}

grpc::Status TestOwner::WaitForOffsets(grpc::ServerContext* context,
                                       const aggregation::v1::WaitForOffsetsRequest* request,
                                       aggregation::v1::WaitForOffsetsResponse*) {
  MutexLock lock(mutex_);
  while (!stopping_ && !context->IsCancelled()) {
    bool folded = true;
    for (const auto& position : request->positions()) {
      const grpc::Status status = Check(context, {position.partition()});
      if (!status.ok()) return status;
      folded = folded && offsets_[position.partition()] > position.through_offset();
    }
    if (folded) return grpc::Status::OK;
    changed_.WaitFor(mutex_, absl::Milliseconds(10));
  }
  return {grpc::StatusCode::CANCELLED, "gone"};
}

grpc::Status TestOwner::ReadLedger(grpc::ServerContext* context, const aggregation::v1::ReadLedgerRequest* request,
                                   aggregation::v1::ReadLedgerResponse* response) {
  MutexLock lock(mutex_);
  const grpc::Status status = Check(context, {request->partitions().begin(), request->partitions().end()});
  if (!status.ok()) return status;
  for (const uint32_t partition : request->partitions()) {
    v1::LedgerEntry& entry = *response->add_entries();
    entry.set_partition(partition);
    const auto folded = static_cast<uint64_t>(offsets_[partition]);
    entry.set_received(folded + 4);
    entry.set_rejected(1);
    entry.set_appended(folded + 3);
    entry.set_folded(folded);
    entry.set_too_late(2);
    entry.set_over_series_limit(1);
  }
  return grpc::Status::OK;
}

grpc::Status TestOwner::ReadDimensionValues(grpc::ServerContext* context,
                                            const aggregation::v1::ReadDimensionValuesRequest* request,
                                            aggregation::v1::ReadDimensionValuesResponse* response) {
  MutexLock lock(mutex_);
  const grpc::Status status = Check(context, {request->partitions().begin(), request->partitions().end()});
  if (!status.ok()) return status;
  std::set<std::string> values;
  for (const auto& [generation, event] : hot_) {
    const std::string& value = request->dimension() == "host" ? event.host : event.zone;
    if (!value.empty()) values.insert(value);
  }
  for (const std::string& value : values) {
    if (response->values_size() < static_cast<int>(request->limit())) response->add_values(value);
  }
  return grpc::Status::OK;
}

}  // namespace rivermeet::query
