#include "query/query_service.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "query/frame_builder.h"

namespace rivermeet::query {
namespace {

using aggregation::v1::Partials;
using aggregation::v1::ReadPartialsResponse;
using partials::GroupTable;
using partials::PartialsTable;
using partials::PartialsView;

// Leaves room for what gRPC and the response's other fields add to a frame, below rpc::kMaxMessageBytes.
constexpr size_t kMaxAnswerBytes = 15u << 20;
constexpr uint32_t kDefaultValues = 1'000;
constexpr uint32_t kMaxValues = 10'000;

void SetDuration(int64_t us, google::protobuf::Duration& duration) {
  duration.set_seconds(us / 1'000'000);
  duration.set_nanos(static_cast<int32_t>(us % 1'000'000 * 1'000));
}

bool IsBalanced(const v1::LedgerEntry& entry) {
  return entry.received() == entry.appended() + entry.rejected() &&
         entry.appended() == entry.folded() + entry.deduplicated() + entry.stale() + entry.too_late() +
                                 entry.over_series_limit() + entry.not_yet_folded();
}

void AddTo(const v1::LedgerEntry& entry, v1::LedgerEntry& total) {
  total.set_received(total.received() + entry.received());
  total.set_appended(total.appended() + entry.appended());
  total.set_rejected(total.rejected() + entry.rejected());
  total.set_folded(total.folded() + entry.folded());
  total.set_deduplicated(total.deduplicated() + entry.deduplicated());
  total.set_stale(total.stale() + entry.stale());
  total.set_too_late(total.too_late() + entry.too_late());
  total.set_over_series_limit(total.over_series_limit() + entry.over_series_limit());
  total.set_not_yet_folded(total.not_yet_folded() + entry.not_yet_folded());
}

}  // namespace

bool IsOwnerTrouble(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsFailedPrecondition(status);
}

absl::Status Pause(absl::Duration pause, const Call& call, const Clock& clock) {
  Mutex mutex;
  CondVar woken;
  bool cancelled = false;
  const Cancellation::Registration registration(call.cancellation, [&] {
    MutexLock lock(mutex);
    cancelled = true;
    woken.NotifyAll();
  });
  const absl::Duration end = clock.MonotonicNow() + std::min(pause, call.deadline - clock.Now());
  MutexLock lock(mutex);
  while (!cancelled) {
    const absl::Duration left = end - clock.MonotonicNow();
    if (left <= absl::ZeroDuration()) break;
    woken.WaitFor(mutex, left);
  }
  if (cancelled) return absl::CancelledError("the caller went away");
  if (clock.Now() >= call.deadline) return absl::DeadlineExceededError("the query's time is up");
  return absl::OkStatus();
}

// What one attempt to read has gathered.
struct QueryService::Reading {
  Reading(const Plan& plan, uint64_t memory_bytes)
      : plan(plan), memory_bytes(memory_bytes), groups(plan.group_by), table(plan.measures, plan.windows) {}

  absl::Status Add(const Partials& partials) {
    RM_ASSIGN_OR_RETURN(const PartialsView view,
                        PartialsView::Make(partials, plan.measures, plan.origin_us, plan.step_us, groups));
    for (size_t row = 0; row < view.rows(); ++row) {
      if (view.window(row) < 0 || view.window(row) >= static_cast<int64_t>(plan.windows)) continue;
      table.Merge(view, row);
    }
    if (table.bytes() + groups.bytes() <= memory_bytes) return absl::OkStatus();
    return absl::InvalidArgumentError(ToAbsl(fmt::format(
        "the query needs more than {} MiB of memory, the limit of one query (query.memory_bytes), at {} rows: ask for "
        "fewer groups, a shorter range or a longer step",
        memory_bytes >> 20, table.size())));
  }

  const Plan& plan;
  const uint64_t memory_bytes;
  GroupTable groups;
  PartialsTable table;
  std::vector<aggregation::v1::SegmentReference> segments;
  v1::DataVersion version;
  uint64_t hot_rows = 0;
  uint64_t stored_rows = 0;
};

QueryService::QueryService(QueryServiceOptions options, StreamDirectory& streams, Owners& owners,
                           SegmentReader& segments, const visibility::VisibilityTokens& tokens, QueryMetrics& metrics,
                           const Clock& clock)
    : options_(options),
      streams_(streams),
      owners_(owners),
      segments_(segments),
      tokens_(tokens),
      metrics_(metrics),
      clock_(clock) {}

Call QueryService::Bounded(const Call& call) const {
  Call bounded = call;
  bounded.deadline = std::min(call.deadline, clock_.Now() + options_.timeout);
  return bounded;
}

absl::Status QueryService::WithOwners(const Call& call, const std::function<absl::Status(bool refresh)>& attempt) {
  const absl::Time patience = clock_.Now() + options_.owner_patience;
  absl::Duration pause = absl::Milliseconds(20);
  int missing_segments = 0;
  for (bool refresh = false;; refresh = true) {
    absl::Status status = attempt(refresh);
    // A segment that is gone was replaced since the owner named it, or is lost.
    if (absl::IsNotFound(status) && ++missing_segments > 3) return absl::DataLossError(status.message());
    const bool again = IsOwnerTrouble(status) || absl::IsNotFound(status);
    const bool over = clock_.Now() + pause > patience;
    // Nothing that the caller did, and another owner may take over.
    if (over && absl::IsFailedPrecondition(status)) return absl::UnavailableError(status.message());
    if (!again || over) return status;
    metrics_.retries.Increment();
    RM_RETURN_IF_ERROR(Pause(pause, call, clock_));
    pause = std::min(2 * pause, absl::Seconds(1));
  }
}

absl::StatusOr<std::shared_ptr<const events::v1::Stream>> QueryService::FindStream(const Call& call,
                                                                                   const std::string& name) {
  if (name.empty()) return absl::InvalidArgumentError("stream: name the stream to read");
  return streams_.Find(call.tenant, name, call.deadline);
}

absl::Status QueryService::WaitFor(const std::string& token, const std::string& stream, const Call& call) {
  RM_ASSIGN_OR_RETURN(const ingest::v1::VisibilityToken content, tokens_.Verify(call.tenant, token, clock_.Now()));
  if (content.stream() != stream) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format(
        "wait_for: the visibility token is for stream '{}', the query for '{}'", content.stream(), stream)));
  }
  std::map<uint32_t, int64_t> offsets;
  for (const auto& position : content.positions()) {
    int64_t& offset = offsets.try_emplace(position.partition(), position.offset()).first->second;
    offset = std::max(offset, position.offset());
  }
  std::vector<uint32_t> partitions;
  for (const auto& [partition, offset] : offsets) partitions.push_back(partition);
  return WithOwners(call, [&](bool refresh) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::vector<OwnedPartitions> owners, owners_.Find(partitions, refresh, call));
    for (const OwnedPartitions& owner : owners) {
      aggregation::v1::WaitForOffsetsRequest request;
      for (const uint32_t partition : owner.partitions) {
        auto* position = request.add_positions();
        position->set_partition(partition);
        position->set_through_offset(offsets[partition]);
      }
      RM_RETURN_IF_ERROR(owners_.WaitForOffsets(owner.address, request, call));
    }
    return absl::OkStatus();
  });
}

absl::Status QueryService::ReadOnce(const Plan& plan, bool refresh, const Call& call, Reading& reading) {
  RM_ASSIGN_OR_RETURN(const std::vector<OwnedPartitions> owners, owners_.Find(plan.partitions, refresh, call));
  std::vector<Owners::PartialsRead> reads;
  for (const OwnedPartitions& owner : owners) {
    Owners::PartialsRead& read = reads.emplace_back();
    read.address = owner.address;
    *read.request.mutable_query() = plan.ToPartialsQuery(owner.partitions);
  }
  RM_RETURN_IF_ERROR(owners_.ReadPartials(reads, call, [&](size_t, const ReadPartialsResponse& response) {
    for (const auto& version : response.data_version().partitions()) *reading.version.add_partitions() = version;
    reading.segments.insert(reading.segments.end(), response.segments().begin(), response.segments().end());
    reading.hot_rows += response.partials().window_start_us_size();
    return reading.Add(response.partials());
  }));
  if (reading.segments.empty()) return absl::OkStatus();
  return segments_.Read(plan.ToPartialsQuery(plan.partitions), reading.segments, call, [&](const Partials& partials) {
    reading.stored_rows += partials.window_start_us_size();
    return reading.Add(partials);
  });
}

absl::StatusOr<v1::QueryResponse> QueryService::Query(const v1::QueryRequest& request, const Call& unbounded) {
  const absl::Duration started = clock_.MonotonicNow();
  const Call call = Bounded(unbounded);
  RM_ASSIGN_OR_RETURN(const auto stream, FindStream(call, request.query().stream()));
  if (!request.wait_for().empty()) RM_RETURN_IF_ERROR(WaitFor(request.wait_for(), stream->name(), call));
  RM_ASSIGN_OR_RETURN(const Plan plan, MakePlan(request.query(), QueryKind::kOnce, call.tenant, *stream, clock_.Now(),
                                                options_.planner));
  std::optional<Reading> reading;
  RM_RETURN_IF_ERROR(WithOwners(call, [&](bool refresh) {
    reading.emplace(plan, options_.memory_bytes);
    return ReadOnce(plan, refresh, call, *reading);
  }));

  v1::QueryResponse response;
  v1::QueryStats& stats = *response.mutable_stats();
  uint64_t left_out = 0;
  const std::vector<bool> chosen = ChooseGroups(plan, reading->groups, reading->table, &left_out);
  *response.mutable_frame() = BuildFrame(plan, reading->groups, reading->table, chosen);
  if (response.frame().row_count() > options_.planner.max_rows) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format(
        "the answer has {} rows, at most {} are allowed (query.max_rows): set group_limit, a shorter range or a longer "
        "step",
        response.frame().row_count(), options_.planner.max_rows)));
  }
  if (const size_t bytes = response.frame().ByteSizeLong(); bytes > kMaxAnswerBytes) {
    return absl::InvalidArgumentError(
        ToAbsl(fmt::format("the answer has {} rows in {} MiB, at most {} MiB are allowed: set group_limit, a shorter "
                           "range or a longer step",
                           response.frame().row_count(), bytes >> 20, kMaxAnswerBytes >> 20)));
  }
  std::sort(reading->version.mutable_partitions()->begin(), reading->version.mutable_partitions()->end(),
            [](const auto& a, const auto& b) { return a.partition() < b.partition(); });
  *stats.mutable_data_version() = std::move(reading->version);
  SetDuration(plan.step_us, *stats.mutable_step());
  SetDuration(plan.resolution_us, *stats.mutable_resolution());
  stats.set_hot_rows(reading->hot_rows);
  stats.set_stored_rows(reading->stored_rows);
  stats.set_segments(static_cast<uint32_t>(reading->segments.size()));
  stats.set_groups_left_out(left_out);
  SetDuration(absl::ToInt64Microseconds(clock_.MonotonicNow() - started), *stats.mutable_elapsed());
  metrics_.hot_rows.Increment(static_cast<double>(reading->hot_rows));
  metrics_.stored_rows.Increment(static_cast<double>(reading->stored_rows));
  metrics_.segments.Increment(static_cast<double>(reading->segments.size()));
  return response;
}

absl::StatusOr<Plan> QueryService::PlanSubscription(const v1::SubscribeRequest& request, const Call& unbounded) {
  const Call call = Bounded(unbounded);
  RM_ASSIGN_OR_RETURN(const auto stream, FindStream(call, request.query().stream()));
  return MakePlan(request.query(), QueryKind::kSubscription, call.tenant, *stream, clock_.Now(), options_.planner);
}

absl::StatusOr<v1::ListDimensionValuesResponse> QueryService::ListDimensionValues(
    const v1::ListDimensionValuesRequest& request, const Call& unbounded) {
  const Call call = Bounded(unbounded);
  RM_ASSIGN_OR_RETURN(const auto stream, FindStream(call, request.stream()));
  RM_RETURN_IF_ERROR(CheckDimension(*stream, request.dimension(), "dimension"));
  if (request.limit() > kMaxValues) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format("limit: at most {}", kMaxValues)));
  }
  const uint32_t limit = request.limit() == 0 ? kDefaultValues : request.limit();
  const std::vector<uint32_t> partitions = PartitionsOf(call.tenant, *stream, options_.planner.log_partitions);
  std::set<std::string> values;
  RM_RETURN_IF_ERROR(WithOwners(call, [&](bool refresh) -> absl::Status {
    values.clear();
    RM_ASSIGN_OR_RETURN(const std::vector<OwnedPartitions> owners, owners_.Find(partitions, refresh, call));
    for (const OwnedPartitions& owner : owners) {
      aggregation::v1::ReadDimensionValuesRequest read;
      read.set_stream_id(stream->id());
      read.mutable_partitions()->Assign(owner.partitions.begin(), owner.partitions.end());
      read.set_dimension(request.dimension());
      read.set_limit(limit + 1);
      RM_ASSIGN_OR_RETURN(const auto answer, owners_.ReadDimensionValues(owner.address, read, call));
      values.insert(answer.values().begin(), answer.values().end());
    }
    return absl::OkStatus();
  }));
  v1::ListDimensionValuesResponse response;
  response.set_truncated(values.size() > limit);
  for (const std::string& value : values) {
    if (response.values_size() == static_cast<int>(limit)) break;
    response.add_values(value);
  }
  return response;
}

absl::StatusOr<v1::GetLedgerResponse> QueryService::GetLedger(const v1::GetLedgerRequest& request,
                                                              const Call& unbounded) {
  const Call call = Bounded(unbounded);
  RM_ASSIGN_OR_RETURN(const auto stream, FindStream(call, request.stream()));
  const std::vector<uint32_t> partitions = PartitionsOf(call.tenant, *stream, options_.planner.log_partitions);
  std::map<uint32_t, v1::LedgerEntry> entries;
  RM_RETURN_IF_ERROR(WithOwners(call, [&](bool refresh) -> absl::Status {
    entries.clear();
    RM_ASSIGN_OR_RETURN(const std::vector<OwnedPartitions> owners, owners_.Find(partitions, refresh, call));
    for (const OwnedPartitions& owner : owners) {
      aggregation::v1::ReadLedgerRequest read;
      read.set_stream_id(stream->id());
      read.mutable_partitions()->Assign(owner.partitions.begin(), owner.partitions.end());
      RM_ASSIGN_OR_RETURN(const auto answer, owners_.ReadLedger(owner.address, read, call));
      for (const v1::LedgerEntry& entry : answer.entries()) entries[entry.partition()] = entry;
    }
    return absl::OkStatus();
  }));
  v1::GetLedgerResponse response;
  response.set_balanced(true);
  for (const auto& [partition, entry] : entries) {
    *response.add_partitions() = entry;
    AddTo(entry, *response.mutable_total());
    if (!IsBalanced(entry)) response.set_balanced(false);
  }
  return response;
}

}  // namespace rivermeet::query
