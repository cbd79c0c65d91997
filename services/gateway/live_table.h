// The whole of a live answer, kept from its snapshot and the changes since: what a late joiner is sent.
#ifndef RIVERMEET_GATEWAY_LIVE_TABLE_H_
#define RIVERMEET_GATEWAY_LIVE_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strings.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::gateway {

// Changes are kept as they came and merged when the whole is asked for, or when they outgrow it: an update costs
// nothing here while nobody joins. Not thread-safe.
class LiveTable {
 public:
  // Takes the next response of a subscription.
  //
  // Errors: FAILED_PRECONDITION, it doesn't fit what came before (no snapshot yet, or other columns): start anew.
  absl::Status Apply(const query::v1::SubscribeResponse& response);

  // Whether there is a whole to give.
  bool ready() const { return ready_; }

  // The whole as one snapshot response: rows by group, then time; rows before the range's start are left out. It
  // carries the sequence, data version and times of the newest response.
  //
  // Errors: as Apply().
  absl::StatusOr<query::v1::SubscribeResponse> Whole();

  size_t rows() const { return rows_by_key_.size(); }

 private:
  struct Cells {
    query::v1::Column head;  // Name, type and unit.
    std::vector<double> float64_values;
    std::vector<int64_t> int64_values;
    std::vector<uint32_t> strings;  // 0: null, else 1 + position in `dictionary`.
    std::vector<uint8_t> nulls;
    std::vector<std::string> dictionary;
    StringMap<uint32_t> positions;
  };

  // Takes in what is pending; the whole.
  absl::StatusOr<query::v1::Frame> Merge();
  absl::Status MergeFrame(const query::v1::Frame& frame);
  absl::Status CheckColumns(const query::v1::Frame& frame) const;
  void StartColumns(const query::v1::Frame& frame);
  static bool IsKey(const Cells& cells);
  static std::string KeyOf(const query::v1::Frame& frame, size_t row);
  static void SetCell(Cells& cells, size_t to, const query::v1::Column& from, size_t row);
  uint64_t TimeColumn() const;
  std::vector<uint32_t> RowsInOrder() const;
  query::v1::Frame ToFrame(const std::vector<uint32_t>& rows) const;

  bool ready_ = false;
  query::v1::SubscribeResponse latest_;  // Without its frame.
  std::vector<query::v1::Frame> pending_;
  size_t pending_bytes_ = 0;
  size_t whole_bytes_ = 0;
  std::vector<Cells> columns_;
  StringMap<uint32_t> rows_by_key_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_LIVE_TABLE_H_
