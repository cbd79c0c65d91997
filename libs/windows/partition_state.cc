#include "windows/partition_state.h"

#include <algorithm>

#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::windows {

absl::Status CheckBatch(const events::v1::EventBatch& batch, uint32_t event_count) {
  const auto misfit = [&](std::string_view what, size_t found) {
    return absl::InvalidArgumentError(fmt::format("{}: {} entries for {} events", what, found, event_count));
  };
  const auto fits = [&](int size) { return static_cast<uint32_t>(size) == event_count; };
  if (!fits(batch.series_index_size())) return misfit("series_index", batch.series_index_size());
  if (!fits(batch.time_offset_us_size())) return misfit("time_offset_us", batch.time_offset_us_size());
  // Leaves room for adding delays and steps to any time without overflow.
  constexpr int64_t kFarUs = int64_t{1} << 60;
  int64_t earliest = 0;
  int64_t latest = 0;
  for (const int64_t offset : batch.time_offset_us()) {
    earliest = std::min(earliest, offset);
    latest = std::max(latest, offset);
  }
  const int64_t base = batch.base_time_us();
  if (base < -kFarUs || base > kFarUs || earliest < -kFarUs || latest > kFarUs) {
    return absl::InvalidArgumentError("a time beyond the year 36000");
  }
  uint32_t largest = 0;
  for (const uint32_t index : batch.series_index()) largest = std::max(largest, index);
  if (event_count > 0 && largest >= batch.series().count()) {
    return absl::InvalidArgumentError(fmt::format("series {} of {}", largest, batch.series().count()));
  }
  for (const auto& measure : batch.measures()) {
    const bool float64 = measure.float64_values_size() > 0;
    const bool int64 = measure.int64_values_size() > 0;
    const int size = float64 ? measure.float64_values_size() : measure.int64_values_size();
    if ((float64 && int64) || !fits(size)) return misfit(measure.name(), size);
    if (!measure.nulls().empty() && measure.nulls().size() < (size_t{event_count} + 7) / 8) {
      return misfit(measure.name() + " nulls", measure.nulls().size() * 8);
    }
  }
  return CheckSeriesRows(batch.series());
}

FoldOutcome PartitionState::Fold(const events::v1::RecordHeader& header, const events::v1::EventBatch* batch,
                                 int64_t offset, int64_t append_time_us) {
  RM_CHECK(offset > through_offset_);
  through_offset_ = offset;
  append_time_us_ = std::max(append_time_us_, append_time_us);

  std::unique_ptr<StreamState>& slot = streams_[header.stream_id()];
  if (slot == nullptr) slot = std::make_unique<StreamState>(header.tenant(), header.stream_id());
  StreamState& stream = *slot;
  if (stream.name_ != header.stream()) stream.name_ = header.stream();
  stream.lateness_us_ = header.has_allowed_lateness_us() ? header.allowed_lateness_us() : options_.default_lateness_us;
  stream.ledger_.rejected += header.rejected_count();

  const uint32_t events = header.event_count();
  switch (producers_.Check(header.producer_id(), header.sequence(), append_time_us_)) {
    case SequenceCheck::kRepeat:
      stream.ledger_.appended += events;
      stream.ledger_.deduplicated += events;
      return FoldOutcome::kDeduplicated;
    case SequenceCheck::kStale:
      stream.ledger_.appended += events;
      stream.ledger_.stale += events;
      return FoldOutcome::kStale;
    case SequenceCheck::kNew:
      break;
  }
  if (events == 0) return FoldOutcome::kRejectedOnly;
  if (batch == nullptr || !CheckBatch(*batch, events).ok()) {
    stream.ledger_.rejected += events;
    return FoldOutcome::kMalformed;
  }
  const StreamState::Folded folded = stream.FoldEvents(*batch, append_time_us, options_);
  stream.ledger_.appended += events;
  stream.ledger_.folded += folded.accepted;
  stream.ledger_.over_series_limit += folded.over_series_limit;
  stream.ledger_.too_late += events - folded.accepted - folded.over_series_limit;
  return FoldOutcome::kFolded;
}

void PartitionState::Skip(int64_t offset, int64_t append_time_us) {
  RM_CHECK(offset > through_offset_);
  through_offset_ = offset;
  append_time_us_ = std::max(append_time_us_, append_time_us);
}

const StreamState* PartitionState::Find(uint64_t stream_id) const {
  const auto found = streams_.find(stream_id);
  return found == streams_.end() ? nullptr : found->second.get();
}

StreamState* PartitionState::Find(uint64_t stream_id) {
  const auto found = streams_.find(stream_id);
  return found == streams_.end() ? nullptr : found->second.get();
}

size_t PartitionState::bytes() const {
  size_t bytes = 0;
  for (const auto& [id, stream] : streams_) bytes += stream->bytes();
  return bytes;
}

size_t PartitionState::pane_bytes() const {
  size_t bytes = 0;
  for (const auto& [id, stream] : streams_) bytes += stream->pane_bytes();
  return bytes;
}

size_t PartitionState::storable_bytes() const {
  size_t bytes = 0;
  for (const auto& [id, stream] : streams_) bytes += stream->pane_bytes(stream->StorableUntil(0));
  return bytes;
}

}  // namespace rivermeet::windows
