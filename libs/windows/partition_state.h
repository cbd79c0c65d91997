// The fold: what the records of one log partition add up to. Free of I/O and deterministic, so that a replay gives
// the same state, byte for byte.
//
// Per event only its one-second pane is touched; longer windows are merges of panes, which is exact because they all
// share one lateness (rollup.h). Not thread-safe: its owner holds a lock while folding or capturing. Captures are
// cheap, share panes and are read without any lock.
#ifndef RIVERMEET_WINDOWS_PARTITION_STATE_H_
#define RIVERMEET_WINDOWS_PARTITION_STATE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rivermeet/events/v1/event_batch.pb.h"
#include "windows/ledger.h"
#include "windows/pane.h"
#include "windows/producer_table.h"
#include "windows/series_table.h"

namespace rivermeet::windows {

inline constexpr int64_t kNoTime = INT64_MIN;

struct FoldOptions {
  // How far a stream's watermark stays behind its largest event time.
  int64_t watermark_delay_us = 2'000'000;
  // For records whose header names no allowed lateness.
  int64_t default_lateness_us = 60'000'000;
  // Of each stream. Series never leave memory; the events of further ones are counted and not folded.
  uint32_t max_series = 1'000'000;
};

// Panes, windows of panes and segments are cut at multiples of this, so that none of the rollups is ever split
// between memory and segments.
inline constexpr int64_t kLongestRollupUs = 60'000'000;

// Generations wrap.
inline bool IsNewer(uint32_t generation, uint32_t than) { return static_cast<int32_t>(generation - than) > 0; }

struct Measure {
  std::string name;
  bool is_int64 = false;
  bool operator==(const Measure&) const = default;
};

// The last value of each series that has left memory; what a counter's next increase is counted from.
struct CarriedValue {
  Number value{};
  int64_t time_us = kNoTime;
};
struct Carry {
  // By measure, then by series; a series beyond the end has none.
  std::vector<std::vector<CarriedValue>> measures;
};

// What a reader takes from a stream; stays as it is, whatever the fold does next. Any thread.
struct StreamView {
  std::string tenant;
  std::string stream;
  uint64_t stream_id = 0;
  SeriesView series;
  std::vector<Measure> measures;
  std::vector<Ref<const Pane>> panes;  // ascending
  std::shared_ptr<const Carry> carry;  // null: nothing has left memory
  Ledger ledger;
  int64_t watermark_us = kNoTime;
  // Panes that end here or earlier take no more events.
  int64_t closed_until_us = kNoTime;
  // Panes before this have left memory for segments.
  int64_t stored_until_us = kNoTime;
  uint32_t generation = 0;
  // The newest generation of a pane that has left memory since the process started.
  uint32_t stored_generation = 0;
};

class StreamState {
 public:
  StreamState(std::string_view tenant, uint64_t stream_id) : tenant_(tenant), stream_id_(stream_id) {}

  const std::string& tenant() const { return tenant_; }
  const std::string& name() const { return name_; }
  uint64_t stream_id() const { return stream_id_; }
  const Ledger& ledger() const { return ledger_; }
  const SeriesTable& series() const { return series_; }
  const std::vector<Measure>& measures() const { return measures_; }
  int64_t lateness_us() const { return lateness_us_; }
  int64_t watermark_us() const { return watermark_us_; }
  int64_t closed_until_us() const { return closed_until_us_; }
  int64_t stored_until_us() const { return stored_until_us_; }
  // Changes with every record that changed a pane; 32 bits that wrap.
  uint32_t generation() const { return generation_; }
  // The earliest pane in memory; kNoTime for none.
  int64_t first_pane_us() const { return panes_.empty() ? kNoTime : panes_.begin()->first; }
  size_t pane_count() const { return panes_.size(); }
  // Of panes and the series table.
  size_t bytes() const;
  // Of panes that start before `until_us`.
  size_t pane_bytes(int64_t until_us = INT64_MAX) const;

  // The panes that start in [from_us, to_us).
  StreamView View(int64_t from_us = INT64_MIN, int64_t to_us = INT64_MAX) const;

  // Up to where panes could leave memory when windows stay for `hot_age_us` of event time after they close: a
  // multiple of kLongestRollupUs; kNoTime when none can.
  int64_t StorableUntil(int64_t hot_age_us) const;
  // Drops the panes before `until_us`, which segments hold from now on.
  void DropStored(int64_t until_us, std::shared_ptr<const Carry> carry);

 private:
  friend class PartitionState;
  friend class StateReader;

  struct Columns;

  struct Folded {
    uint32_t accepted = 0;
    uint32_t over_series_limit = 0;
  };
  Folded FoldEvents(const events::v1::EventBatch& batch, int64_t append_time_us, const FoldOptions& options);
  void UpdateCells(const events::v1::EventBatch& batch, uint32_t begin, uint32_t end);
  uint32_t MeasureNumber(std::string_view name, bool is_int64);
  Pane* WritablePane(int64_t start_us);

  std::string tenant_;
  uint64_t stream_id_;
  std::string name_;
  int64_t lateness_us_ = 0;
  SeriesTable series_;
  std::vector<Measure> measures_;
  std::map<int64_t, Ref<Pane>> panes_;
  std::shared_ptr<const Carry> carry_;
  Ledger ledger_;
  int64_t watermark_us_ = kNoTime;
  int64_t closed_until_us_ = kNoTime;
  int64_t stored_until_us_ = kNoTime;
  uint32_t generation_ = 0;
  uint32_t stored_generation_ = 0;

  // Of the batch in hand, kept for their memory.
  struct Target {
    CellHeader* cell;
    uint32_t event;
    uint32_t time_us;
    uint32_t order;
  };
  std::vector<uint32_t> row_series_;
  std::vector<uint32_t> batch_measures_;
  std::vector<Target> targets_;
};

enum class FoldOutcome {
  kFolded,
  kDeduplicated,
  kStale,
  kRejectedOnly,  // a record that carries only how many events were rejected
  kMalformed,     // the payload contradicts itself or its header; its events are counted as rejected
};

class PartitionState {
 public:
  explicit PartitionState(FoldOptions options) : options_(options) {}

  // Takes in the next record. `offset` is above every one before it. `batch` is what the payload parses to, or
  // null when it doesn't.
  FoldOutcome Fold(const events::v1::RecordHeader& header, const events::v1::EventBatch* batch, int64_t offset,
                   int64_t append_time_us);
  // For a record that is nobody's: its header doesn't parse, its stream was deleted, or it left the log, and all before
  // it, unread (`append_time_us` is kNoTime then).
  void Skip(int64_t offset, int64_t append_time_us);
  // Lets go of a stream. Views of it stay whole; a later record of it would begin it anew.
  void Forget(uint64_t stream_id) { streams_.erase(stream_id); }

  // Frees the memory of producers that are forgotten by now; whatever comes is folded the same.
  void Purge() { producers_.Purge(append_time_us_); }

  // The last offset taken in; -1 before the first.
  int64_t through_offset() const { return through_offset_; }
  // The append time of that record; kNoTime before the first. Never decreases.
  int64_t append_time_us() const { return append_time_us_; }
  // Null when the stream has no record here.
  const StreamState* Find(uint64_t stream_id) const;
  StreamState* Find(uint64_t stream_id);
  // By id.
  const std::map<uint64_t, std::unique_ptr<StreamState>>& streams() const { return streams_; }
  const ProducerTable& producers() const { return producers_; }
  const FoldOptions& options() const { return options_; }
  // Memory of all streams.
  size_t bytes() const;
  // Of that what is in panes, and what of these could be stored now.
  size_t pane_bytes() const;
  size_t storable_bytes() const;

 private:
  friend class StateReader;

  FoldOptions options_;
  int64_t through_offset_ = -1;
  int64_t append_time_us_ = kNoTime;
  ProducerTable producers_;
  std::map<uint64_t, std::unique_ptr<StreamState>> streams_;
};

// Whether the arrays of `batch` fit together and hold `event_count` events.
absl::Status CheckBatch(const events::v1::EventBatch& batch, uint32_t event_count);

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_PARTITION_STATE_H_
