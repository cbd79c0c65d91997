#include "aggregation/aggregation_service.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "aggregation/partials_builder.h"
#include "base/status.h"
#include "fmt/format.h"
#include "windows/rollup.h"

namespace rivermeet::aggregation {
namespace {

constexpr size_t kMaxPartitions = 1'024;
constexpr uint32_t kMaxValues = 100'000;

// Cuts one answer into messages. The first says what it is of.
class ReadBuilder {
 public:
  ReadBuilder(const v1::PartialsQuery& query, const std::vector<OwnedView>& views, size_t limit,
              AggregationService::ReadSink send)
      : query_(query), limit_(limit), send_(send), builder_(std::in_place, query, *response_.mutable_partials()) {
    for (const OwnedView& view : views) {
      auto& version = *response_.mutable_data_version()->add_partitions();
      version.set_partition(view.partition);
      version.set_epoch(view.epoch);
      version.set_through_offset(view.through_offset);
      for (const catalog::Segment& segment : view.segments) *response_.add_segments() = ToReference(segment);
    }
  }

  void Begin(uint32_t partition, const windows::Grouping& grouping, const std::vector<windows::Measure>& measures) {
    partition_ = partition;
    grouping_ = &grouping;
    measures_ = &measures;
    builder_->Begin(partition, grouping, measures);
  }
  void Add(const windows::RollupRow& row) {
    if (status_.ok() && builder_->bytes() >= kResponseBytes) {
      Send();
      builder_->Begin(partition_, *grouping_, *measures_);
    }
    if (status_.ok() && sent_bytes_ + builder_->bytes() >= limit_) status_ = TooManyRows(limit_);
    if (!status_.ok()) return;
    builder_->Add(row);
    ++rows_;
  }
  const absl::Status& status() const { return status_; }
  size_t rows() const { return rows_; }
  absl::Status Finish() {
    if (status_.ok()) Send();
    return status_;
  }

 private:
  void Send() {
    sent_bytes_ += builder_->bytes();
    builder_.reset();
    status_ = send_(std::exchange(response_, v1::ReadPartialsResponse()));
    builder_.emplace(query_, *response_.mutable_partials());
  }

  const v1::PartialsQuery& query_;
  const size_t limit_;
  const AggregationService::ReadSink send_;
  absl::Status status_;
  v1::ReadPartialsResponse response_;
  std::optional<PartialsBuilder> builder_;
  size_t sent_bytes_ = 0;
  uint32_t partition_ = 0;
  const windows::Grouping* grouping_ = nullptr;
  const std::vector<windows::Measure>* measures_ = nullptr;
  size_t rows_ = 0;
};

}  // namespace

// Counts down the partitions that have not come so far.
class AggregationService::Wait {
 public:
  explicit Wait(WaitDone done) : done_(std::move(done)) {}

  void Begin(int positions) {
    MutexLock lock(mutex_);
    left_ = positions;
  }
  void Registered(std::shared_ptr<PartitionOwner> owner, uint64_t id) {
    {
      MutexLock lock(mutex_);
      if (done_ != nullptr) {
        registered_.emplace_back(std::move(owner), id);
        return;
      }
    }
    // It has ended while this was registered.
    owner->CancelWait(id);
  }
  void Arrived(const absl::Status& status) {
    WaitDone done;
    std::vector<std::pair<std::shared_ptr<PartitionOwner>, uint64_t>> registered;
    {
      MutexLock lock(mutex_);
      --left_;
      if (done_ == nullptr || (status.ok() && left_ > 0)) return;
      done = std::move(done_);
      done_ = nullptr;
      registered.swap(registered_);
    }
    // Nobody waits for the others any more.
    for (auto& [owner, id] : registered) owner->CancelWait(id);
    done(status);
  }
  void Cancel() { Arrived(absl::CancelledError("the caller gave up")); }

 private:
  Mutex mutex_;
  WaitDone done_ ABSL_GUARDED_BY(mutex_);
  int left_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::pair<std::shared_ptr<PartitionOwner>, uint64_t>> registered_ ABSL_GUARDED_BY(mutex_);
};

AggregationService::AggregationService(AggregationMetrics& metrics, size_t answer_bytes)
    : metrics_(metrics), answer_bytes_(answer_bytes), hub_(metrics, answer_bytes) {}

void AggregationService::Add(std::shared_ptr<PartitionOwner> owner) {
  MutexLock lock(mutex_);
  owners_[owner->partition()] = std::move(owner);
  metrics_.owned_partitions.Set(static_cast<double>(owners_.size()));
}

void AggregationService::Remove(uint32_t partition) {
  {
    MutexLock lock(mutex_);
    owners_.erase(partition);
    metrics_.owned_partitions.Set(static_cast<double>(owners_.size()));
  }
  hub_.ClosePartition(partition);
}

template <typename Partitions>
absl::StatusOr<std::vector<std::shared_ptr<PartitionOwner>>> AggregationService::Owners(const Partitions& partitions) {
  if (static_cast<size_t>(partitions.size()) > kMaxPartitions) {
    return absl::InvalidArgumentError(fmt::format("{} partitions: at most {}", partitions.size(), kMaxPartitions));
  }
  std::vector<std::shared_ptr<PartitionOwner>> owners;
  std::set<uint32_t> seen;
  MutexLock lock(mutex_);
  for (const uint32_t partition : partitions) {
    const auto found = owners_.find(partition);
    if (found == owners_.end()) {
      return absl::FailedPreconditionError(fmt::format("partition {} is not owned here", partition));
    }
    if (!seen.insert(partition).second) {
      return absl::InvalidArgumentError(fmt::format("partition {} is named twice", partition));
    }
    RM_RETURN_IF_ERROR(found->second->CheckServing());
    owners.push_back(found->second);
  }
  return owners;
}

absl::Status AggregationService::ReadPartials(std::string_view tenant, const v1::ReadPartialsRequest& request,
                                              ReadSink send) {
  const absl::Time began = absl::Now();
  const v1::PartialsQuery& query = request.query();
  RM_ASSIGN_OR_RETURN(const windows::RollupQuery rollup, ToRollupQuery(query));
  RM_ASSIGN_OR_RETURN(const auto owners, Owners(query.partitions()));
  std::vector<OwnedView> views;
  for (const auto& owner : owners) {
    views.push_back(owner->View(tenant, query.stream_id(), rollup.start_us - windows::kCounterLookbackUs, rollup.end_us,
                                rollup.start_us, query.resolution_us()));
  }
  ReadBuilder builder(query, views, answer_bytes_, send);
  for (OwnedView& view : views) {
    if (!view.has_stream) continue;
    windows::Grouping grouping(rollup);
    grouping.Extend(view.stream.series);
    builder.Begin(view.partition, grouping, view.stream.measures);
    windows::Rollup(
        view.stream, rollup, grouping, [&](const windows::RollupRow& row) { builder.Add(row); },
        [&] { return !builder.status().ok(); });
    view.stream = windows::StreamView();
  }
  RM_RETURN_IF_ERROR(builder.Finish());
  metrics_.reads.Increment();
  metrics_.read_rows.Increment(static_cast<double>(builder.rows()));
  metrics_.read_seconds.Observe(absl::ToDoubleSeconds(absl::Now() - began));
  return absl::OkStatus();
}

absl::Status AggregationService::WatchPartials(std::string_view tenant, const v1::WatchPartialsRequest& request,
                                               std::shared_ptr<WatchSubscriber> subscriber) {
  RM_ASSIGN_OR_RETURN(const auto owners, Owners(request.query().partitions()));
  if (owners.empty()) return absl::InvalidArgumentError("no partitions to watch");
  return hub_.Subscribe(tenant, request, owners, std::move(subscriber));
}

std::shared_ptr<AggregationService::Wait> AggregationService::WaitForOffsets(const v1::WaitForOffsetsRequest& request,
                                                                             WaitDone done) {
  auto wait = std::make_shared<Wait>(std::move(done));
  std::vector<uint32_t> partitions;
  for (const auto& position : request.positions()) partitions.push_back(position.partition());
  const auto owners = Owners(partitions);
  if (!owners.ok()) {
    wait->Arrived(owners.status());
    return wait;
  }
  // One more than there are, so that it isn't done before all have been asked.
  wait->Begin(request.positions_size() + 1);
  for (int p = 0; p < request.positions_size(); ++p) {
    const auto& owner = (*owners)[p];
    const uint64_t id = owner->WaitFor(request.positions(p).through_offset(),
                                       [wait](const absl::Status& status) { wait->Arrived(status); });
    if (id != 0) wait->Registered(owner, id);
  }
  wait->Arrived(absl::OkStatus());
  return wait;
}

void AggregationService::CancelWait(const std::shared_ptr<Wait>& wait) { wait->Cancel(); }

absl::StatusOr<v1::ReadLedgerResponse> AggregationService::ReadLedger(std::string_view tenant,
                                                                      const v1::ReadLedgerRequest& request) {
  RM_ASSIGN_OR_RETURN(const auto owners, Owners(request.partitions()));
  v1::ReadLedgerResponse response;
  for (const auto& owner : owners) {
    windows::Ledger ledger;
    owner->ReadLedger(tenant, request.stream_id(), ledger);
    auto& entry = *response.add_entries();
    entry.set_partition(owner->partition());
    entry.set_received(ledger.received());
    entry.set_appended(ledger.appended);
    entry.set_rejected(ledger.rejected);
    entry.set_folded(ledger.folded);
    entry.set_deduplicated(ledger.deduplicated);
    entry.set_stale(ledger.stale);
    entry.set_too_late(ledger.too_late);
    entry.set_over_series_limit(ledger.over_series_limit);
  }
  return response;
}

absl::StatusOr<v1::WaitForOffsetsRequest> AggregationService::LedgerPositions(const v1::ReadLedgerRequest& request,
                                                                              absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const auto owners, Owners(request.partitions()));
  v1::WaitForOffsetsRequest positions;
  for (const auto& owner : owners) {
    RM_ASSIGN_OR_RETURN(const eventlog::Offset end, owner->LogEnd(deadline));
    auto& position = *positions.add_positions();
    position.set_partition(owner->partition());
    position.set_through_offset(end - 1);
  }
  return positions;
}

absl::StatusOr<v1::ReadDimensionValuesResponse> AggregationService::ReadDimensionValues(
    std::string_view tenant, const v1::ReadDimensionValuesRequest& request) {
  RM_ASSIGN_OR_RETURN(const auto owners, Owners(request.partitions()));
  std::set<std::string> values;
  for (const auto& owner : owners) {
    // No panes: the series table alone.
    const OwnedView view = owner->View(tenant, request.stream_id(), 0, 0, 0, 0);
    const windows::DimensionView* const dimension = view.stream.series.Find(request.dimension());
    if (dimension == nullptr) continue;
    for (size_t v = 0; v < dimension->values.size(); ++v) values.insert(dimension->values[v]);
  }
  v1::ReadDimensionValuesResponse response;
  const uint32_t limit = std::min(request.limit() == 0 ? kMaxValues : request.limit(), kMaxValues);
  for (const std::string& value : values) {
    if (static_cast<uint32_t>(response.values_size()) >= limit) break;
    response.add_values(value);
  }
  return response;
}

}  // namespace rivermeet::aggregation
