#include "query/subscription.h"

#include <algorithm>

#include "base/status.h"
#include "fmt/format.h"
#include "query/frame_builder.h"

namespace rivermeet::query {
namespace {

using aggregation::v1::Partials;
using aggregation::v1::SegmentReference;
using aggregation::v1::WatchPartialsResponse;
using partials::PartialsTable;
using partials::PartialsView;

// How often the groups that the limit lets in are chosen anew.
constexpr absl::Duration kRankEvery = absl::Seconds(5);
// As in query_service.cc: below gRPC's limit.
constexpr size_t kMaxUpdateBytes = 15u << 20;

absl::Status WrongPartition(uint32_t partition) {
  return absl::InternalError(
      ToAbsl(fmt::format("an owner sent rows of partition {}, which it was not asked for", partition)));
}

}  // namespace

Subscription::Subscription(Plan plan, SubscriptionLimits limits, uint64_t sequence, int64_t first_window)
    : plan_(std::move(plan)),
      limits_(limits),
      groups_(plan_.group_by),
      first_window_(first_window),
      sequence_(sequence) {}

void Subscription::AddLeg(LegId leg, std::vector<uint32_t> partitions) {
  legs_[leg].partitions = std::move(partitions);
}

void Subscription::RemoveLeg(LegId leg) { legs_.erase(leg); }

size_t Subscription::bytes() const {
  size_t bytes = groups_.bytes() + dirty_.capacity() * (sizeof(Key) + 1);
  const auto add = [&bytes](const TablesByPartition& tables) {
    for (const auto& [partition, of] : tables) bytes += of.hot.bytes() + of.stored.bytes();
  };
  add(visible_);
  for (const auto& [id, leg] : legs_) add(leg.incoming);
  return bytes;
}

absl::Status Subscription::CheckLimits() const {
  if (bytes() > limits_.max_bytes) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format(
        "the subscription needs more than {} MiB of memory, the limit of one (query.subscription_bytes): ask for fewer "
        "groups, a shorter range or a longer step",
        limits_.max_bytes >> 20)));
  }
  size_t rows = 0;
  for (const auto& [partition, tables] : visible_) rows += tables.hot.size() + tables.stored.size();
  if (rows > limits_.max_rows) {
    return absl::InvalidArgumentError(
        ToAbsl(fmt::format("the subscription has {} rows, at most {} are allowed (query.max_rows): ask for fewer "
                           "groups, a shorter range or a "
                           "longer step",
                           rows, limits_.max_rows)));
  }
  return absl::OkStatus();
}

absl::Status Subscription::ReplaceRows(const Partials& partials, TablesByPartition& tables, bool visible) {
  RM_ASSIGN_OR_RETURN(const PartialsView view,
                      PartialsView::Make(partials, plan_.measures, plan_.origin_us, plan_.step_us, groups_));
  uint32_t partition = 0;
  Tables* of = nullptr;
  for (size_t row = 0; row < view.rows(); ++row) {
    if (view.window(row) < first_window_) continue;
    if (of == nullptr || view.partition(row) != partition) {
      partition = view.partition(row);
      const auto found = tables.find(partition);
      if (found == tables.end()) return WrongPartition(partition);
      of = &found->second;
    }
    of->hot.Replace(view, row);
    if (visible) dirty_.insert(Key(view.group(row), view.window(row)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Subscription::StoredRead>> Subscription::Apply(LegId id,
                                                                            const WatchPartialsResponse& update) {
  const auto found = legs_.find(id);
  if (found == legs_.end()) return std::nullopt;
  Leg& leg = found->second;
  leg.watermark_us = update.watermark_us();
  newest_append_us_ = std::max(newest_append_us_, update.newest_append_time_us());
  if (update.snapshot() && !leg.more_parts) {
    leg.incoming.clear();
    leg.segments.clear();
    ++leg.generation;
    for (const uint32_t partition : leg.partitions) leg.incoming.emplace(partition, Tables(plan_));
  }
  if (!update.snapshot() && leg.generation == 0) return absl::InternalError("a watch began without a snapshot");
  const bool visible = leg.incoming.empty();
  RM_RETURN_IF_ERROR(ReplaceRows(update.partials(), visible ? visible_ : leg.incoming, visible));
  TablesByPartition& tables = visible ? visible_ : leg.incoming;
  for (const v1::PartitionVersion& version : update.data_version().partitions()) {
    if (const auto of = tables.find(version.partition()); of != tables.end()) of->second.version = version;
  }
  RM_RETURN_IF_ERROR(CheckLimits());
  if (!update.snapshot()) return std::nullopt;
  leg.segments.insert(leg.segments.end(), update.segments().begin(), update.segments().end());
  leg.more_parts = update.continued();
  if (leg.more_parts) return std::nullopt;
  StoredRead read = PrepareStored(leg);
  if (!read.segments.empty()) return read;
  Swap(leg);
  return std::nullopt;
}

// Segments never change: what was read of one before is still good. Only when some are new and others gone, one may
// hold what the other held: then all are read anew.
Subscription::StoredRead Subscription::PrepareStored(Leg& leg) {
  StoredRead read{.generation = leg.generation, .segments = {}};
  for (auto& [partition, tables] : leg.incoming) {
    std::vector<SegmentReference> named;
    for (const SegmentReference& segment : leg.segments) {
      if (segment.partition() == partition && tables.objects.insert(segment.object()).second) named.push_back(segment);
    }
    std::vector<SegmentReference> added = named;
    if (const auto before = visible_.find(partition); before != visible_.end()) {
      const StringSet& old = before->second.objects;
      std::erase_if(added, [&old](const SegmentReference& segment) { return old.contains(segment.object()); });
      const bool some_gone = named.size() - added.size() < old.size();
      if (some_gone && !added.empty()) {
        added = named;
      } else {
        tables.stored = before->second.stored;
      }
    }
    read.segments.insert(read.segments.end(), added.begin(), added.end());
  }
  return read;
}

absl::Status Subscription::AddStored(LegId id, uint64_t generation, const Partials& partials) {
  const auto found = legs_.find(id);
  if (found == legs_.end() || found->second.generation != generation) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const PartialsView view,
                      PartialsView::Make(partials, plan_.measures, plan_.origin_us, plan_.step_us, groups_));
  for (size_t row = 0; row < view.rows(); ++row) {
    if (view.window(row) < first_window_) continue;
    const auto of = found->second.incoming.find(view.partition(row));
    if (of == found->second.incoming.end()) return WrongPartition(view.partition(row));
    of->second.stored.Merge(view, row);
  }
  return CheckLimits();
}

absl::Status Subscription::FinishStored(LegId id, uint64_t generation) {
  const auto found = legs_.find(id);
  if (found == legs_.end() || found->second.generation != generation) return absl::OkStatus();
  Swap(found->second);
  return CheckLimits();
}

void Subscription::Swap(Leg& leg) {
  for (auto& [partition, tables] : leg.incoming) {
    const auto before = visible_.find(partition);
    if (before == visible_.end()) {
      snapshot_due_ = true;
      visible_.emplace(partition, std::move(tables));
      continue;
    }
    if (!snapshot_due_) MarkDifferences(before->second, tables);
    before->second = std::move(tables);
  }
  leg.incoming.clear();
}

void Subscription::MarkDifferences(const Tables& before, const Tables& after) {
  const auto total_of = [](const Tables& tables) {
    PartialsTable total = tables.stored;
    for (uint32_t cell = 0; cell < tables.hot.cell_limit(); ++cell) {
      if (tables.hot.in_use(cell)) total.MergeCell(tables.hot, cell);
    }
    return total;
  };
  const PartialsTable old_total = total_of(before);
  const PartialsTable new_total = total_of(after);
  size_t known = 0;
  for (uint32_t cell = 0; cell < new_total.cell_limit(); ++cell) {
    if (!new_total.in_use(cell)) continue;
    const uint32_t old = old_total.Find(new_total.group(cell), new_total.window(cell));
    if (old != PartialsTable::kNone) ++known;
    if (old == PartialsTable::kNone || !new_total.SameCell(cell, old_total, old)) {
      dirty_.insert(Key(new_total.group(cell), new_total.window(cell)));
    }
  }
  // A cell that is no more can't be told as a replacement.
  if (known < old_total.size()) snapshot_due_ = true;
}

void Subscription::ForgetOld(absl::Time now) {
  const int64_t first = plan_.FirstWindow(absl::ToUnixMicros(now));
  if (first <= first_window_) return;
  first_window_ = first;
  std::vector<bool> live(groups_.size(), false);
  const auto forget = [&](TablesByPartition& tables) {
    for (auto& [partition, of] : tables) {
      for (PartialsTable* table : {&of.hot, &of.stored}) {
        table->ForgetBefore(first);
        for (uint32_t cell = 0; cell < table->cell_limit(); ++cell) {
          if (table->in_use(cell)) live[table->group(cell)] = true;
        }
      }
    }
  };
  forget(visible_);
  for (auto& [id, leg] : legs_) forget(leg.incoming);
  ForgetGroups(live);
  absl::erase_if(dirty_, [first](const Key& key) { return key.second < first; });
}

void Subscription::MergeAll(PartialsTable& into) const {
  for (const auto& [partition, tables] : visible_) {
    for (const PartialsTable* table : {&tables.stored, &tables.hot}) {
      for (uint32_t cell = 0; cell < table->cell_limit(); ++cell) {
        if (table->in_use(cell)) into.MergeCell(*table, cell);
      }
    }
  }
}

// Groups that the range has left behind make room for others.
void Subscription::ForgetGroups(const std::vector<bool>& live) {
  live_groups_ = static_cast<size_t>(std::count(live.begin(), live.end(), true));
  for (size_t group = 0; group < known_.size(); ++group) {
    if (live[group] || !known_[group]) continue;
    chosen_[group] ? --chosen_count_ : --left_out_;
    known_[group] = chosen_[group] = false;
  }
}

// Lets groups in that had no rows before, while there is room.
void Subscription::ChooseNewGroups() {
  known_.resize(groups_.size(), false);
  chosen_.resize(groups_.size(), false);
  for (const Key& key : dirty_) {
    if (known_[key.first]) continue;
    known_[key.first] = true;
    chosen_[key.first] = chosen_count_ < plan_.group_limit;
    chosen_[key.first] ? ++chosen_count_ : ++left_out_;
  }
}

// Chooses the groups anew now and then, when there are more than the limit; true when others are in now.
bool Subscription::Rerank(absl::Time now) {
  if (left_out_ == 0 || now - ranked_ < kRankEvery) return false;
  ranked_ = now;
  PartialsTable all(plan_.measures, plan_.windows);
  MergeAll(all);
  return ChooseGroups(plan_, groups_, all, nullptr) != chosen_;
}

void Subscription::FillSnapshot(absl::Time now, v1::SubscribeResponse& response) {
  PartialsTable all(plan_.measures, plan_.windows);
  MergeAll(all);
  chosen_ = ChooseGroups(plan_, groups_, all, &left_out_);
  chosen_count_ = static_cast<size_t>(std::count(chosen_.begin(), chosen_.end(), true));
  known_.assign(groups_.size(), false);
  for (uint32_t cell = 0; cell < all.cell_limit(); ++cell) {
    if (all.in_use(cell)) known_[all.group(cell)] = true;
  }
  live_groups_ = chosen_count_ + left_out_;
  ranked_ = now;
  *response.mutable_frame() = BuildFrame(plan_, groups_, all, chosen_);
  response.set_snapshot(true);
  snapshot_due_ = false;
}

absl::StatusOr<std::optional<v1::SubscribeResponse>> Subscription::TakeChanges(absl::Time now) {
  ForgetOld(now);
  if (!has_changes()) return std::nullopt;
  v1::SubscribeResponse response;
  ChooseNewGroups();
  if (snapshot_due_ || Rerank(now)) {
    FillSnapshot(now, response);
  } else {
    PartialsTable changed(plan_.measures, plan_.windows);
    for (const Key& key : dirty_) {
      if (!chosen_[key.first]) continue;
      for (const auto& [partition, tables] : visible_) {
        for (const PartialsTable* table : {&tables.stored, &tables.hot}) {
          const uint32_t cell = table->Find(key.first, key.second);
          if (cell != PartialsTable::kNone) changed.MergeCell(*table, cell);
        }
      }
    }
    *response.mutable_frame() = BuildFrame(plan_, groups_, changed, chosen_);
  }
  dirty_.clear();
  if (const size_t bytes = response.ByteSizeLong(); bytes > kMaxUpdateBytes) {
    return absl::InvalidArgumentError(
        ToAbsl(fmt::format("the answer has {} rows in {} MiB, at most {} MiB are allowed: set group_limit, a shorter "
                           "range or a longer step",
                           response.frame().row_count(), bytes >> 20, kMaxUpdateBytes >> 20)));
  }
  if (!response.snapshot() && response.frame().row_count() == 0) return std::nullopt;
  response.set_sequence(++sequence_);
  for (const auto& [partition, tables] : visible_) {
    *response.mutable_data_version()->add_partitions() = tables.version;
  }
  response.set_newest_append_time_us(newest_append_us_);
  response.mutable_step()->set_seconds(plan_.step_us / 1'000'000);
  response.set_range_start_us(plan_.origin_us + first_window_ * plan_.step_us);
  response.set_groups_left_out(left_out_);
  int64_t watermark = legs_.empty() ? 0 : legs_.begin()->second.watermark_us;
  for (const auto& [id, leg] : legs_) watermark = std::min(watermark, leg.watermark_us);
  response.set_watermark_us(watermark);
  return response;
}

}  // namespace rivermeet::query
