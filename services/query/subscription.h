// The state behind one subscription: what every partition last said, and which cells of the answer changed since.
#ifndef RIVERMEET_QUERY_SUBSCRIPTION_H_
#define RIVERMEET_QUERY_SUBSCRIPTION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/strings.h"
#include "query/plan.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::query {

struct SubscriptionLimits {
  // Memory for the state, in bytes.
  uint64_t max_bytes = uint64_t{64} << 20;
  // Rows kept.
  uint64_t max_rows = 1'000'000;
};

// A cell of the answer is always made anew from the states of all partitions, stored and in memory, because what an
// owner sends replaces the state of one partition. Memory is bounded by the limits, never by how fast the reader is:
// what changed is a set of cells. Not thread-safe; never blocks.
//
// A leg is one watch at one owner. Its snapshot is gathered aside, with the rows of the segments it names, and put in
// the place of what its partitions had before when it is whole; until then the old state stands.
class Subscription {
 public:
  // Goes on after another one's `sequence` and begins at `first_window` of a moving range.
  Subscription(Plan plan, SubscriptionLimits limits, uint64_t sequence = 0, int64_t first_window = 0);

  using LegId = uint64_t;
  // A watch of these partitions has begun.
  void AddLeg(LegId leg, std::vector<uint32_t> partitions);
  // It has ended; what it brought stays.
  void RemoveLeg(LegId leg);
  bool has_leg(LegId leg) const { return legs_.contains(leg); }

  // Segments to read before a leg's snapshot is whole.
  struct StoredRead {
    uint64_t generation = 0;
    std::vector<aggregation::v1::SegmentReference> segments;
  };
  // Takes in what a watch said. Returns what has to be read: the caller gives the rows to AddStored() and then calls
  // FinishStored(), with the generation.
  //
  // Errors (the subscription is of no more use):
  //   RESOURCE_EXHAUSTED  Over a limit; the message names it.
  //   INTERNAL            The owner sent something that was not asked for.
  absl::StatusOr<std::optional<StoredRead>> Apply(LegId leg, const aggregation::v1::WatchPartialsResponse& update);
  // Both are ignored when the leg has ended or begun a newer snapshot. Errors as Apply().
  absl::Status AddStored(LegId leg, uint64_t generation, const aggregation::v1::Partials& partials);
  absl::Status FinishStored(LegId leg, uint64_t generation);

  // Whether every partition has said what it has.
  bool ready() const { return visible_.size() == plan_.partitions.size(); }
  // Whether TakeChanges() may have something to say.
  bool has_changes() const { return ready() && (snapshot_due_ || !dirty_.empty()); }

  // The whole answer at first and whenever changes can't tell it, else the cells that changed since the last call.
  // Nothing when nothing did. Forgets what a moving range has left behind. `sent_time_us` is left to the caller.
  //
  // Errors: as Apply().
  absl::StatusOr<std::optional<v1::SubscribeResponse>> TakeChanges(absl::Time now);

  const Plan& plan() const { return plan_; }
  // What to read of these partitions now: a moving range begins later than the plan's.
  aggregation::v1::PartialsQuery QueryFor(const std::vector<uint32_t>& partitions) const {
    return plan_.ToPartialsQuery(partitions, first_window_);
  }
  size_t bytes() const;
  uint64_t sequence() const { return sequence_; }
  // Whether most of the groups it remembers have long left the range: begin a new one.
  bool worn_out() const { return groups_.size() > 10'000 && groups_.size() > 4 * live_groups_; }

 private:
  struct Tables {
    explicit Tables(const Plan& plan) : hot(plan.measures, 2 * plan.windows), stored(plan.measures, 2 * plan.windows) {}
    partials::PartialsTable hot;
    partials::PartialsTable stored;
    StringSet objects;
    v1::PartitionVersion version;
  };
  using TablesByPartition = std::map<uint32_t, Tables>;
  struct Leg {
    std::vector<uint32_t> partitions;
    TablesByPartition incoming;  // not empty while a snapshot is gathered
    bool more_parts = false;
    uint64_t generation = 0;
    std::vector<aggregation::v1::SegmentReference> segments;
    int64_t watermark_us = 0;
  };
  using Key = std::pair<uint32_t, int64_t>;

  absl::Status ReplaceRows(const aggregation::v1::Partials& partials, TablesByPartition& tables, bool visible);
  StoredRead PrepareStored(Leg& leg);
  void Swap(Leg& leg);
  void MarkDifferences(const Tables& before, const Tables& after);
  absl::Status CheckLimits() const;
  void ForgetOld(absl::Time now);
  void MergeAll(partials::PartialsTable& into) const;
  void ForgetGroups(const std::vector<bool>& live);
  void ChooseNewGroups();
  bool Rerank(absl::Time now);
  void FillSnapshot(absl::Time now, v1::SubscribeResponse& response);

  const Plan plan_;
  const SubscriptionLimits limits_;
  partials::GroupTable groups_;
  std::map<LegId, Leg> legs_;
  TablesByPartition visible_;
  absl::flat_hash_set<Key> dirty_;
  bool snapshot_due_ = true;
  // By group: whether it has rows in the range and was looked at, and whether the limit let it in then.
  std::vector<bool> known_;
  std::vector<bool> chosen_;
  size_t chosen_count_ = 0;
  uint64_t left_out_ = 0;
  absl::Time ranked_ = absl::InfinitePast();
  int64_t first_window_ = 0;
  size_t live_groups_ = 0;
  uint64_t sequence_ = 0;
  int64_t newest_append_us_ = 0;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_SUBSCRIPTION_H_
